"""Trials with an end: a release on a channel other than the usual one may state when it ends, and what happens then.

    keep     the trial's content stays live on its channel
    return   the channel goes back to what the usual channel has

Nothing goes live without approvals on its own channel, also not at an end that everybody agreed on. So the return is a
proposal like any other (see `derived`), which an author makes and people approve while the trial runs. At the end it is
released if all holds that a release by hand asks for; else it is suspended, with the reason, and the trial counts as
ended and not returned, which `gaps` and the queries say until somebody returns or promotes it.

Promises: the end of each window is one act, by whichever server comes first; a trial whose content is live on the usual
channel by then was promoted, and nothing happens. Does not: prepare the return (see `proposals`). Source:
docs/adr/0020.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.accounts.holdings import holding
from control_plane.lifecycle import releases
from control_plane.lifecycle.conditions import obstacle
from control_plane.lifecycle.suspending import suspend
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.live import live_manifest, live_release
from control_plane.reviewing import expiry
from control_plane.tables.lifecycle import OriginRow, WindowRow
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow
from edge_runtime.core.manifest import changed_entries, parse_manifest

__all__ = ["WindowInfo", "end_due", "list_windows", "unreturned"]


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """The window of a proposal as people see it; `outcome` is "" until it ended, `live` says whether it began."""

    proposal: int
    channel: str
    ends_at: datetime
    then: str
    outcome: str
    leaf: int
    live: bool


def list_windows(plane: ControlPlane) -> tuple[WindowInfo, ...]:
    """Return the windows of proposals that are released or may be, the next to end first."""
    with db.read(plane.engine) as session:
        rows = session.exec(
            select(WindowRow, ProposalRow)
            .where(WindowRow.proposal == ProposalRow.number, col(ProposalRow.state).in_(("released", *expiry.LIVING)))
            .order_by(col(WindowRow.ends_at))
        ).all()
        return tuple(_info(row, proposal) for row, proposal in rows)


def _info(row: WindowRow, proposal: ProposalRow) -> WindowInfo:
    live = proposal.state == "released" and not row.outcome
    return WindowInfo(row.proposal, proposal.channel, row.ends_at, row.then, row.outcome, row.leaf, live)


def unreturned(plane: ControlPlane, session: Session) -> tuple[WindowInfo, ...]:
    """Return the trials that ended, were to return, and whose content is still live on their channel alone."""
    ended = select(WindowRow).where(WindowRow.outcome == "suspended")
    found = []
    for row in session.exec(ended.order_by(col(WindowRow.ends_at))):
        proposal, revision = store.find_proposal(session, row.proposal)
        if _still_live(session, proposal.channel, revision) and not _is_promoted(plane, session, revision):
            found.append(_info(row, proposal))
    return tuple(found)


def _still_live(session: Session, channel: str, revision: RevisionRow) -> bool:
    """Return whether something that a trial brought is live on its channel."""
    live, _ = live_manifest(session, channel)
    brought = changed_entries(parse_manifest(revision.manifest), store.base_of(session, revision))
    return live is not None and bool({entry.digest for entry in brought} & {entry.digest for entry in live.entries})


def _is_promoted(plane: ControlPlane, session: Session, revision: RevisionRow) -> bool:
    """Return whether all that a trial brought is live on the usual channel."""
    live, _ = live_manifest(session, plane.channel)
    brought = changed_entries(parse_manifest(revision.manifest), store.base_of(session, revision))
    held = {(entry.key, entry.digest) for entry in (live.entries if live else ())}
    return all((entry.key, entry.digest) in held for entry in brought)


def end_due(plane: ControlPlane) -> list[str]:
    """End the trials whose time has come, and return what was done; publishing is the caller's."""
    with db.read(plane.engine) as session:
        due = select(WindowRow.proposal).where(
            WindowRow.ends_at <= plane.now(),
            WindowRow.outcome == "",
            WindowRow.proposal == ProposalRow.number,
            ProposalRow.state == "released",
        )
        numbers = list(session.exec(due.order_by(col(WindowRow.ends_at))))
    return [said for number in numbers if (said := _end_one(plane, number))]


def _end_one(plane: ControlPlane, number: int) -> str:
    with ledger.act(plane) as session:
        row = session.get(WindowRow, number)
        if row is None or row.outcome or row.ends_at > plane.now():
            return ""  # another server was quicker
        proposal, revision = store.find_proposal(session, number)
        if _is_promoted(plane, session, revision):
            outcome = "promoted"
        elif row.then == "keep" or not _still_live(session, proposal.channel, revision):
            outcome = "kept" if row.then == "keep" else "returned"
        else:
            outcome = "returned" if _return(plane, session, proposal.channel) else "suspended"
        event = ledger.Event(
            Act.WINDOW_ENDED,
            ledger.SYSTEM,
            ledger.SYSTEM,
            Auth.SYSTEM,
            LeafObject("proposal", f"proposal-{number}", revision.digest),
            proposal.channel,
            manifest=revision.digest,
            code=outcome,
        )
        row.outcome, row.leaf = outcome, ledger.append(plane, session, event)
        return f"the trial of proposal {number} on {proposal.channel} ended: {outcome}"


def _return(plane: ControlPlane, session: Session, channel: str) -> bool:
    """Release the return of a channel if it is approved and all holds; else suspend it. Returns whether it went out."""
    query = select(ProposalRow).where(
        ProposalRow.number == OriginRow.proposal,
        OriginRow.act == "return",
        ProposalRow.channel == channel,
        col(ProposalRow.state).in_(("open", "scheduled")),
    )
    proposal = session.exec(query.order_by(col(ProposalRow.number).desc())).first()
    live: ReleaseRow | None = live_release(session, channel)
    if proposal is None or live is None:
        return False
    _, revision = store.find_proposal(session, proposal.number or 0)
    found = obstacle(plane, session, proposal, revision=revision)
    code = found.code if found else _outdated(plane, session, revision)
    person = rights.find_row(session, live.person)
    if not code and holding(session, person, releases.RELEASE_ROLE, now=plane.now()) is None:
        code = "role-ended"  # whoever put the trial out answers for its end
    if code:
        suspend(plane, session, proposal, revision=revision, code=code, by=live.person)
        return False
    releases.carry_out(plane, session, proposal, revision=revision, by=live.person, auth=Auth.SYSTEM)
    return True


def _outdated(plane: ControlPlane, session: Session, revision: RevisionRow) -> str:
    """Return "outdated" if a return no longer holds what the usual channel has."""
    usual, _ = live_manifest(session, plane.channel)
    own = parse_manifest(revision.manifest)
    there = {(entry.key, entry.digest) for entry in (usual.entries if usual else ())}
    return "" if there == {(entry.key, entry.digest) for entry in own.entries} else "outdated"
