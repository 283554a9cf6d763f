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
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import passphrases, people, rights, sessions
from control_plane.accounts.holdings import Holding, holding
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import has_say, key_digest
from control_plane.accounts.tables import GrantRow
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry.tables import ClosureRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import APPROVING, Person
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.grants import Grant, add_signature, missing_signatures, open_grant, sign_grant, signers_of

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
    "require_reason",
    "require_signer",
    "role_of",
    "sign",
    "terms_of",
]

DEFAULT_DAYS = 56
PROPOSED_FOR = timedelta(days=14)
MAX_REASON = 2000
SIGNERS = ("administrator", *APPROVING)
"""Who may sign a grant, and end one: that a grant of theirs lapsed does not matter, but see `standing`."""


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


def propose(plane: ControlPlane, actor: str, making: Making, *, reason: str, passphrase: str) -> GrantRecord:
    """Sign a grant as the first of two people.

    Raises:
        NotFound: no such person or grant before.
        Refused: the actor may not sign it, or gave a wrong passphrase; whom it is for is not eligible for the role.
        InvalidDocument: a role that is not granted, no reason, or more days than the approval rules allow.
        Conflict: the grant before is not one of that role, or has a successor already.
    """
    require_reason(reason)
    with db.read(plane.engine) as session:
        person = rights.find_row(session, making.person)
        identity, most = person.id, grant_days(plane, session)
        eligible = person.roles if person.retired is None else ()
    if making.role not in APPROVING:
        raise InvalidDocument(f"expected a role out of {', '.join(APPROVING)}, got another")
    if not 0 <= making.days <= most:
        raise InvalidDocument(f"expected at most {most} days, as the approval rules say, got {making.days}")
    attempt = Attempt("grant", LeafObject("person", identity))
    require_signer(plane, actor, attempt=attempt, grantee=identity)
    if making.role not in eligible:
        raise Refused(f"expected somebody eligible as {making.role}, got one who is not")
    key = passphrases.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        _require_previous(session, making, person=identity)
        row = _new_row(plane, making, person=identity, days=making.days or most)
        envelope = sign_grant(terms_of(plane, row), key)
        row.digest, row.envelope = canonical.digest(envelope.payload), envelope.as_json()
        session.add(row)
        session.flush()
        log_grant(plane, session, row, signed=Signed(Act.ROLE_PROPOSED, actor, key, reason))
        return record(row, plane.now(), people.keyring(session))


def sign(plane: ControlPlane, actor: str, identity: str, *, digest: str, reason: str, passphrase: str) -> GrantRecord:
    """Sign a grant that somebody else signed before, having looked at what `digest` stands for; it is in force then.

    Raises:
        NotFound: there is no such grant.
        Refused: the actor may not sign it, signed it before, or gave a wrong passphrase; it waited for too long.
        Conflict: the digest is that of something else, or it is granted already.
    """
    require_reason(reason)
    with db.read(plane.engine) as session:
        whose = find_grant(session, identity).person
    require_signer(plane, actor, attempt=Attempt("grant", LeafObject("grant", identity)), grantee=whose)
    key = passphrases.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        row = find_grant(session, identity)
        _require_signable(row, plane.now(), digest)
        before = dsse.parse_envelope(row.envelope)
        if any(dsse.key_id(dsse.public_bytes(key)) == one for one, _ in before.signatures):
            raise Refused("expected a second person to sign, got the first one again")
        envelope, keyring = add_signature(before, key), people.keyring(session)
        row.envelope = envelope.as_json()
        lacking = missing_signatures(open_grant(envelope), signers_of(envelope, keyring), keyring)
        if lacking:
            raise Refused(f"expected signatures that make a grant, got some that lack {lacking}")
        row.granted = log_grant(plane, session, row, signed=Signed(Act.ROLE_GRANTED, actor, key, reason))
        sessions.end_all_of(session, row.person)
        session.flush()
        return record(row, plane.now(), keyring)


def end(plane: ControlPlane, actor: str, identity: str, *, reason: str, passphrase: str) -> GrantRecord:
    """End a grant or a delegation at once: one person is enough, since it takes a right away.

    Raises:
        NotFound: there is no such grant.
        Refused: it is not the actor's, nor may they sign one; or a wrong passphrase.
        Conflict: it ended before.
    """
    require_reason(reason)
    with db.read(plane.engine) as session:
        row = find_grant(session, identity)
        own = rights.find_row(session, actor).id in {row.person, row.behalf}
    attempt = Attempt("end-grant", LeafObject("grant", identity))
    if own:
        rights.require_scope(plane, actor, attempt=attempt)
    else:
        require_signer(plane, actor, attempt=attempt)
    key = passphrases.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        row, now = find_grant(session, identity), plane.now()
        if row.ended is not None or row.until <= now:
            raise Conflict("expected a grant that has not ended, got one that has")
        row.ended = log_grant(plane, session, row, signed=Signed(Act.ROLE_ENDED, actor, key, reason))
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
    from control_plane.registry.drafts import live_manifest

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
    """An act about a grant, by whom, with which key, and why."""

    act: Act
    actor: str
    key: Ed25519PrivateKey
    reason: str


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


