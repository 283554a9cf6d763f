"""The records of `/v1/tokens`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["NewToken", "Token"]


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token: its text is shown this once."""

    token: Token
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its list shows it, without its text; `used_at` is when it was last used, to about an hour."""

    id: str
    person: str
    machine: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
