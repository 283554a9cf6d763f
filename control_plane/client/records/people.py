"""The records of `/v1/people`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control_plane.client.records.shared import Person

__all__ = ["Enrolled", "Erasable", "Erasure", "Holds", "Invited", "Left", "Me"]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Whom an administrator enrolled, and the code with which they enrol their key: it is shown this once."""

    person: Person
    code: str


@dataclass(frozen=True, slots=True)
class Erasable:
    """What erasing somebody's texts would destroy: keys, to the texts of so many entries; holds that forbid it."""

    keys: int
    concerned: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: the keys that were destroyed, the entries that say so, how many entries lost their texts."""

    keys: tuple[str, ...]
    entries: tuple[int, ...]
    concerned: int


@dataclass(frozen=True, slots=True)
class Holds:
    """A role that somebody holds now: for whom ("" for themselves), until when (None while they are enrolled)."""

    role: str
    behalf: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Invited:
    """A code that is shown this once."""

    code: str


@dataclass(frozen=True, slots=True)
class Left:
    """Whether somebody has left: the second of two people who sign it makes it so."""

    left: bool


@dataclass(frozen=True, slots=True)
class Me:
    """The person behind a request, which roles they hold now, and what the request is good for."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    custody: str
    locked: bool
    holds: tuple[Holds, ...]
    scopes: tuple[str, ...]
    machine: str
