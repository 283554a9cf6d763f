"""The records of `/v1/trials`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["WindowInfo"]


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """The window of a proposal as people see it; `outcome` is "" until it ended, `live` says whether it began."""

    proposal: int
    channel: str
    ends_at: datetime
    then: str
    outcome: str
    leaf: int
    live: bool
