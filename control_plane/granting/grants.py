"""Grants: who holds a role in which people approve, from when to when, and who says so.

Two people sign a grant, neither of whom it is for, one of them an administrator or of compliance; it is in force from
the entry of the log that the second signature makes. Promises: nobody holds what they are not eligible for; a grant
ends by itself, 56 days after it began if nothing shorter is said and no longer than the approval rules allow; anybody
who may sign one, or whose it is, ends it alone; an approval that was given while it was in force still counts after.
Whose rights change signs in again.
Does not: delegate (see `delegations`), or decide who holds a role now (see `holdings`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import people, presence, rights, sessions
from control_plane.accounts.holdings import Holding, holding
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.signers import require_heard, require_signer, require_still, role_of
from control_plane.accounts.standing import key_digest
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.granting import terms
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.registry.live import live_manifest
from control_plane.signing import Elsewhere, auth_of, key_of
from control_plane.tables.accounts import GrantRow
from control_plane.tables.registry import ClosureRow
from edge_runtime.core import dsse
from edge_runtime.core.approval import APPROVING, Person
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.grants import add_signature, missing_signatures, open_grant, signers_of

__all__ = [
    "GrantRecord",
    "Making",
    "Signed",
    "end",
    "find_grant",
    "grant_days",
    "granted",
    "list_grants",
    "log_grant",
    "propose",
    "record",
    "require",
    "sign",
]

DEFAULT_DAYS = 56
PROPOSED_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as its list shows it.

    `state` is "proposed", "to-hand-over", "later", "in-force", "ended" or "expired"; `behalf` is the absent person of
    a delegation; `digest` is that of what is signed.
    """

    id: str
    person: str
    role: str
    state: str
    since: datetime
    until: datetime
    behalf: str
    previous: str
    digest: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Making:
    """A grant to make: who gets which role, from when (None: now) and for how many days (0: as long as may be).

    `previous` is the grant whose holder this one follows: it is in force once it is handed over.
    """

    person: str
    role: str
    since: datetime | None = None
    days: int = 0
    previous: str = ""


def propose(
    plane: ControlPlane, actor: str, making: Making, *, reason: str, passphrase: str | Elsewhere
) -> GrantRecord:
    """Sign a grant as the first of two people, with their passphrase or what they signed where their own key is.

    Raises:
        NotFound: no such person or grant before.
        Refused: the actor may not sign it, or gave a wrong passphrase; whom it is for is not eligible for the role.
        InvalidDocument: a role that is not granted, no reason, or more days than the approval rules allow.
        Conflict: the grant before is not one of that role, or has a successor already.
    """
    rights.require_reason(reason)
    with db.read(plane.engine) as session:
        identity = rights.find_row(session, making.person).id
        _days(plane, session, making)
    require_signer(plane, actor, attempt=Attempt("grant", LeafObject("person", identity)), grantee=identity)
    with db.read(plane.engine) as session:
        _require_eligible(session, identity, making.role)
    key = key_of(plane, actor, passphrase, use="grant")
    with rights.acting(plane, actor) as session:
        require_still(session, actor, grantee=identity)
        _require_eligible(session, identity, making.role)
        _require_previous(session, making, person=identity, now=plane.now())
        new = terms.fresh(plane, session, key, mark="g-")
        row = _new_row(plane, making, person=identity, days=_days(plane, session, making), new=new)
        said = terms.said_by(plane, reason, key)
        terms.put(plane, session, row, given=key, by=actor, said=said)
        log_grant(plane, session, row, signed=Signed(Act.ROLE_PROPOSED, actor, auth_of(passphrase), said))
        return record(row, plane.now(), people.keyring(session))


