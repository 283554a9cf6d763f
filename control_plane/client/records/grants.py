"""The records of `/v1/grants`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Checklist", "Open"]


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is open for the role of a grant, and the digest by which it is taken note of."""

    grant: str
    role: str
    items: tuple[Open, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a role: of which kind, its name, and since or until when in words of the list."""

    kind: str
    name: str
    due: str = ""
