"""The written test set: texts with what is in them."""

from __future__ import annotations

import random
from pathlib import Path

from models.data.example import Example
from models.data.fill import fill
from models.data.lists import Lists
from models.data.markup import read_markup

__all__ = ["DATA", "written_lines"]

DATA = Path(__file__).parent / "data"


def written_lines(folder: Path = DATA) -> list[Example]:
    """Return the lines of the test files, their slots filled with values that training does not see."""
    lists = Lists("test")
    rng = random.Random("test")
    return [fill(line, lists, rng) for path in sorted(folder.glob("*.txt")) for line in read_markup(path)]