def sign(
    plane: ControlPlane, actor: str, identity: str, *, digest: str, reason: str, passphrase: str | Elsewhere
) -> GrantRecord:
    """Sign a grant that somebody else signed before, having looked at what `digest` stands for; it is in force then.

    Raises:
        NotFound: there is no such grant.
        Refused: the actor may not sign it, signed it before, or gave a wrong passphrase; it waited for too long; who
            signed first could not do so now, or has another key; it is longer than the approval rules allow by now.
        Conflict: the digest is that of something else, or it is granted already.
    """
    rights.require_reason(reason)
    with db.read(plane.engine) as session:
        whose = find_grant(session, identity).person
    require_signer(plane, actor, attempt=Attempt("grant", LeafObject("grant", identity)), grantee=whose)
    key = key_of(plane, actor, passphrase, use="grant")
    with rights.acting(plane, actor) as session:
        row, keyring = find_grant(session, identity), people.keyring(session)
        require_still(session, actor, grantee=whose)
        _require_signable(row, plane.now(), digest)
        _require_allowed(plane, session, row)
        before = dsse.parse_envelope(row.envelope)
        if actor in signers_of(before, keyring):
            raise Refused("expected a second person to sign, got the first one again")
        for first in signers_of(before, keyring):
            require_heard(session, first, before, grantee=whose)
        envelope = add_signature(before, terms.signed(session, open_grant(before), key, by=actor))
        row.envelope = envelope.as_json()
        lacking = missing_signatures(open_grant(envelope), signers_of(envelope, keyring), keyring)
        if lacking:
            raise Refused(f"expected signatures that make a grant, got some that lack {lacking}")
        said = terms.said_by(plane, reason, key)
        signed = Signed(Act.ROLE_GRANTED, actor, auth_of(passphrase), said)
        row.granted = log_grant(plane, session, row, signed=signed)
        sessions.end_all_of(session, row.person)
        session.flush()
        return record(row, plane.now(), keyring)


def end(plane: ControlPlane, actor: str, identity: str, *, reason: str, passphrase: str | Proof) -> GrantRecord:
    """End a grant or a delegation at once: one person is enough, since it takes a right away.

    They show that they are here by their passphrase, or by a proof for `doing("end-grant", identity)`.

    Raises:
        NotFound: there is no such grant.
        Refused: it is not the actor's, nor may they sign one; or a wrong passphrase or proof.
        Conflict: it ended before.
    """
    rights.require_reason(reason)
    with db.read(plane.engine) as session:
        row = find_grant(session, identity)
        own = rights.find_row(session, actor).id in {row.person, row.behalf}
    attempt = Attempt("end-grant", LeafObject("grant", identity))
    if own:
        rights.require_scope(plane, actor, attempt=attempt)
    else:
        require_signer(plane, actor, attempt=attempt)
    auth = presence.require(plane, actor, passphrase, purpose=doing("end-grant", identity))
    with rights.acting(plane, actor) as session:
        if not own:
            require_still(session, actor)
        row, now = find_grant(session, identity), plane.now()
        if row.ended is not None or row.until <= now:
            raise Conflict("expected a grant that has not ended, got one that has")
        signed = Signed(Act.ROLE_ENDED, actor, auth, texts.say(plane, reason))
        row.ended = log_grant(plane, session, row, signed=signed)
        row.ended_at = ledger.logged_at(session, row.ended)
        sessions.end_all_of(session, row.person)
        session.flush()
        return record(row, row.ended_at, people.keyring(session))


def list_grants(plane: ControlPlane, *, person: str = "", now_only: bool = False) -> tuple[GrantRecord, ...]:
    """Return grants and delegations, newest first: of a person by login or id, or everybody's; or those in force."""
    with db.read(plane.engine) as session:
        query = select(GrantRow).order_by(col(GrantRow.at).desc(), GrantRow.id)
        if person:
            query = query.where(GrantRow.person == rights.find_row(session, person).id)
        keyring, now = people.keyring(session), plane.now()
        found = [record(row, now, keyring) for row in session.exec(query)]
        return tuple(one for one in found if one.state == "in-force" or not now_only)


def granted(session: Session, person: str, role: str, *, at: datetime) -> bool:
    """Return whether somebody held a role at a moment."""
    return holding(session, rights.find_row(session, person), role, now=at) is not None


def require(session: Session, person: str, role: str, *, now: datetime) -> Holding:
    """Return how somebody holds a role now, inside the transaction of the act that asks.

    Raises:
        NotFound: there is no such person.
        Refused: they do not hold it, or not any more.
    """
    held = holding(session, rights.find_row(session, person), role, now=now)
    if held is None:
        raise Refused(
            f"expected a person who holds the role {role} now, got one who does not",
            hint="it was not granted, ended, or is delegated: `mentorplane grant list` says",
        )
    return held


def grant_days(plane: ControlPlane, session: Session) -> int:
    """Return for how many days a grant may be made: the least that the approval rules in force say, or 56."""
    found = [DEFAULT_DAYS]
    for channel in plane.settings.channels:
        manifest, _ = live_manifest(session, channel)
        for entry in manifest.entries if manifest else ():
            row = session.get(ClosureRow, entry.digest) if entry.kind == "approval-rules" else None
            said = json.loads(row.data).get("grant_days") if row else None
            found += [said] if isinstance(said, int) else []
    return min(found)


