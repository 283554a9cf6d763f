"""Who may do what: roles and scopes, and the entry that an attempt without the right leaves in the log.

Promises: whoever attempts an act without the role for it, or through a token that is not good for it, is refused, and
the log says who, what, through which door and how they had authenticated; nothing else changed. Repeating it fills no
log: the same attempt is logged once a minute, and of one person at most ten different ones. What is asked before an act
is asked again in its transaction (`acting`): nobody acts with a right that ended in between. A role in which people
approve counts while it is granted (see `grants`), the others while somebody is enrolled with them. A machine acts as
an author at most, whatever its responsible person may do.
Does not: count wrong passphrases (see `passphrases`), or decide about quorums (see `reviewing.review`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlmodel import Session, col, or_, select

from audit.record import Act, Auth, LeafObject, parse_leaf
from control_plane import db, ledger
from control_plane.accounts.holdings import holding
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.scopes import OF_MACHINES, Scope, scope_of
from control_plane.tables.accounts import SessionRow, TokenRow
from control_plane.tables.registry import LeafRow, PersonRow
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "MAX_REASON_LENGTH",
    "PARTICIPANT",
    "Attempt",
    "acting",
    "find_row",
    "log_refusal",
    "part_of",
    "refuse",
    "require_eligible",
    "require_here",
    "require_owner",
    "require_part",
    "require_reader",
    "require_reason",
    "require_role",
    "require_scope",
    "require_still",
]

MAX_REASON_LENGTH = 2000
MOST_PER_MINUTE = 10
"""Entries about refused attempts of one person."""
_LEFT = "expected somebody who is here, got one who has left"
ROLES_OF_MACHINES = ("author",)
PARTICIPANT = "participant"
"""Of whom has several roles, and acts in none of them: takes no role to do, and nobody said one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody is about to do: a word for it, to what, and how they had authenticated.

    Without `auth` they had a token if the door knows one, and nothing otherwise.
    """

    code: str
    target: LeafObject
    auth: Auth | None = None
    manifest: str = ""
    behalf: str = ""


def require_role(
    plane: ControlPlane, person: str, roles: Sequence[str], *, attempt: Attempt, chosen: str | None = None
) -> str:
    """Return the first of these roles that the person holds now.

    Where it says in which role somebody acts, `chosen` is what they named, "" for the only one that fits.

    Raises:
        NotFound: there is no such person.
        Refused: they hold none, or not the chosen one, or their token is not good for it; the log says that they tried.
        InvalidDocument: the chosen role is none of these, or several fit and they named none.
    """
    roles = _wanted(roles, chosen)
    require_scope(plane, person, attempt=attempt)
    machine = bool(plane.acting and plane.acting.machine)
    with db.read(plane.engine) as session:
        row = find_row(session, person)
        good = [role for role in roles if not machine or role in ROLES_OF_MACHINES]
        held = [role for role in good if holding(session, row, role, now=plane.now()) is not None]
        identity, other = row.id, (row.roles or ["none"])[0]
        lapsed = not held and any(role in row.roles for role in roles) and not machine
    if not held:
        wanted = f"expected a person with the role {' or '.join(roles)}, got one without"
        hint = "the role was not granted, or the grant ended: `mentorplane grant list` says" if lapsed else ""
        refuse(plane, identity, attempt, role=other, message=wanted, hint=hint)
    return _one(held, chosen)


def require_reader(plane: ControlPlane, person: str, roles: Sequence[str], *, attempt: Attempt) -> None:
    """Refuse what people of these roles alone may see; whoever works on the home itself has what is in it.

    Raises: as for `require_role`.
    """
    if person != ledger.SYSTEM:
        require_role(plane, person, roles, attempt=attempt)


def require_eligible(plane: ControlPlane, person: str, roles: Sequence[str], *, attempt: Attempt, chosen: str) -> str:
    """Return the one of these roles that the person named, or the only one that they are enrolled with.

    For what can only tighten: a grant that ended takes it from nobody. Those that they hold now come before the others.

    Raises:
        NotFound: there is no such person.
        Refused: they are enrolled with none, or not with the chosen one, or their token is not good for it; the log
            says that they tried.
        InvalidDocument: the chosen role is none of these, or several fit and they named none.
    """
    roles = _wanted(roles, chosen)
    require_scope(plane, person, attempt=attempt)
    with db.read(plane.engine) as session:
        row = find_row(session, person)
        now = plane.now()
        good = [role for role in roles if role in row.roles]
        good = [role for role in good if holding(session, row, role, now=now) is not None] or good
        identity, other = row.id, (row.roles or ["none"])[0]
    if not good:
        wanted = f"expected a person enrolled as {' or '.join(roles)}, got one who is not"
        refuse(plane, identity, attempt, role=other, message=wanted)
    return _one(good, chosen)


def _wanted(roles: Sequence[str], chosen: str | None) -> Sequence[str]:
    if chosen and chosen not in roles:
        raise InvalidDocument(f"expected a role out of {', '.join(roles)}, got another")
    return [chosen] if chosen else roles


def _one(fitting: Sequence[str], chosen: str | None) -> str:
    """Return the role in which somebody acts: the server chooses none for them."""
    if chosen == "" and len(fitting) > 1:
        raise InvalidDocument(
            f"expected the role in which you act, got none, and several fit: {', '.join(fitting)}", hint="name one"
        )
    return fitting[0]


def require_owner(plane: ControlPlane, actor: str, whose: str, *, attempt: Attempt) -> str:
    """Return in which role somebody does it: an administrator to what is another's; "" to their own, which takes none.

    Raises: as for `require_role`.
    """
    with db.read(plane.engine) as session:
        own = find_row(session, actor).id == whose
    if not own:
        return require_role(plane, actor, ("administrator",), attempt=attempt)
    require_scope(plane, actor, attempt=attempt)
    return ""


def require_scope(plane: ControlPlane, person: str, *, attempt: Attempt) -> None:
    """Refuse whoever has left, and what the token behind the request is not good for, if there is one.

    Raises:
        NotFound: there is no such person.
        Refused: the scope is missing, or the request is somebody else's; the log says that they tried.
    """
    acting = plane.acting
    with db.read(plane.engine) as session:
        row = find_row(session, person)
        identity, role, retired = row.id, (row.roles or ["none"])[0], row.retired is not None
    if retired:
        refuse(plane, identity, attempt, role=role, message=_LEFT)
    if acting is None:
        return
    scope = scope_of(attempt.code)
    if acting.person != identity:
        refuse(plane, identity, attempt, role=role, message="expected the person behind the request, got another")
    if acting.machine and scope not in OF_MACHINES:
        message = "expected a person to do this, got a machine: its tokens propose, check and comment"
        refuse(plane, identity, attempt, role=role, message=message)
    if not acting.allows(scope):
        wanted = f"the scope {scope}" if scope else f"every scope of {', '.join(Scope)}"
        refuse(plane, identity, attempt, role=role, message=f"expected a token with {wanted}, got one without")


def require_part(plane: ControlPlane, person: str, *, attempt: Attempt) -> str:
    """Return in which role somebody does what everybody does who takes part: auditors read, and change nothing.

    That is the only role that they have; of whom has several nobody chooses one, and the log says `PARTICIPANT`.

    Raises:
        NotFound: there is no such person.
        Refused: auditing is all they do, or their token is not good for it; the log says that they tried.
    """
    require_scope(plane, person, attempt=attempt)
    with db.read(plane.engine) as session:
        row = find_row(session, person)
        identity, roles = row.id, tuple(row.roles)
    if set(roles) <= {"auditor"}:
        refuse(plane, identity, attempt, role="auditor", message="expected somebody who takes part, got an auditor")
    return part_of(plane, roles)


def part_of(plane: ControlPlane, roles: Sequence[str]) -> str:
    """Return the role in which whoever has these takes part: see `require_part`."""
    machine = bool(plane.acting and plane.acting.machine)
    fitting = ROLES_OF_MACHINES if machine else roles
    return fitting[0] if len(fitting) == 1 else PARTICIPANT


def refuse(plane: ControlPlane, person: str, attempt: Attempt, *, role: str, message: str, hint: str = "") -> NoReturn:
    """Log that an act was refused, in a transaction of its own, and refuse it.

    Raises:
        Refused: always.
    """
    log_refusal(plane, person, attempt, role=role)
    raise Refused(message, hint=hint)


def log_refusal(plane: ControlPlane, person: str, attempt: Attempt, *, role: str) -> None:
    """Log that an act was refused, in a transaction of its own, unless the log has enough of it for this minute."""
    event = ledger.Event(
        Act.REFUSED,
        person,
        role,
        attempt.auth or (Auth.TOKEN if plane.token else Auth.NONE),
        attempt.target,
        manifest=attempt.manifest,
        behalf=attempt.behalf,
        code=attempt.code,
    )
    with ledger.act(plane) as session:
        if not _is_enough(session, event, minute=plane.now().replace(second=0)):
            ledger.append(plane, session, event)


def _is_enough(session: Session, event: ledger.Event, *, minute: datetime) -> bool:
    refused = select(LeafRow.data).where(LeafRow.act == str(Act.REFUSED), LeafRow.actor == event.actor)
    since = refused.where(LeafRow.at >= minute).order_by(col(LeafRow.seq).desc()).limit(MOST_PER_MINUTE)
    known = [parse_leaf(data) for data in session.exec(since)]
    same = (event.code, event.target.kind, event.target.name, event.behalf)
    said = {(one.reason.code, one.object.kind, one.object.name, one.actor.behalf) for one in known}
    return len(known) >= MOST_PER_MINUTE or same in said


@contextmanager
def acting(plane: ControlPlane, person: str, role: str = "", *, eligible: bool = False) -> Iterator[Session]:
    """Carry out an act of somebody's, as `ledger.act` does, if they may still do it: asked in the transaction itself.

    The functions above ask before, when nobody waits yet for a key to open; between the two somebody else may have
    acted. Raises: as for `require_still`.
    """
    with ledger.act(plane) as session:
        require_still(plane, session, person, role=role, eligible=eligible)
        yield session


def require_still(
    plane: ControlPlane, session: Session, person: str, *, role: str = "", eligible: bool = False
) -> None:
    """Refuse who lost the right to an act since they were asked, in the transaction that carries it out.

    Args:
        plane: the control plane, with the token or session behind the request, if there is one.
        session: the transaction.
        person: who acts.
        role: in which role, "" where it takes none.
        eligible: whether being enrolled with the role is enough.

    Raises:
        NotFound: there is no such person.
        Refused: they left, do not hold the role any more, or the token was revoked or the session ended.
    """
    row = find_row(session, person)
    if row.retired is not None:
        raise Refused(_LEFT)
    if role and not (role in row.roles if eligible else holding(session, row, role, now=plane.now())):
        raise Refused(f"expected a person who holds the role {role} still, got one who does not")
    digest = plane.token.removeprefix("sha256:")
    if digest:
        token = session.get(TokenRow, digest)
        if session.get(SessionRow, digest) is None if token is None else token.revoked_at is not None:
            raise Refused("expected a token or session that is still good, got one that was ended meanwhile")


def require_here(row: PersonRow) -> None:
    """Refuse what is for people who are here.

    Raises:
        Conflict: this one has left.
    """
    if row.retired is not None:
        raise Conflict(_LEFT, hint="whoever comes back is enrolled anew")


def find_row(session: Session, login_or_id: str) -> PersonRow:
    """Return the row of the person of that login or id.

    Raises:
        NotFound: there is none.
    """
    query = select(PersonRow).where(or_(PersonRow.id == login_or_id, PersonRow.login == login_or_id))
    row = session.exec(query).first()
    if row is None:
        raise NotFound("expected the login or id of a person, got another")
    return row


def require_reason(reason: str) -> None:
    """Refuse an act without a reason.

    Raises:
        InvalidDocument: no reason, or one that is too long.
    """
    if not 0 < len(reason.strip()) <= MAX_REASON_LENGTH:
        raise InvalidDocument(f"expected a reason of 1 to {MAX_REASON_LENGTH} characters")
