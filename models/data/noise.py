"""How people type: lower case, capitals, lost marks, slips of the finger. Offsets follow.

Promises: every mark still holds the same characters, slips aside; the same seed gives the same text.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from audit.frozen import replace
from models.data.example import Example, moved_marks

__all__ = ["lowered", "noisy"]

LOWER, UPPER, BARE, SLIPS = 0.18, 0.015, 0.10, 0.10
"""How often a copy is in lower case, in capitals, without its last mark, or has slips."""


def noisy(example: Example, rng: random.Random) -> Example:
    """Return the example as somebody else might have typed it."""
    chance = rng.random()
    if chance < LOWER:
        example = lowered(example)
    elif chance < LOWER + UPPER:
        example = _cased(example, str.upper)
    if rng.random() < BARE:
        example = _bare(example)
    return _with_slips(example, rng) if rng.random() < SLIPS else example


def lowered(example: Example) -> Example:
    """Return the example in lower case, if that leaves every character in its place."""
    return _cased(example, str.lower)


def _cased(example: Example, change: Callable[[str], str]) -> Example:
    text = change(example.text)
    return replace(example, text=text) if len(text) == len(example.text) else example


def _bare(example: Example) -> Example:
    """Take a full stop off the end."""
    if not example.text.endswith(".") or len(example.text) < 3:
        return example
    end = len(example.text) - 1
    marks = [*(example.entities or ()), *(example.parts or ())]
    return example if any(mark.end > end for mark in marks) else replace(example, text=example.text[:end])


def _with_slips(example: Example, rng: random.Random) -> Example:
    for _ in range(1 + len(example.text) // 80):
        place = rng.randrange(len(example.text))
        around = example.text[max(0, place - 1) : place + 2]
        if len(around) == 3 and around.isalpha():
            example = rng.choice((_swapped, _dropped, _doubled))(example, place)
    return example


def _swapped(example: Example, place: int) -> Example:
    text = example.text
    return replace(example, text=text[:place] + text[place + 1] + text[place] + text[place + 2 :])


def _dropped(example: Example, place: int) -> Example:
    text = example.text[:place] + example.text[place + 1 :]
    return _shifted(example, text, lambda at: at - (at > place))


def _doubled(example: Example, place: int) -> Example:
    text = example.text[: place + 1] + example.text[place:]
    return _shifted(example, text, lambda at: at + (at > place))


def _shifted(example: Example, text: str, moved: Callable[[int], int]) -> Example:
    entities, parts = (moved_marks(marks, moved) for marks in (example.entities, example.parts))
    return replace(example, text=text, entities=entities, parts=parts)
