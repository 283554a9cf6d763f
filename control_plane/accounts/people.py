"""People: pseudonymous ids, logins, eligible roles.

Promises: ids tell nothing about the person; nobody is ever removed from the keyring.
Does not: open keys (see `passphrases`), know tokens (see `tokens`), or keep display names in clear (see `texts`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, select

from audit.record import Act, Auth, LeafObject, Retention
from control_plane import db, ledger, texts
from control_plane.accounts import invitations, passphrases, rights
from control_plane.accounts.holdings import enrolment_digest, first_grants, holding
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import key_digest
from control_plane.errors import Conflict
from control_plane.plane import ControlPlane
from control_plane.tables.accounts import GrantRow, KeyRow
from control_plane.tables.registry import PersonRow
from control_plane.texts.sealing import add_key
from edge_runtime.core import approval, dsse
from edge_runtime.core.approval import APPROVING, NOT_APPROVING
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "ROLES",
    "Enrolled",
    "HeldRole",
    "Holds",
    "NewPerson",
    "OwnKey",
    "Person",
    "enrol",
    "find_person",
    "held_roles",
    "holds_of",
    "keyring",
    "list_people",
    "new_id",
    "sees_all",
    "shown",
]

ROLES = tuple(sorted((*APPROVING, *NOT_APPROVING)))


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the console shows them; `locked` after too many wrong passphrases, `left` for good."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    custody: str
    locked: bool
    left: bool = False


@dataclass(frozen=True, slots=True)
class Holds:
    """A role that somebody holds now: for whom ("" for themselves), until when (None while they are enrolled)."""

    role: str
    behalf: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person holds now, with the person."""

    person: str
    role: str
    behalf: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The key that somebody keeps themselves from the beginning, made for the person id that they chose."""

    person: str
    public: bytes


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom to enrol: login, display name, eligible roles; a key of their own if they come with one."""

    login: str
    name: str
    roles: tuple[str, ...]
    own: OwnKey | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Whom an administrator enrolled, and the code with which they enrol their key: it is shown this once."""

    person: Person
    code: str = field(repr=False)


def enrol(plane: ControlPlane, new: NewPerson, *, actor: str) -> Enrolled:
    """Enrol a person as an administrator, without a key: they alone choose their first passphrase, with the code.

    They are eligible for their roles: two other people grant what takes a grant.

    Raises:
        Conflict: the login is taken.
        InvalidDocument: unknown roles, or no name.
        Refused: the actor is not an administrator.
    """
    rights.require_role(plane, actor, ("administrator",), attempt=Attempt("enrol", LeafObject("person"), Auth.TOKEN))
    row = _new_row(plane, new)
    with rights.acting(plane, actor, "administrator") as session:
        _add(plane, session, row, name=new.name, first=(), actor=actor)
        code = invitations.make_code(plane, session, row.id, purpose=invitations.NEW_KEY, by=actor, auth=Auth.TOKEN)
        return Enrolled(_record(row, new.name, plane.now()), code)


def enrol_all(plane: ControlPlane, people: Iterable[tuple[NewPerson, str]]) -> tuple[Person, ...]:
    """Enrol people as the installation, in the ceremony that it begins with, each with a key under their passphrase.

    They hold their roles for the first period. Who comes with a key of their own has no passphrase here.

    Raises:
        Conflict: a login is taken.
        InvalidDocument: unknown roles, no name, or a passphrase of fewer than 8 characters.
    """
    rows = [(_new_row(plane, new, passphrase), new.name) for new, passphrase in people]
    with ledger.act(plane) as session:
        for row, name in rows:
            _add(plane, session, row, name=name, first=first_grants(row))
        session.flush()
        return tuple(_record(row, name, plane.now()) for row, name in rows)


def _add(
    plane: ControlPlane, session: Session, row: PersonRow, *, name: str, first: Sequence[GrantRow], actor: str = ""
) -> None:
    """Store somebody new with the grants that come along, in the caller's transaction."""
    if session.exec(select(PersonRow.id).where(PersonRow.login == row.login)).first():
        raise Conflict(f"expected a login that is free, got {row.login!r}")
    session.add(row)
    session.flush()
    add_key(plane, session, row.id, retention=Retention.GOVERNANCE, name=name)
    event = ledger.Event(
        Act.PERSON_ENROLLED,
        actor=actor or ledger.SYSTEM,
        role="administrator" if actor else ledger.SYSTEM,
        auth=Auth.TOKEN if actor else Auth.SYSTEM,
        target=LeafObject("person", row.id, key_digest(row.public_key)),
        after=enrolment_digest(row, first),
    )
    seq = ledger.append(plane, session, event)
    for grant in first:
        grant.granted = seq
        session.add(grant)


