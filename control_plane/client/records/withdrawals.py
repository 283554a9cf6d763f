"""The records of `/v1/withdrawals`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Withdrawal"]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A content that must no longer be used on a channel, and why.

    `replacement` is the digest of what runs instead, "" for the fallback text; `statement` is what a release that
    lifts
    it names.
    """

    channel: str
    name: str
    kind: str
    digest: str
    by: str
    at: datetime
    reason: str
    replacement: str = ""
    statement: str = ""
