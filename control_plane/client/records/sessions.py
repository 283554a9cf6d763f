"""The records of `/v1/sessions`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["OpenSession"]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its list shows it: whose, since when, last used about when, until when at most."""

    id: str
    person: str
    at: datetime
    seen_at: datetime
    expires_at: datetime
