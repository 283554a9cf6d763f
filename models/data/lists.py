"""The lists that fill slots: one value a line, after an optional country and a tab.

Promises: values after `% held-out` are handed out for tests alone; of the others every eighth, by its digest, is kept
for validation, so that a model is not chosen by names it has learned. For training some names are made of two, so that
what stands around a name is learned rather than the name.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

__all__ = ["FOLDER", "HELD_OUT", "Lists", "Purpose", "is_for_validation"]

Purpose = Literal["train", "validation", "test"]

FOLDER = Path(__file__).parent / "lists"
HELD_OUT = "% held-out"
VALIDATION_SHARE = 0.125
BLENDED = frozenset({"first_names", "last_names", "organisations", "places"})
BLENDED_SHARE = 0.25


def is_for_validation(name: str, share: float) -> bool:
    """Tell whether `name` falls into the share kept for validation: always the same ones."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) < share * 2**32


class Lists:
    """The values for one purpose."""

    def __init__(self, purpose: Purpose, folder: Path = FOLDER) -> None:
        self._blends = purpose == "train"
        self._values = {path.stem: _read(path, purpose) for path in sorted(folder.glob("*.txt"))}

    def values(self, name: str) -> Sequence[str]:
        """Return the values of a list, with their countries.

        Raises:
            ValueError: there is no such list, or it holds nothing for this purpose.
        """
        values = self._values.get(name)
        if not values:
            raise ValueError(f"expected values in the list {name}")
        return values

    def pick(self, rng: random.Random, name: str, country: str = "") -> str:
        """Return a value of a list; with a country, one of its own if it has any."""
        values = self.values(name)
        own = [value for value in values if value.startswith(f"{country}\t")] if country else ()
        picked = rng.choice(own or values).split("\t")[-1]
        if self._blends and name in BLENDED and rng.random() < BLENDED_SHARE:
            return _blended(picked, rng.choice(values).split("\t")[-1])
        return picked


def _blended(one: str, other: str) -> str:
    """Return a name that nobody has: the first half of one word and the second of another, what follows unchanged."""
    word, *rest = one.split(" ")
    tail = other.partition(" ")[0]
    begin, end = word[: (len(word) + 1) // 2], tail[len(tail) // 2 :]
    return " ".join([begin + (end if word.isupper() else end.lower()), *rest])


def _read(path: Path, purpose: Purpose) -> Sequence[str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    cut = lines.index(HELD_OUT) if HELD_OUT in lines else len(lines)
    kept = lines[cut:] if purpose == "test" else lines[:cut]
    values = [line for line in kept if line and not line.startswith("%")]
    if purpose == "test":
        return values
    is_validation = purpose == "validation"
    return [value for value in values if is_for_validation(value, VALIDATION_SHARE) == is_validation]
