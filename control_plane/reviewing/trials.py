"""Trials with an end, as a proposal states them: when it is, and what happens then.

    keep     the trial's content stays live on its channel
    return   the channel goes back to what the usual channel has

Does not: end them (see `lifecycle.windows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from audit.record import Act, Auth, LeafObject
from control_plane import ledger
from control_plane.plane import ControlPlane
from control_plane.registry.times import time_digest
from control_plane.tables.lifecycle import WindowRow
from control_plane.tables.registry import ProposalRow
from edge_runtime.core.errors import InvalidDocument

__all__ = ["THEN", "Window", "state"]

THEN = ("keep", "return")
MOST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Window:
    """When a trial ends, and what happens then: `keep` or `return`."""

    ends_at: datetime
    then: str


def state(plane: ControlPlane, session: Session, proposal: ProposalRow, *, window: Window, by: str, auth: Auth) -> None:
    """State the window of a proposal, with an entry of its own, in the caller's transaction.

    Raises:
        InvalidDocument: the usual channel has no trials, the end has passed or is too far, or what happens is unknown.
    """
    ends = window.ends_at.astimezone(UTC).replace(microsecond=0)
    if proposal.channel == plane.channel:
        raise InvalidDocument(f"expected a trial on another channel than {plane.channel}, got one on it")
    if window.then not in THEN or not plane.now() < ends <= plane.now() + MOST_AHEAD:
        raise InvalidDocument(f"expected an end within a year and what happens then: {' or '.join(THEN)}")
    event = ledger.Event(
        Act.WINDOW_STATED,
        by,
        "author",
        auth,
        LeafObject("proposal", f"proposal-{proposal.number}"),
        proposal.channel,
        after=time_digest("ends_at", ends, then=window.then),
        code=window.then,
    )
    leaf = ledger.append(plane, session, event)
    session.add(WindowRow(proposal=proposal.number or 0, ends_at=ends, then=window.then, leaf=leaf))
    session.flush()
