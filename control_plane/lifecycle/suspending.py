"""Suspending: what was to go out, and does not, because something stands in the way.

Promises: it is an act of its own that says why, and stays so until somebody edits the proposal or schedules it anew.
Does not: know when something is due (see `scheduling`, `windows`).
"""

from __future__ import annotations

from sqlmodel import Session

from audit.record import Act, Auth
from control_plane import ledger
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.reviewing import waiting
from control_plane.tables.lifecycle import ScheduleRow
from control_plane.tables.registry import ProposalRow, RevisionRow

__all__ = ["suspend"]


def suspend(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow, code: str, by: str = ""
) -> int:
    """Suspend a proposal in the caller's transaction, and return the entry that says why.

    `by` answers for one that was due without having been scheduled, at the end of a trial.
    """
    event = ledger.Event(
        Act.SUSPENDED,
        ledger.SYSTEM,
        ledger.SYSTEM,
        Auth.SYSTEM,
        store.target_of(proposal, revision),
        proposal.channel,
        manifest=revision.digest,
        code=code,
    )
    leaf = ledger.append(plane, session, event)
    row = session.get(ScheduleRow, proposal.number)
    if row is not None:
        row.manifest, row.held, row.leaf = revision.digest, code, leaf
    elif by:
        session.add(
            ScheduleRow(
                proposal=proposal.number or 0,
                manifest=revision.digest,
                at=plane.now().replace(microsecond=0),
                person=by,
                held=code,
                leaf=leaf,
            )
        )
    proposal.state = "suspended"
    waiting.refresh(plane, session, proposal, revision=revision)
    return leaf