def new_id() -> str:
    """Return a new person id."""
    return "p-" + secrets.token_hex(6)


def _new_row(plane: ControlPlane, new: NewPerson, passphrase: str | None = None) -> PersonRow:
    unknown = set(new.roles) - set(ROLES)
    if unknown or not new.roles or not new.name.strip() or len(new.name) > 120 or not new.name.isprintable():
        raise InvalidDocument(f"expected a name that can be read, and roles out of {', '.join(ROLES)}")
    if not (new.login.isascii() and new.login.isidentifier() and new.login.islower()) or len(new.login) > 40:
        raise InvalidDocument("expected a login of lower-case letters, digits and underscores")
    identity, public = (new.own.person, new.own.public) if new.own else (new_id(), b"")
    sealed: dict[str, str | int] = {}
    if passphrase is not None and not new.own:
        key, sealed = passphrases.new_key(plane, passphrase, identity=identity)
        public = dsse.public_bytes(key)
    return PersonRow(
        id=identity,
        login=new.login,
        roles=sorted(new.roles),
        custody="own" if new.own else "server",
        public_key=public,
        sealed_key=sealed,
        at=plane.now(),
    )


def find_person(plane: ControlPlane, login_or_id: str) -> Person:
    """Return the person of that login or id.

    Raises:
        NotFound: there is none.
    """
    with db.read(plane.engine) as session:
        return shown(plane, session, rights.find_row(session, login_or_id))


def list_people(plane: ControlPlane) -> tuple[Person, ...]:
    """Return everybody, by login."""
    with db.read(plane.engine) as session:
        names = texts.display_names(session, plane)
        rows = session.exec(select(PersonRow).order_by(PersonRow.login))
        return tuple(_record(row, names.get(row.id, ""), plane.now()) for row in rows)


def sees_all(plane: ControlPlane, person: str) -> bool:
    """Return whether somebody may see everybody's tokens and sessions, or their own alone."""
    return person == ledger.SYSTEM or "administrator" in find_person(plane, person).roles


def holds_of(plane: ControlPlane, login_or_id: str) -> tuple[Holds, ...]:
    """Return the roles that a person holds now, and for whom if somebody delegated one.

    Raises:
        NotFound: there is no such person.
    """
    with db.read(plane.engine) as session:
        return _holds(plane, session, rights.find_row(session, login_or_id))


def held_roles(plane: ControlPlane) -> tuple[HeldRole, ...]:
    """Return who holds which role now, by login."""
    with db.read(plane.engine) as session:
        rows = session.exec(select(PersonRow).order_by(PersonRow.login)).all()
        return tuple(
            HeldRole(row.id, one.role, one.behalf, one.until) for row in rows for one in _holds(plane, session, row)
        )


def _holds(plane: ControlPlane, session: Session, row: PersonRow) -> tuple[Holds, ...]:
    found = [holding(session, row, role, now=plane.now()) for role in row.roles]
    untils = {grant: session.get(GrantRow, grant) for grant in (one.grant for one in found if one and one.grant)}
    return tuple(
        Holds(one.role, one.behalf, held.until if (held := untils.get(one.grant)) else None) for one in found if one
    )


def keyring(session: Session) -> dict[str, approval.Person]:
    """Return the people whose signatures count, as the trust file lists them, with every key that they ever had.

    Nobody is ever removed: a release carries the statements of people who left.
    """
    others: dict[str, list[approval.OtherKey]] = {}
    for key in session.exec(select(KeyRow).order_by(KeyRow.id)):
        others.setdefault(key.person, []).append(approval.OtherKey(key.public_key, key.custody, tuple(key.roles)))
    people = {}
    for row in session.exec(select(PersonRow).where(PersonRow.public_key != b"").order_by(PersonRow.id)):
        further = tuple(one for one in others.get(row.id, ()) if one.key != row.public_key)
        people[row.id] = approval.Person(row.id, row.public_key, row.custody, tuple(row.roles), further)
    return people


def shown(plane: ControlPlane, session: Session, row: PersonRow) -> Person:
    """Return the record of a row, with the display name if it is still known."""
    return _record(row, texts.display_names(session, plane, [row.id]).get(row.id, ""), plane.now())


def _record(row: PersonRow, name: str, now: datetime) -> Person:
    locked = row.locked_until is not None and row.locked_until > now
    return Person(row.id, row.login, name, tuple(row.roles), row.custody, locked, row.retired is not None)
