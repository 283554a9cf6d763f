"""Merging a text that changed on both sides, where the changes touch different lines.

Promises: lines that only one side changed are taken from it; lines that both changed alike are taken once; anything
else is no clean merge, and None comes back: there are no conflict markers, because a file with markers is no source.
Source: `difflib` (Ratcliff, Obershelp); the stable regions of diff3 (Khanna, Kunal, Pierce 2007).
"""

from __future__ import annotations

from difflib import SequenceMatcher

__all__ = ["merge"]


def merge(base: str, ours: str, theirs: str) -> str | None:
    r"""Return the text with the changes of both sides, or None where they touch.

    >>> merge("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n")
    'A\nb\nC\n'
    >>> merge("a\n", "b\n", "c\n") is None
    True
    """
    if theirs in {ours, base}:
        return ours
    if ours == base:
        return theirs
    lines = base.splitlines(keepends=True)
    left, right = (_changes(lines, other.splitlines(keepends=True)) for other in (ours, theirs))
    merged: list[str] = []
    at = 0
    while left or right:
        if left and right and left[0] == right[0]:
            change = left.pop(0)
            right.pop(0)
        elif left and right and _touch(left[0], right[0]):
            return None
        else:
            first = left if not right or (left and left[0][:2] < right[0][:2]) else right
            change = first.pop(0)
        begin, end, new = change
        merged += [*lines[at:begin], *new]
        at = end
    return "".join([*merged, *lines[at:]])


_Change = tuple[int, int, tuple[str, ...]]


def _changes(base: list[str], other: list[str]) -> list[_Change]:
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    return [
        (begin, end, tuple(other[start:stop])) for op, begin, end, start, stop in matcher.get_opcodes() if op != "equal"
    ]


def _touch(one: _Change, other: _Change) -> bool:
    """Return whether two changes overlap or stand side by side: adjacent lines often mean one thing."""
    return one[0] <= other[1] and other[0] <= one[1]
