"""The records of `/v1/roles`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["HeldRole"]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person holds now, with the person."""

    person: str
    role: str
    behalf: str
    until: datetime | None
