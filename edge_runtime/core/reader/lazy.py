"""Regular expressions that are compiled when first used, so that importing the reader stays quick.

Promises: one compilation per expression. Does not: hold anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

__all__ = ["lazy_pattern"]


def lazy_pattern(source: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that returns the compiled `source`, always the same object."""
    return cache(lambda: re.compile(source, flags))
