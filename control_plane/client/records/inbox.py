"""The records of `/v1/inbox`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.client.records.shared import Proposal

__all__ = ["Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """A proposal that somebody can move on, and how: check, approve, release, edit or, where they are asked, review."""

    proposal: Proposal
    why: str
    requested: bool = False
