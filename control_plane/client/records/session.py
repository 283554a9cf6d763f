"""The records of `/v1/session`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control_plane.client.records.shared import Person

__all__ = ["SignedIn"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, what their pages send with each write, and until when at most."""

    person: Person
    csrf_token: str
    expires_at: datetime | None = None
