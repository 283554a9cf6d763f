"""The records of `/v1/inbox`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control_plane.client.records.shared import Proposal

__all__ = ["Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """A proposal that somebody can move on, and how.

    `why` is check, approve, release, edit, or review where they are asked to look; reschedule for one that was
    suspended; return where a trial ends with a return that nobody proposed yet; review-release for a break-glass
    release. The last two have a day by which they are due.
    """

    proposal: Proposal
    why: str
    requested: bool = False
    due: datetime | None = None
