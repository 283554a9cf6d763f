"""Where a text has many digits close together: the only places where numbers of people and accounts can stand.

Promises: one pass over the text; areas are in order and do not overlap. Does not: know any format.
"""

from __future__ import annotations

from typing import NamedTuple

from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["Area", "digit_areas", "has_digits"]

MIN_DIGITS = 6
_AREA = lazy_pattern(rf"[0-9](?:[ \t\n().\-/+_]{{0,3}}[0-9]){{{MIN_DIGITS - 1},}}")
_DIGIT = lazy_pattern(r"[0-9]")


class Area(NamedTuple):
    """A part of a text that begins and ends with a digit, and has nothing but digits and a few signs in it."""

    start: int
    end: int
    digits: int


def has_digits(text: str) -> bool:
    """Tell whether a text has a digit."""
    return _DIGIT().search(text) is not None


def digit_areas(text: str) -> tuple[Area, ...]:
    """Return the parts of the normalised `text` that have `MIN_DIGITS` digits with at most three signs between them."""
    return tuple(Area(found.start(), found.end(), sum(map(str.isdigit, found[0]))) for found in _AREA().finditer(text))
