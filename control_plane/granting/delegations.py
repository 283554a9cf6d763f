"""Delegations: somebody who is away lets another person act in a role of theirs, for that time, signed by themselves.

Promises: only a grant of one's own can be delegated, so never twice removed; to somebody eligible for the role, and not
beyond the grant's end; meanwhile the absent person does not hold the role, so no mandate counts twice; whoever takes
part in a proposal, by themselves or through a delegate, approves none of it (see `require_distinct`).
Does not: end a delegation (see `grants.end`, which either of the two may).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from audit.record import Act, LeafObject, parse_leaf
from control_plane import db
from control_plane.accounts import people, rights, sessions
from control_plane.accounts.holdings import Holding
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.granting import terms
from control_plane.granting.grants import GrantRecord, Signed, log_grant, record
from control_plane.plane import ControlPlane
from control_plane.signing import Elsewhere, auth_of, key_of
from control_plane.tables.accounts import GrantRow
from control_plane.tables.registry import LeafRow, StatementRow
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument

__all__ = ["delegate", "require_distinct"]

MAX_DAYS = 56


def delegate(
    plane: ControlPlane,
    actor: str,
    *,
    person: str,
    role: str,
    until: datetime,
    reason: str,
    passphrase: str | Elsewhere,
    since: datetime | None = None,
) -> GrantRecord:
    """Let another person act in a role of one's own while one is away.

    Args:
        plane: the control plane.
        actor: person id of who will be away.
        person: login or id of the delegate.
        role: the role.
        until: when the delegation ends.
        reason: why, in the actor's words.
        passphrase: theirs; or what they signed where their own key is.
        since: when it begins; None: now.

    Raises:
        NotFound: there is no such person.
        Refused: the actor does not hold the role by a grant of their own that lasts so long, or gave a wrong
            passphrase; the delegate is not eligible for it, or is the actor.
        InvalidDocument: a role that is not granted, no reason, or a time that ends before it begins.
        Conflict: the role is delegated already for a part of that time.
    """
    rights.require_reason(reason)
    begins = since or plane.now()
    if role not in APPROVING or not _is_to_come(plane.now(), begins, until):
        raise InvalidDocument(
            f"expected a role in which people approve, and a time of up to {MAX_DAYS} days that begins within as many"
        )
    attempt = Attempt("delegate", LeafObject("person", actor))
    rights.require_scope(plane, actor, attempt=attempt)
    with db.read(plane.engine) as session:
        mine, theirs = rights.find_row(session, actor), rights.find_row(session, person)
        to, first = theirs.id, mine.roles[0]
        eligible = theirs.retired is None and role in theirs.roles
        covered = _own_grant(session, mine.id, role, since=begins, until=until) is not None
    if not covered:
        wanted = f"expected somebody whose own grant as {role} lasts for that time, got another"
        rights.refuse(plane, actor, attempt, role=first, message=wanted, hint="what was delegated is not delegated on")
    if not eligible or to == actor:
        raise Refused(f"expected another person, eligible as {role}, to delegate to, got one who is not")
    key = key_of(plane, actor, passphrase, use="delegate")
    with rights.acting(plane, actor) as session:
        new = terms.fresh(plane, session, key, mark="d-")
        begins = since or new.at
        rights.require_here(rights.find_row(session, to))
        if _own_grant(session, actor, role, since=begins, until=until) is None:
            raise Refused("expected a grant that is still in force, got one that ended meanwhile")
        if _overlaps(session, actor, role, since=begins, until=until):
            raise Conflict("expected a time for which the role is not delegated yet, got one that overlaps")
        row = GrantRow(
            id=new.id, person=to, role=role, behalf=actor, since=begins, until=until, envelope={}, at=plane.now()
        )
        said = terms.said_by(plane, reason, key)
        terms.put(plane, session, row, given=key, by=actor, said=said)
        signed = Signed(Act.ROLE_DELEGATED, actor, auth_of(passphrase), said)
        row.granted = log_grant(plane, session, row, signed=signed)
        sessions.end_all_of(session, to)
        session.flush()
        return record(row, plane.now(), people.keyring(session))


def _is_to_come(now: datetime, begins: datetime, until: datetime) -> bool:
    longest = timedelta(days=MAX_DAYS)
    return now <= begins <= now + longest and begins < until <= begins + longest


def require_distinct(session: Session, manifest: str, held: Holding, *, proposal: int, excluded: Iterable[str]) -> None:
    """Refuse a verdict on a manifest by somebody whose mandate is used up, or is that of an author.

    Args:
        session: the transaction of the verdict.
        manifest: digest of what is decided about.
        held: how the person holds the role in which they sign.
        proposal: number of the one that has it: what was signed of the same manifest elsewhere does not count here.
        excluded: who wrote it: an author approves neither by themselves nor through a delegate.

    Raises:
        Refused: the absent person wrote it, signed it, or another of their delegates did; or this person's did.
    """
    if held.behalf and held.behalf in set(excluded):
        raise Refused("expected a delegate of somebody who did not write it, got an author's")
    signed = select(StatementRow.person, LeafRow.data).where(
        StatementRow.leaf == LeafRow.seq,
        StatementRow.proposal == proposal,
        StatementRow.manifest == manifest,
        col(StatementRow.act).in_(("approve", "reject")),
    )
    used = {name for person, data in session.exec(signed) for name in (person, parse_leaf(data).actor.behalf) if name}
    mine = {held.person, held.behalf} - {""}
    if used & mine:
        raise Refused("expected one signature for each person, their own or their delegate's, got a second one")


def _own_grant(session: Session, person: str, role: str, *, since: datetime, until: datetime) -> GrantRow | None:
    query = select(GrantRow).where(
        GrantRow.person == person,
        GrantRow.role == role,
        GrantRow.behalf == "",
        GrantRow.since <= since,
        GrantRow.until >= until,
        col(GrantRow.granted).is_not(None),
        col(GrantRow.ended).is_(None),
        or_(GrantRow.previous == "", col(GrantRow.handed_over).is_not(None)),
    )
    return session.exec(query).first()


def _overlaps(session: Session, person: str, role: str, *, since: datetime, until: datetime) -> bool:
    query = select(GrantRow.id).where(
        GrantRow.behalf == person,
        GrantRow.role == role,
        GrantRow.since < until,
        GrantRow.until > since,
        col(GrantRow.ended).is_(None),
    )
    return session.exec(query).first() is not None
