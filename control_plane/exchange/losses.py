"""The loss report: each thing that could not be carried over, where it stands, why, and what was done instead."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Loss"]


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """One line of a loss report.

    `member` is the member of our document that it is about, "" if it has none; `why` and `instead` are phrases.
    """

    path: str
    line: int
    member: str
    what: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}: {self.why}; {self.instead}"