def record(row: GrantRow, now: datetime, keyring: dict[str, Person]) -> GrantRecord:
    """Return the record of a grant."""
    signers = signers_of(dsse.parse_envelope(row.envelope), keyring) if row.envelope else frozenset()
    return GrantRecord(
        id=row.id,
        person=row.person,
        role=row.role,
        state=_state(row, now),
        since=row.since,
        until=row.until,
        behalf=row.behalf,
        previous=row.previous,
        digest=row.digest,
        signers=tuple(sorted(signers)),
    )


@dataclass(frozen=True, slots=True)
class Signed:
    """An act about a grant: by whom, how they showed who they are, and why."""

    act: Act
    actor: str
    auth: Auth
    said: texts.Said


def _state(row: GrantRow, now: datetime) -> str:
    if row.ended_at is not None and row.ended_at <= now:
        return "ended"
    if row.granted is None:
        return "proposed" if row.at + PROPOSED_FOR > now else "expired"
    if row.until <= now:
        return "expired"
    if row.previous and row.handed_over is None:
        return "to-hand-over"
    return "in-force" if row.since <= now else "later"


def _days(plane: ControlPlane, session: Session, making: Making) -> int:
    """Return for how many days a grant is made.

    Raises:
        InvalidDocument: a role that is not granted, or more days than the approval rules allow.
    """
    most = grant_days(plane, session)
    if making.role not in APPROVING:
        raise InvalidDocument(f"expected a role out of {', '.join(APPROVING)}, got another")
    if not 0 <= making.days <= most:
        raise InvalidDocument(f"expected at most {most} days, as the approval rules say, got {making.days}")
    return making.days or most


def _require_eligible(session: Session, person: str, role: str) -> None:
    row = rights.find_row(session, person)
    if role not in row.roles or row.retired is not None:
        raise Refused(f"expected somebody eligible as {role}, got one who is not")


def _new_row(plane: ControlPlane, making: Making, *, person: str, days: int, new: terms.Fresh) -> GrantRow:
    now = plane.now()
    since = making.since or new.at
    if not min(now, new.at) <= since <= now + timedelta(days=days):
        raise InvalidDocument(
            f"expected a beginning that is not past, and within the {days} days that it lasts, got another",
            hint="the next term is signed while the one before it runs",
        )
    return GrantRow(
        id=new.id,
        person=person,
        role=making.role,
        previous=making.previous,
        since=since,
        until=since + timedelta(days=days),
        envelope={},
        at=now,
    )


def log_grant(plane: ControlPlane, session: Session, row: GrantRow, *, signed: Signed) -> int:
    """Append the entry of an act about a grant in the caller's transaction and return its index."""
    event = ledger.Event(
        signed.act,
        signed.actor,
        role_of(session, signed.actor),
        signed.auth,
        LeafObject("grant", row.id, row.digest),
        key=key_digest(rights.find_row(session, signed.actor).public_key),
        reason=signed.said,
        behalf=row.person if signed.actor != row.person else "",
    )
    return ledger.append(plane, session, event)


def _require_previous(session: Session, making: Making, *, person: str, now: datetime) -> None:
    if not making.previous:
        return
    before = find_grant(session, making.previous)
    if before.role != making.role or before.person == person or before.granted is None or before.behalf:
        raise Conflict("expected a grant of that role to somebody else before, got another")
    named = select(GrantRow).where(GrantRow.previous == making.previous, col(GrantRow.ended).is_(None))
    if any(row.handed_over is not None or _state(row, now) != "expired" for row in session.exec(named)):
        raise Conflict(
            "expected a grant that has no successor yet, got one with one",
            hint="`grant list` names the grant that follows; end it to name somebody else",
        )


def _require_signable(row: GrantRow, now: datetime, digest: str) -> None:
    if row.granted is not None or row.behalf:
        raise Conflict("expected a grant that waits for a second signature, got another")
    if row.ended is not None or row.at + PROPOSED_FOR <= now or row.until <= now:
        raise Refused("expected a grant that still waits, got one that waited too long or was given up")
    if digest != row.digest:
        raise Conflict("expected the digest of this grant, got another", hint="look again: `mentorplane grant list`")


def _require_allowed(plane: ControlPlane, session: Session, row: GrantRow) -> None:
    """Refuse a grant that could not be proposed any more: to whom it is, and for how long."""
    _require_eligible(session, row.person, row.role)
    if row.until - row.since > timedelta(days=grant_days(plane, session)):
        raise Refused("expected a grant of as many days as the approval rules allow by now, got a longer one")


def find_grant(session: Session, identity: str) -> GrantRow:
    """Return the row of a grant.

    Raises:
        NotFound: there is none of that id.
    """
    row = session.get(GrantRow, identity)
    if row is None:
        raise NotFound("expected the id of a grant, got another")
    return row
