"""What keeps a file from being carried over.

    InvalidDocument
    └── Untranslatable   a template says what the other language cannot; the line, and what it was

A file that does not read is a `SourceError`, as one of ours is.
"""

from __future__ import annotations

from edge_runtime.core.errors import InvalidDocument

__all__ = ["Untranslatable"]


class Untranslatable(InvalidDocument):
    """A template cannot be said in the other language; `line` counts from 1 within it."""

    def __init__(self, line: int, expected: str) -> None:
        super().__init__(f"line {line}: expected {expected}")
        self.line = line
        self.expected = expected
