"""The records of `/v1/holds`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Hold"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a person's texts, or on everybody's if `person` is ""; `placed` and `lifted` are entries of the log."""

    id: str
    person: str
    placed: int
    lifted: int | None
    at: datetime