def _new_row(plane: ControlPlane, making: Making, *, person: str, days: int) -> GrantRow:
    now = plane.now()
    since = making.since or now
    if since < now:
        raise InvalidDocument("expected a beginning that is not past, got one that is")
    return GrantRow(
        id="g-" + secrets.token_hex(6),
        person=person,
        role=making.role,
        previous=making.previous,
        since=since,
        until=since + timedelta(days=days),
        envelope={},
        at=now,
    )


def terms_of(plane: ControlPlane, row: GrantRow) -> Grant:
    """Return what is signed about a grant."""
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (row.since, row.until))
    return Grant(row.id, plane.organisation, row.person, row.role, since, until, row.behalf, row.previous)


def log_grant(plane: ControlPlane, session: Session, row: GrantRow, *, signed: Signed) -> int:
    """Append the entry of an act about a grant in the caller's transaction and return its index."""
    event = ledger.Event(
        signed.act,
        signed.actor,
        role_of(session, signed.actor),
        Auth.PASSPHRASE,
        LeafObject("grant", row.id, row.digest),
        key=key_digest(dsse.public_bytes(signed.key)),
        reason=texts.say(plane, signed.reason),
        behalf=row.person if signed.actor != row.person else "",
    )
    return ledger.append(plane, session, event)


def role_of(session: Session, person: str) -> str:
    """Return the role in which somebody signs a grant: as a keeper if they are one."""
    roles = rights.find_row(session, person).roles
    return next((role for role in SIGNERS if role in roles), roles[0])


def require_signer(plane: ControlPlane, actor: str, *, attempt: Attempt, grantee: str = "") -> None:
    """Refuse whoever may not end a grant, or sign one for `grantee`.

    Raises:
        NotFound: there is no such person.
        Refused: they may not; the log says that they tried.
    """
    rights.require_scope(plane, actor, attempt=attempt)
    with db.read(plane.engine) as session:
        row = rights.find_row(session, actor)
        identity, roles, say = row.id, tuple(row.roles), has_say(session, row)
    if not set(roles).intersection(SIGNERS):
        wanted = f"expected a person enrolled as {' or '.join(SIGNERS)}, got one who is not"
        rights.refuse(plane, identity, attempt, role=roles[0], message=wanted)
    if identity == grantee:
        rights.refuse(plane, identity, attempt, role=roles[0], message="expected others to grant it, got the grantee")
    if grantee and not say:
        wanted = "expected a person who was granted a role by two others, got one whom nobody granted any"
        hint = "whom an administrator enrolled, or gave a new key, signs grants once they hold a role themselves"
        rights.refuse(plane, identity, attempt, role=roles[0], message=wanted, hint=hint)


def require_reason(reason: str) -> None:
    """Refuse an act about a right without a reason.

    Raises:
        InvalidDocument: no reason, or one that is too long.
    """
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise InvalidDocument(f"expected a reason of 1 to {MAX_REASON} characters")


def _require_previous(session: Session, making: Making, *, person: str) -> None:
    if not making.previous:
        return
    before = find_grant(session, making.previous)
    if before.role != making.role or before.person == person or before.granted is None or before.behalf:
        raise Conflict("expected a grant of that role to somebody else before, got another")
    taken = select(GrantRow).where(GrantRow.previous == making.previous, col(GrantRow.ended).is_(None))
    if any(row.handed_over is not None for row in session.exec(taken)):
        raise Conflict("expected a grant that nobody has taken over yet, got one with a successor")


def _require_signable(row: GrantRow, now: datetime, digest: str) -> None:
    if row.granted is not None or row.behalf:
        raise Conflict("expected a grant that waits for a second signature, got another")
    if row.ended is not None or row.at + PROPOSED_FOR <= now or row.until <= now:
        raise Refused("expected a grant that still waits, got one that waited too long or was given up")
    if digest != row.digest:
        raise Conflict("expected the digest of this grant, got another", hint="look again: `mentorplane grant list`")


def find_grant(session: Session, identity: str) -> GrantRow:
    """Return the row of a grant.

    Raises:
        NotFound: there is none of that id.
    """
    row = session.get(GrantRow, identity)
    if row is None:
        raise NotFound("expected the id of a grant, got another")
    return row
