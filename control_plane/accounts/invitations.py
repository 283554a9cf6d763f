"""Invitations: a code that is good once, for one purpose: to enrol a key, or to link an account of the provider.

Promises: stored hashed; a new one for the same person and purpose ends the one before; the log says who made it. An
administrator makes one for a new key, good for a week. One that links an account is made by the person whose account it
is, with their passphrase or own key, and is good for ten minutes: whoever could link for somebody else could act as
them. Does not: send it anywhere, least of all to an address.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlmodel import Session, col, delete

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import has_key
from control_plane.accounts.tables import InvitationRow
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.purposes import LINKING
from control_plane.registry.tables import PersonRow
from edge_runtime.core.errors import InvalidDocument

__all__ = ["LINKING", "NEW_KEY", "SIGN_ON", "invite", "look_up", "make_code", "redeem"]

NEW_KEY, SIGN_ON = "new-key", "sign-on"
"""To enrol a first key, or a new one after the one before was retired; to link the identity provider's account."""
PURPOSES = {NEW_KEY: timedelta(days=7), SIGN_ON: timedelta(minutes=10)}
"""How long a code is good."""


def invite(plane: ControlPlane, actor: str, person: str, *, purpose: str, present: str | Proof) -> str:
    """Return a code for a person: as an administrator for a new key, as the person themselves to link their account.

    Raises:
        NotFound: there is no such person.
        Refused: the actor is no administrator, or invites themselves; or is another than whose account is linked; or a
            wrong passphrase or proof.
        InvalidDocument: an unknown purpose.
        Conflict: a new key for somebody whose present one is not retired.
    """
    if purpose not in PURPOSES:
        raise InvalidDocument(f"expected a purpose out of {', '.join(PURPOSES)}, got another")
    with db.read(plane.engine) as session:
        whose, by = rights.find_row(session, person).id, rights.find_row(session, actor)
    auth = _own(plane, by, whose, given=present) if purpose == SIGN_ON else _anew(plane, by, whose, given=present)
    with ledger.act(plane) as session:
        return make_code(plane, session, whose, purpose=purpose, by=actor, auth=auth)


def _anew(plane: ControlPlane, by: PersonRow, whose: str, *, given: str | Proof) -> Auth:
    """Return how an administrator showed that they are here, who lets somebody else enrol a key."""
    attempt = Attempt("invite", LeafObject("person", whose))
    role = rights.require_role(plane, by.id, ("administrator",), attempt=attempt)
    if whose == by.id:
        rights.refuse(
            plane, by.id, attempt, role=role, message="expected an invitation for somebody else, got one's own"
        )
    return presence.require(plane, by.id, given, purpose=f"let {whose} enrol a key")


def _own(plane: ControlPlane, by: PersonRow, whose: str, *, given: str | Proof) -> Auth:
    """Return how somebody showed that they are here, who links an account of their own."""
    attempt = Attempt("link-identity", LeafObject("person", whose))
    rights.require_scope(plane, by.id, attempt=attempt)
    if whose != by.id:
        message = "expected whose account it is to link it, got somebody else"
        rights.refuse(plane, by.id, attempt, role=by.roles[0], message=message)
    return presence.require(plane, by.id, given, purpose=LINKING)


def make_code(
    plane: ControlPlane, session: Session, person: str, *, purpose: str, by: str, auth: Auth = Auth.PASSPHRASE
) -> str:
    """Return a new code in the caller's transaction; the one before is good no more.

    Raises:
        Conflict: a new key for somebody whose present one is not retired: what they hold would come along with it; or
            they have left.
    """
    whose = rights.find_row(session, person)
    rights.require_here(whose)
    if purpose == NEW_KEY and has_key(session, whose):
        raise Conflict("expected somebody whose key is retired, got one whose is not", hint="retire it first")
    code, now = secrets.token_urlsafe(24), plane.now()
    same = (col(InvitationRow.person) == person, col(InvitationRow.purpose) == purpose)
    session.exec(delete(InvitationRow).where(*same))
    row = InvitationRow(hash=_hash(code), person=person, purpose=purpose, expires_at=now + PURPOSES[purpose], at=now)
    session.add(row)
    target = LeafObject("person", person, f"sha256:{row.hash}")
    event = ledger.Event(
        Act.INVITED, by, ledger.SYSTEM if by == person else "administrator", auth, target, code=purpose
    )
    ledger.append(plane, session, event)
    return code


def look_up(plane: ControlPlane, code: str, *, purpose: str) -> str:
    """Return whom a code is for, and leave it good.

    Raises:
        Refused: it is no code for this, was used, or is too old.
    """
    with db.read(plane.engine) as session:
        return _good(plane, session, code, purpose=purpose).person


def redeem(plane: ControlPlane, session: Session, code: str, *, purpose: str) -> str:
    """Return whom a code is for, in the caller's transaction; it is good no more.

    Raises:
        Refused: it is no code for this, was used, or is too old.
    """
    row = _good(plane, session, code, purpose=purpose)
    row.used_at = plane.now()
    return row.person


def _good(plane: ControlPlane, session: Session, code: str, *, purpose: str) -> InvitationRow:
    row = session.get(InvitationRow, _hash(code))
    if row is None or row.purpose != purpose or row.used_at is not None or row.expires_at <= plane.now():
        raise Refused("expected an invitation that is still good, got another", hint="a new one is to be made")
    return row


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()
