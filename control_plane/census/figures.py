"""What may be shown of counts: groups of `LEAST` or more, in steps of `LEAST`, never more than there are.

A count is lowered by an offset of 0 to 4 and then to the next multiple of five; what comes below five is not shown. The
offset is drawn once for each answer of a channel, by a key of the server: asking again, or on another day, gives the
same, so that nothing can be averaged away. Whoever does not have the key knows of a shown figure only that the count
lies up to eight above it.

Promises, for whoever sees all that is shown of a day, the total included, and knows this code but not the key:
1. A figure stands for at least as many devices as it says, and for five at least.
2. Where fewer than five devices gave answers that are not shown, it is possible by what is shown that nobody did:
   no subtraction of a question's figures from the total, or from those of another question, says that somebody is
   hidden. (Each question's figures together are at most the total, and with eight more for each at least it.)
3. From one day to the next a figure stays, or changes by five or more, for a change of one to nine devices: no
   difference says that fewer than five came or went.
Does not: protect against somebody who sees the figures and sends made-up reports as well; see docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["LEAST", "MOST_ABOVE", "shown", "shown_steps"]

LEAST = 5
"""The smallest group that is shown, and the step between figures."""
MOST_ABOVE = 2 * (LEAST - 1)
"""How far a count may lie above the figure that is shown for it."""

Counts = Mapping[str, Mapping[str, int]]


def shown(counts: Counts, offset: Callable[[str, str], int]) -> dict[str, dict[str, int]]:
    """Return the figures to show, by question and answer; a question without any is left out.

    Args:
        counts: by question and answer; every device gave one answer to each question.
        offset: a number from 0 to 4 for a question and an answer.
    """
    figures = {
        question: _without_small({answer: _lowered(count, offset(question, answer)) for answer, count in given.items()})
        for question, given in counts.items()
    }
    bound = min(
        (_most(figures[question]) for question, given in counts.items() if _hides_few(given, figures[question])),
        default=None,
    )
    for some in figures.values():
        if bound is not None and sum(some.values()) > bound:
            _lower_largest(some)
    return {question: some for question, some in figures.items() if some}


def shown_steps(counts: Mapping[int, int], offset: int) -> dict[int, int]:
    """Return the figures to show of devices that reached each of some levels, of which the lower hold the higher.

    One offset for all of them: where one to four devices lie between two levels, their figures differ by one step at
    most, and so it is possible by what is shown that nobody does. No total is shown beside them, so nothing can be
    subtracted.
    """
    figures = {level: _lowered(count, offset) for level, count in counts.items()}
    return {level: figure for level, figure in figures.items() if figure >= LEAST}


def _lowered(count: int, offset: int) -> int:
    return (count - offset) // LEAST * LEAST


def _without_small(figures: Mapping[str, int]) -> dict[str, int]:
    return {answer: figure for answer, figure in figures.items() if figure >= LEAST}


def _hides_few(given: Mapping[str, int], figures: Mapping[str, int]) -> bool:
    """Return whether a few devices, and fewer than may be shown, gave the answers that are not shown."""
    return 0 < sum(count for answer, count in given.items() if answer not in figures) < LEAST


def _most(figures: Mapping[str, int]) -> int:
    """Return how many devices there can be by the figures of one question, if nobody is hidden."""
    return sum(figures.values()) + MOST_ABOVE * len(figures)


def _lower_largest(figures: dict[str, int]) -> None:
    """Take one step off the largest figure: it then stands for four devices fewer than there are, or more.

    Those who gave answers that are not shown are at most four, so the figures are again possible without them.
    """
    largest = max(figures, key=lambda answer: (figures[answer], answer))
    figures[largest] -= LEAST
    if figures[largest] < LEAST:
        del figures[largest]
