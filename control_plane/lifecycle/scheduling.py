"""Scheduled activation: releasing an approved proposal at a time, if all that held still holds.

Promises: only an approved proposal is scheduled; at its time it is released by the very conditions of a release by
hand, and the person who scheduled it still holds the role; else it is suspended, an act of its own that says why, and
stays so until somebody edits it or schedules it anew. `release_due` may be run by several servers at once and again
after a crash: each proposal is one transaction, which looks again at what it found.
Does not: know time but by `plane.now`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from audit.record import Act, Auth, Client, LeafObject
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.accounts.holdings import holding
from control_plane.accounts.rights import Attempt
from control_plane.errors import Refused
from control_plane.lifecycle import releases, windows
from control_plane.lifecycle.conditions import Obstacle, obstacle
from control_plane.lifecycle.suspending import suspend
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.records import Proposal
from control_plane.registry.times import time_digest
from control_plane.reviewing import expiry, waiting
from control_plane.tables.lifecycle import ScheduleRow
from control_plane.tables.registry import RevisionRow
from edge_runtime.core.errors import InvalidDocument, NotTrusted

__all__ = ["MOST_AHEAD", "release_due", "schedule", "unschedule"]

MOST_AHEAD = timedelta(days=366)


def schedule(plane: ControlPlane, actor: str, number: int, *, at: datetime, auth: Auth = Auth.TOKEN) -> Proposal:
    """Let an approved proposal be released at a time; one that was suspended goes on.

    Raises:
        NotFound: no such proposal or person.
        Refused: the actor is no release manager, or what a release asks for does not hold now.
        Conflict: it is stale.
        InvalidDocument: the time has passed, or is more than a year ahead.
    """
    attempt = Attempt("schedule", LeafObject("proposal", f"proposal-{number}"), auth)
    rights.require_role(plane, actor, (releases.RELEASE_ROLE,), attempt=attempt)
    moment = at.astimezone(UTC).replace(microsecond=0)
    if not plane.now() < moment <= plane.now() + MOST_AHEAD:
        raise InvalidDocument("expected a time from now on and within a year, got another")
    expiry.expire_due(plane, number)
    with rights.acting(plane, actor, releases.RELEASE_ROLE) as session:
        proposal, revision = store.find_proposal(session, number)
        store.require_living(proposal)
        found = obstacle(plane, session, proposal, revision=revision)
        if found is not None:
            raise found.error
        event = ledger.Event(
            Act.SCHEDULED,
            actor,
            releases.RELEASE_ROLE,
            auth,
            store.target_of(proposal, revision),
            proposal.channel,
            after=time_digest("at", moment),
            manifest=revision.digest,
        )
        leaf = ledger.append(plane, session, event)
        row = ScheduleRow(proposal=number, manifest=revision.digest, at=moment, person=actor, held="", leaf=leaf)
        session.merge(row)
        proposal.state = "scheduled"
        waiting.refresh(plane, session, proposal, revision=revision)
        return store.record(plane, session, proposal, revision=revision)


def unschedule(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> Proposal:
    """Take a proposal off the schedule: it is open again, with the approvals that it has.

    Raises:
        NotFound: no such proposal or person.
        Refused: the actor is no release manager, or it is neither scheduled nor suspended.
    """
    attempt = Attempt("unschedule", LeafObject("proposal", f"proposal-{number}"), auth)
    rights.require_role(plane, actor, (releases.RELEASE_ROLE,), attempt=attempt)
    with rights.acting(plane, actor, releases.RELEASE_ROLE) as session:
        proposal, revision = store.find_proposal(session, number)
        if proposal.state not in {"scheduled", "suspended"}:
            raise Refused(f"expected a proposal that is scheduled, got one that is {proposal.state}")
        event = ledger.Event(
            Act.UNSCHEDULED,
            actor,
            releases.RELEASE_ROLE,
            auth,
            store.target_of(proposal, revision),
            proposal.channel,
            manifest=revision.digest,
        )
        ledger.append(plane, session, event)
        row = session.get(ScheduleRow, number)
        if row is not None:
            session.delete(row)
        proposal.state = "open"
        waiting.refresh(plane, session, proposal, revision=revision)
        return store.record(plane, session, proposal, revision=revision)


def release_due(plane: ControlPlane) -> tuple[str, ...]:
    """Release or suspend what is due, end the trials that ended, publish, and return what was done."""
    quiet = replace(plane, client=Client.SYSTEM, token="")
    with db.read(quiet.engine) as session:
        waiting = select(ScheduleRow.proposal).where(ScheduleRow.at <= quiet.now(), ScheduleRow.held == "")
        numbers = list(session.exec(waiting.order_by(col(ScheduleRow.at), col(ScheduleRow.proposal))))
    done = [said for number in numbers if (said := _release_one(quiet, number))]
    done += windows.end_due(quiet)
    if done:
        releases.publish_all(quiet)
    return tuple(done)


def _release_one(plane: ControlPlane, number: int) -> str:
    with ledger.act(plane) as session:
        proposal, revision = store.find_proposal(session, number)
        row = session.get(ScheduleRow, number)
        if row is None or row.held or proposal.state != "scheduled" or row.at > plane.now():
            return ""  # another server was quicker, or somebody took it off the schedule
        found = _no_longer(plane, session, row, revision=revision) or obstacle(
            plane, session, proposal, revision=revision
        )
        if found is not None:
            suspend(plane, session, proposal, revision=revision, code=found.code)
            return f"proposal {number} suspended: {found.error}"
        made = releases.carry_out(plane, session, proposal, revision=revision, by=row.person, auth=Auth.SYSTEM)
        return f"proposal {number} released as {made.number} on {made.channel}"


def _no_longer(plane: ControlPlane, session: Session, row: ScheduleRow, *, revision: RevisionRow) -> Obstacle | None:
    """Return whether what was scheduled, or who scheduled it, is no longer what it was."""
    if row.manifest != revision.digest:
        return Obstacle("edited", NotTrusted("expected the revision that was scheduled, got a later one", check="V6"))
    if holding(session, rights.find_row(session, row.person), releases.RELEASE_ROLE, now=plane.now()) is None:
        return Obstacle("role-ended", Refused("expected a release manager to have scheduled it, got a person without"))
    return None
