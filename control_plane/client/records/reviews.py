"""The records of `/v1/reviews`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["PendingReview"]


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A break-glass release that is still to be reviewed."""

    channel: str
    release: int
    manifest: str
    due: datetime
    overdue: bool
    leaf: int
