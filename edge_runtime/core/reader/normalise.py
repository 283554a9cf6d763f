"""One spelling per text, with the way back: what recognisers search, and where it stood in the original.

Promises: the result is NFKC of the text without characters that print nothing (zero-width, bidi controls,
fillers, variation selectors), with decimal digits, apostrophes and hyphens of every script as ASCII; every
place in it maps to the exact place in the original that it came from; time is linear, because no more than
`_MAX_MARKS` combining marks are taken together (UAX 15, stream-safe text).
Does not: change case, blanks or line ends. Source: Unicode Standard Annex 15.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.records import Span

__all__ = ["Normalised", "normalise"]

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IS_INVISIBLE = lazy_pattern(f"[{_INVISIBLE}]")
_CLUSTER = lazy_pattern("[\x00-\x7f]?[^\x00-\x7f]+")
"""Everything that is not ASCII, with the one ASCII character before it that it may combine with."""

_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u02bb\u2032"
_MAX_MARKS = 30
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63"


@frozen
class Normalised:
    """A normalised text; `starts[i]` and `ends[i]` are where character `i` stood (empty: where it stands)."""

    text: str
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def original(self, start: int, end: int) -> Span:
        """Return the place in the original of the non-empty place `start` to `end` of the normalised text."""
        if not self.starts:
            return Span(start, end)
        return Span(self.starts[start], self.ends[end - 1])


def normalise(text: str) -> Normalised:
    """Return the normalised `text` with its map back to the original."""
    if text.isascii():
        return Normalised(text)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last = 0
    for cluster in _CLUSTER().finditer(text):
        pieces.append(text[last : cluster.start()])
        starts.extend(range(last, cluster.start()))
        ends.extend(range(last + 1, cluster.start() + 1))
        last = cluster.end()
        for start, end, segment in _segments(text, Span(cluster.start(), last)):
            piece = _fold(segment)
            pieces.append(piece)
            starts.extend([start] * len(piece))
            ends.extend([end] * len(piece))
    pieces.append(text[last:])
    starts.extend(range(last, len(text)))
    ends.extend(range(last + 1, len(text) + 1))
    return Normalised("".join(pieces), tuple(starts), tuple(ends))


def _segments(text: str, place: Span) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and visible characters of each piece of `place` that normalises on its own."""
    start = end = place.start
    segment = ""
    for index in range(place.start, place.end):
        character = text[index]
        if _IS_INVISIBLE().match(character):
            continue
        if segment and (_begins_segment(character) or len(segment) > _MAX_MARKS):
            yield start, end, segment
            segment = ""
        if not segment:
            start = index
        segment += character
        end = index + 1
    if segment:
        yield start, end, segment


@lru_cache(maxsize=4096)
def _begins_segment(character: str) -> bool:
    """Tell whether nothing before `character` can combine with it or change places with it."""
    if character.isascii():
        return True
    first = unicodedata.normalize("NFKD", character)[0]
    is_jamo_tail = "\u1160" <= first <= "\u11ff"
    return not is_jamo_tail and not unicodedata.category(first).startswith("M")


@lru_cache(maxsize=4096)
def _fold(segment: str) -> str:
    return "".join(_fold_character(character) for character in unicodedata.normalize("NFKC", segment))


def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    if character in _APOSTROPHES:
        return "'"
    if character in _HYPHENS:
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
