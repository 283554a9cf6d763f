"""The records of `/v1/schedule`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Planned"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A proposal that goes out at a time, or that was suspended instead: then `suspended` and `because` say why."""

    proposal: int
    channel: str
    at: datetime
    suspended: str
    because: str
