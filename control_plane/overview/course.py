"""What becomes of things by themselves, for whoever looks: schedule, suspension, trial, review, what is withdrawn.

Promises: what stands in the way of a release is what a release would be refused for. Does not: change anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from control_plane import db
from control_plane.lifecycle.conditions import obstacle
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_manifest
from control_plane.registry.records import Course
from control_plane.registry.withdrawals import who_stopped, withdrawals_of
from control_plane.reviewing import expiry
from control_plane.tables.lifecycle import EmergencyRow, ScheduleRow, WindowRow
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow
from edge_runtime.core.manifest import parse_manifest

__all__ = ["BECAUSE", "Planned", "Standing", "course_of", "list_planned", "list_standing"]

BECAUSE = {
    "approvals": "approvals that it needs were missing",
    "checks": "a check had failed, or the results were not fresh",
    "edited": "it was edited after it was scheduled",
    "expired": "it had met its end",
    "objection": "somebody objects",
    "outdated": "the usual channel has something else than it brings back",
    "keyring": "custodians had not signed everybody who approved it yet",
    "review-overdue": "the review of a break-glass release was overdue",
    "role-ended": "whoever answers for it is no release manager any more",
    "stale": "another release had gone out, and it does not stand on it",
    "withdrawn": "something that it brings was withdrawn",
}
"""What each word for a suspension says to people."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A proposal that goes out at a time, or that was suspended instead: then `suspended` and `because` say why."""

    proposal: int
    channel: str
    at: datetime
    suspended: str
    because: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands withdrawn on a channel: entries of its live release, and who withdrew all of that release.

    `stopped` is whether enough people withdrew all of it.
    """

    channel: str
    entries: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    stopped: bool


def course_of(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow) -> Course:
    """Return what becomes of a proposal, in a transaction of the caller."""
    planned = session.get(ScheduleRow, proposal.number)
    window = session.get(WindowRow, proposal.number)
    living = proposal.state in expiry.LIVING
    found = obstacle(plane, session, proposal, revision=revision) if living else None
    held = planned.held if planned and proposal.state == "suspended" else ""
    return Course(
        goes_out=planned.at if planned and proposal.state in {"scheduled", "suspended"} else None,
        suspended=held,
        because=BECAUSE.get(held, held),
        hindrance=str(found.error) if found else "",
        trial_ends=window.ends_at if window else None,
        trial_then=window.then if window else "",
        trial_outcome=window.outcome if window else "",
        emergency=parse_manifest(revision.manifest).emergency,
        review_due=_review_due(session, proposal),
    )


def _review_due(session: Session, proposal: ProposalRow) -> datetime | None:
    query = select(EmergencyRow.due).where(
        EmergencyRow.channel == ReleaseRow.channel,
        EmergencyRow.number == ReleaseRow.number,
        ReleaseRow.proposal == proposal.number,
        col(EmergencyRow.closed).is_(None),
    )
    return session.exec(query).first()


def list_planned(plane: ControlPlane) -> tuple[Planned, ...]:
    """Return what goes out at a time and what was suspended, the next first."""
    query = select(ScheduleRow, ProposalRow).where(
        ScheduleRow.proposal == ProposalRow.number, col(ProposalRow.state).in_(("scheduled", "suspended"))
    )
    with db.read(plane.engine) as session:
        rows = session.exec(query.order_by(col(ScheduleRow.at), col(ScheduleRow.proposal))).all()
        return tuple(
            Planned(row.proposal, proposal.channel, row.at, row.held, BECAUSE.get(row.held, row.held))
            for row, proposal in rows
        )


def list_standing(plane: ControlPlane) -> tuple[Standing, ...]:
    """Return what stands withdrawn on each channel where something does."""
    found = []
    with db.read(plane.engine) as session:
        for channel in plane.settings.channels:
            manifest, digest = live_manifest(session, channel)
            lifts = manifest.lifts if manifest else ()
            said = withdrawals_of(session, channel)
            stopped = said.stopped(lifts).keys()
            entries = tuple(one.key for one in (manifest.entries if manifest else ()) if one.digest in stopped)
            people = tuple(sorted(who_stopped(said, digest, lifts)))
            if entries or people:
                found.append(Standing(channel, entries, people, said.is_whole(lifts)))
    return tuple(found)
