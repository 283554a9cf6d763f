"""Handing a role over: what is open for it, taken note of by the successor before they hold it.

The successor signs the digest of the list as it is then, so the log says what they knew; the grant before ends in the
same transaction. Promises: a list that changed since the successor looked is not taken note of; it costs what it shows.
Does not: close anything, or list more than `MOST` things of a kind: then it says that it is not complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlmodel import Session, and_, col, exists, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.record import Act, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import people, presence, rights, sessions
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.granting.grants import GrantRecord, Signed, find_grant, log_grant, record
from control_plane.lifecycle import emergency
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.registry.live import live_manifest
from control_plane.registry.shelves import shelf_of
from control_plane.reviewing import expiry
from control_plane.reviewing.waiting import ANYBODY
from control_plane.tables.accounts import GrantRow
from control_plane.tables.lifecycle import ScheduleRow
from control_plane.tables.registry import ProposalRow, StatementRow
from control_plane.tables.reviewing import ObjectionRow, RequestRow, WaitingRow
from edge_runtime.core import canonical

__all__ = ["MOST", "Checklist", "Open", "acknowledge", "checklist"]

MOST = 100
"""Most things of a kind that are listed."""
_Row = TypeVar("_Row", RequestRow, ObjectionRow, ScheduleRow)


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a role, or for who held it: its kind, its name, and since or until when.

    proposal     waits for an approval in this role
    request      somebody asked for a look at a proposal
    objection    one that stands, which only who held the role before takes back
    schedule     a proposal that goes out at a time, or was held back
    release      a break-glass release that is to be reviewed
    delegation   of this role, by or to who held it before

    Else it is the kind of a live entry that is due for a review.
    """

    kind: str
    name: str
    due: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is open for the role of a grant, whether that is all, and the digest by which it is taken note of."""

    grant: str
    role: str
    items: tuple[Open, ...]
    complete: bool
    digest: str


def checklist(plane: ControlPlane, identity: str) -> Checklist:
    """Return what is open for the role of a grant now.

    Raises:
        NotFound: there is no such grant.
    """
    with db.read(plane.engine) as session:
        return _listed(plane, session, find_grant(session, identity))


def acknowledge(plane: ControlPlane, actor: str, identity: str, *, digest: str, passphrase: str | Proof) -> GrantRecord:
    """Take note of the list, as the successor: from now on they hold the role, and who held it before does not.

    They show that they are here by their passphrase, or by a proof for `doing("hand-over", identity, digest)`.

    Raises:
        NotFound: there is no such grant.
        Refused: the actor is not the successor, or gave a wrong passphrase or proof.
        Conflict: the list is another by now, or nothing is to be handed over.
    """
    with db.read(plane.engine) as session:
        whose = find_grant(session, identity).person
        first = rights.find_row(session, actor).roles[0]
    attempt = Attempt("hand-over", LeafObject("grant", identity))
    rights.require_scope(plane, actor, attempt=attempt)
    if whose != actor:
        rights.refuse(plane, actor, attempt, role=first, message="expected the successor to take note, got another")
    auth = presence.require(plane, actor, passphrase, purpose=doing("hand-over", identity, digest))
    with rights.acting(plane, actor) as session:
        row, now = find_grant(session, identity), plane.now()
        if not row.previous or row.granted is None or row.handed_over is not None or row.ended is not None:
            raise Conflict("expected a grant that is to be handed over, got another")
        if row.until <= now:
            raise Refused("expected a grant that lasts, got one that is over")
        if _listed(plane, session, row).digest != digest:
            raise Conflict("expected the list as it is now, got another", hint="look again: `mentorplane grant open`")
        signed = Signed(Act.HANDED_OVER, actor, auth, texts.say(plane, digest))
        row.handed_over = log_grant(plane, session, row, signed=signed)
        before = find_grant(session, row.previous)
        if before.ended is None and before.until > now:
            before.ended, before.ended_at = row.handed_over, ledger.logged_at(session, row.handed_over)
        for one in (row.person, before.person):
            sessions.end_all_of(session, one)
        session.flush()
        return record(row, now, people.keyring(session))


def _listed(plane: ControlPlane, session: Session, row: GrantRow) -> Checklist:
    before = find_grant(session, row.previous).person if row.previous else ""
    leaving = _Leaving(plane, session, row, before)
    found = [list(islice(source(leaving), MOST + 1)) for source in _SOURCES]
    complete = all(len(some) <= MOST for some in found)
    items = sorted({item for some in found for item in some[:MOST]}, key=repr)
    said = [{"kind": item.kind, "name": item.name, "due": item.due} for item in items]
    digest = canonical.digest(canonical.encode({"complete": complete, "grant": row.id, "open": said, "role": row.role}))
    return Checklist(row.id, row.role, tuple(items), complete, digest)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """The grant that takes over, and who held the role before; "" if it follows nobody."""

    plane: ControlPlane
    session: Session
    row: GrantRow
    before: str


def _approvals(leaving: _Leaving) -> Iterator[Open]:
    """Yield the proposals that wait for somebody in this role to approve them, as of their last act."""
    query = select(WaitingRow.proposal).where(
        WaitingRow.what == "approve", col(WaitingRow.role).in_((leaving.row.role, ANYBODY))
    )
    for number in leaving.session.exec(query.distinct().order_by(col(WaitingRow.proposal)).limit(MOST + 1)):
        yield Open("proposal", f"proposal-{number}")


def _requests(leaving: _Leaving) -> Iterator[Open]:
    """Yield what the one before, or this role, was asked to look at."""
    asked = and_(RequestRow.person == leaving.before, RequestRow.role == "")
    query = _of_proposals(RequestRow, RequestRow.proposal, or_(asked, RequestRow.role == leaving.row.role))
    query = query.where(col(RequestRow.ended).is_(None), col(ProposalRow.state).in_(expiry.LIVING))
    for request in leaving.session.exec(query):
        yield Open("request", f"proposal-{request.proposal}", f"{request.at:%Y-%m-%d}")


def _objections(leaving: _Leaving) -> Iterator[Open]:
    """Yield where an objection of the one before stands, in this role: nobody else takes it back."""
    mine = and_(ObjectionRow.person == leaving.before, ObjectionRow.role == leaving.row.role)
    query = _of_proposals(ObjectionRow, ObjectionRow.proposal, mine)
    query = query.where(
        col(ObjectionRow.taken_back).is_(None), col(ProposalRow.state).in_((*expiry.LIVING, "rejected"))
    )
    for objection in leaving.session.exec(query):
        yield Open("objection", f"proposal-{objection.proposal}", f"{objection.at:%Y-%m-%d}")


def _schedules(leaving: _Leaving) -> Iterator[Open]:
    """Yield what goes out at a time, or was held back, because the one before put it on the schedule or approved it."""
    approved = exists(
        select(StatementRow.id).where(
            StatementRow.manifest == ScheduleRow.manifest,
            StatementRow.act == "approve",
            StatementRow.person == leaving.before,
            StatementRow.role == leaving.row.role,
        )
    )
    query = _of_proposals(ScheduleRow, ScheduleRow.proposal, or_(ScheduleRow.person == leaving.before, approved))
    for planned in leaving.session.exec(query.where(col(ProposalRow.state).in_(("scheduled", "suspended")))):
        yield Open("schedule", f"proposal-{planned.proposal}", f"{planned.at:%Y-%m-%d %H:%M}")


def _of_proposals(table: type[_Row], number: Any, *conditions: Any) -> SelectOfScalar[_Row]:
    return select(table).where(number == ProposalRow.number, *conditions).order_by(number).limit(MOST + 1)


def _releases(leaving: _Leaving) -> Iterator[Open]:
    """Yield the break-glass releases that people who approve are still to review."""
    for one in emergency.pending(leaving.plane, leaving.session):
        yield Open("release", f"release-{one.channel}-{one.release}", f"{one.due:%Y-%m-%d}")


def _entries(leaving: _Leaving) -> Iterator[Open]:
    """Yield the live entries of this role that are due for a review while the grant lasts."""
    until = f"{leaving.row.until:%Y-%m-%d}"
    for channel in leaving.plane.settings.channels:
        manifest, digest = live_manifest(leaving.session, channel)
        for volume in shelf_of(leaving.session, manifest, digest).volumes:
            if volume.card.owner == leaving.row.role and "" < volume.card.review_by < until:
                yield Open(volume.entry.kind, volume.entry.name, volume.card.review_by)


def _delegations(leaving: _Leaving) -> Iterator[Open]:
    """Yield the delegations of this role that the one before gave, which go with them, or holds for somebody else."""
    query = select(GrantRow).where(
        GrantRow.role == leaving.row.role,
        GrantRow.behalf != "",
        GrantRow.until > leaving.plane.now(),
        col(GrantRow.ended).is_(None),
        or_(GrantRow.behalf == leaving.before, GrantRow.person == leaving.before),
    )
    for one in leaving.session.exec(query.order_by(GrantRow.id).limit(MOST + 1)):
        yield Open("delegation", one.id, f"{one.until:%Y-%m-%d}")


_SOURCES: tuple[Callable[[_Leaving], Iterator[Open]], ...] = (
    _approvals,
    _delegations,
    _entries,
    _objections,
    _releases,
    _requests,
    _schedules,
)
"""Where open things are looked for."""
