"""What a text says to a machine and not to an eye, or to an eye and not to a machine.

    tags        letters as tag characters (U+E0020 to U+E007E), outside of the flags of emoji
    selectors   bytes as variation selectors, one each
    overrides   a run that is forced to be shown from right to left: what it shows

Promises: a place in what is found maps to the whole run; time is linear. Does not: judge, or read other tricks of
zero-width characters. Source: Unicode Standard Annex 9, Unicode Technical Standard 51.
"""

from __future__ import annotations

import re

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.normalise import Normalised, normalise

__all__ = ["as_shown", "unseen_pieces"]

_TAGS = lazy_pattern("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{4,}")
_SELECTORS = lazy_pattern("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_OVERRIDE = lazy_pattern("\u202e[^\u202a-\u202e\u2066-\u2069\n]+")


def unseen_pieces(text: str) -> list[tuple[int, int, str]]:
    """Return start and end of what prints nothing in the original `text`, and what it says."""
    if text.isascii():
        return []
    tags = [
        (run.start(), run.end(), "".join(chr(ord(one) - 0xE0000) for one in run[0])) for run in _TAGS().finditer(text)
    ]
    selectors = [(run.start(), run.end(), _selected(run)) for run in _SELECTORS().finditer(text)]
    return [*tags, *((start, end, said) for start, end, said in selectors if said.isprintable())]


def _selected(run: re.Match[str]) -> str:
    codes = map(ord, run[0])
    return bytes(code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16 for code in codes).decode(errors="replace")


def as_shown(text: str) -> Normalised | None:
    """Return the normalised `text` with each forced run in the order in which it is shown, or none if there is none."""
    pieces: list[str] = []
    starts = list(range(len(text)))
    ends = list(range(1, len(text) + 1))
    last = 0
    for run in _OVERRIDE().finditer(text) if "\u202e" in text else ():
        start, end = run.span()
        pieces += [text[last:start], run[0][::-1]]
        starts[start:end] = [start] * (end - start)
        ends[start:end] = [end] * (end - start)
        last = end
    if not pieces:
        return None
    shown = normalise("".join((*pieces, text[last:])))
    places = [shown.original(at, at + 1) for at in range(len(shown.text))]
    return Normalised(
        shown.text, tuple(starts[place.start] for place in places), tuple(ends[place.end - 1] for place in places)
    )
