"""From what a model says of tokens to places in a sentence, and from parts to commitments.

Promises: places never cut a word; the same tags give the same places. Does not: run a model, or know a threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_runtime.core.reader.records import Commitment, Span

__all__ = ["Found", "capitals_of", "commitments_of", "places_of", "word_starts"]


class Found(NamedTuple):
    """A typed place within a sentence."""

    type: str
    start: int
    end: int


def word_starts(sentence: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Return the numbers of the tokens that begin a word; the pieces of one word belong together."""
    starts = []
    for number, (start, _) in enumerate(offsets):
        goes_on = number and offsets[number - 1][1] == start and sentence[start - 1 : start + 1].isalnum()
        if not goes_on:
            starts.append(number)
    return starts


def capitals_of(sentence: str, offsets: Iterable[tuple[int, int]]) -> list[int]:
    """Return 1 for each token that begins with a capital letter, else 0: the vocabulary knows lower case only."""
    return [int(start < end and sentence[start].isupper()) for start, end in offsets]


def places_of(sentence: str, words: Iterable[tuple[int, int, str, bool]]) -> tuple[Found, ...]:
    """Return the places that tagged words make.

    Args:
        sentence: what they stand in.
        words: start, end, type (empty for none) and whether the tag begins a new place, in order.
    """
    found: list[Found] = []
    for first, behind, kind, begins in words:
        if not kind:
            continue
        start, end = _to_word_edges(sentence, first, behind)
        last = found[-1] if found else None
        joins = last is not None and last.type == kind and not sentence[last.end : start].strip()
        if last is not None and joins and (not begins or last.end >= start):
            found[-1] = Found(kind, last.start, max(last.end, end))
        elif last is None or start >= last.end:
            found.append(Found(kind, start, end))
    return tuple(place for place in found if any(map(str.isalnum, sentence[place.start : place.end])))


def _to_word_edges(sentence: str, start: int, end: int) -> tuple[int, int]:
    """Return a place that takes in the rest of its first and last word, and what a hyphen joins with a capital."""
    while start > 0 and sentence[start - 1].isalnum() and sentence[start].isalnum():
        start -= 1
    while end < len(sentence) and sentence[end - 1].isalnum() and _goes_on(sentence, end):
        end += 1 if sentence[end].isalnum() else 2
    return start, end


def _goes_on(sentence: str, end: int) -> bool:
    if sentence[end].isalnum():
        return True
    return sentence[end] in "-'" and sentence[end + 1 : end + 2].isupper()


def commitments_of(sentence: Span, parts: Iterable[Found]) -> tuple[Commitment, ...]:
    """Return the commitments of a sentence that holds one: its parts, or the sentence if no deed was found.

    A second deed, or somebody named after a deed, begins the next commitment.
    """
    groups: list[dict[str, Span]] = []
    for kind, start, end in parts:
        place = Span(start, end)
        begins = not groups or kind in groups[-1] or (kind == "WHO" and "WHAT" in groups[-1])
        if begins and not (groups and kind == "WHEN"):
            groups.append({kind: place})
        else:
            groups[-1].setdefault(kind, place)
    whole = [group for group in groups if "WHAT" in group]
    if not whole:
        return (Commitment(sentence.start, sentence.end),)
    return tuple(
        Commitment(
            min(place.start for place in group.values()),
            max(place.end for place in group.values()),
            **{kind.lower(): place for kind, place in group.items()},
        )
        for group in whole
    )
