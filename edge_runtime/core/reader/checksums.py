"""Whether a number keeps the rules of its format: the only module that imports `stdnum`, when first needed.

Promises: an answer for any text. Does not: find numbers, or ask an office whether one was issued.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["is_valid"]


def is_valid(name: str, value: str, **rules: bool) -> bool:
    """Tell whether the module `name` of `stdnum`, such as `luhn` or `fr.nir`, accepts `value`."""
    return bool(_module(name).is_valid(value, **rules))


@cache
def _module(name: str) -> Any:
    import stdnum

    return import_module(f"{stdnum.__name__}.{name}")
