"""The end of proposals that nobody decides about.

Promises: a proposal is approved and released only before its end, which the approval rules in force set with each
revision; that it met its end is an entry of the log, made once by whoever comes across it first: somebody who acts, or
the installation itself. An edit opens it again, with a new end.
Does not: end drafts, or what is rejected, closed or released.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_manifest
from control_plane.reviewing import waiting
from control_plane.tables.registry import ClosureRow, ProposalRow, RevisionRow
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Manifest

__all__ = ["EXPIRES_DAYS", "LIVING", "end_of", "expire_due", "require_alive"]

EXPIRES_DAYS = 30
"""How long a proposal may wait where the approval rules in force say nothing."""
LIVING = ("open", "scheduled", "suspended")
"""States that end."""


def end_of(session: Session, channel: str, *, manifest: Manifest, now: datetime) -> datetime:
    """Return when a revision made now ends, by the rules in force, or for a first release by those that it brings."""
    holder = live_manifest(session, channel)[0] or manifest
    stated = []
    for entry in holder.entries:
        row = session.get(ClosureRow, entry.digest) if entry.kind == "approval-rules" else None
        if row is not None:
            document = canonical.parse(row.data, max_bytes=1_000_000)
            stated.append(document.get("proposal_expires_days", EXPIRES_DAYS))
    days = min((one for one in stated if type(one) is int and one > 0), default=EXPIRES_DAYS)
    return now + timedelta(days=days)


def expire_due(plane: ControlPlane, number: int | None = None) -> tuple[int, ...]:
    """Record the end of every proposal that met it, or of one alone if it did; return their numbers.

    Whoever acts on a proposal calls this first, in a transaction of its own: the refusal that follows undoes nothing.
    """
    with db.read(plane.engine) as session:
        if not _due(session, plane.now(), number):
            return ()
    with ledger.act(plane) as session:
        due = _due(session, plane.now(), number)
        for proposal in due:
            revision = session.get(RevisionRow, (proposal.number, proposal.revision))
            assert revision is not None  # written together
            proposal.state = "expired"
            target = LeafObject("proposal", f"proposal-{proposal.number}", revision.digest, str(proposal.revision))
            event = ledger.Event(
                Act.EXPIRED,
                ledger.SYSTEM,
                ledger.SYSTEM,
                Auth.SYSTEM,
                target,
                channel=proposal.channel,
                manifest=revision.digest,
            )
            ledger.append(plane, session, event)
            waiting.forget(session, proposal.number or 0)
        return tuple(proposal.number or 0 for proposal in due)


def _due(session: Session, now: datetime, number: int | None) -> list[ProposalRow]:
    query = select(ProposalRow).where(ProposalRow.expires_at <= now, col(ProposalRow.state).in_(LIVING))
    query = query if number is None else query.where(ProposalRow.number == number)
    return list(session.exec(query.order_by(col(ProposalRow.number))))


def require_alive(proposal: ProposalRow, now: datetime) -> None:
    """Refuse a proposal that met its end.

    Raises:
        Refused: it did, whether or not that is recorded yet.
    """
    if proposal.state == "expired" or proposal.expires_at <= now:
        raise Refused("expected an open proposal, got one that is expired", hint="an edit or a rebase opens it again")
