"""Invitations: a code that is good once, for one purpose: to enrol a key, or to link an account of the provider.

Promises: stored hashed; a new one by the same person ends the one before; the log says who made it. An administrator
makes one for a first key, good for a week. A new key, after the one before was retired, takes two codes of two people
who could sign a grant for its holder, one of them an administrator or of compliance: each hands over their own, so
neither alone can come in as somebody who was here before, whatever roles that one has. It is good no more once its
maker left or has another key. A code that links an account is
made by the person whose account it is, with their passphrase or own key, and is good for ten minutes: whoever could
link for somebody else could act as them. Does not: send any anywhere, least of all to an address.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.signers import require_signer, require_still, role_of
from control_plane.accounts.standing import has_key, has_say, spoke
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.purposes import LINKING, doing
from control_plane.tables.accounts import InvitationRow
from control_plane.tables.registry import LeafRow, PersonRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.grants import KEEPERS, SIGNATURES

__all__ = ["NEW_KEY", "SIGN_ON", "holder_of", "invite", "make_code", "redeem", "redeem_key"]

NEW_KEY, SIGN_ON = "new-key", "sign-on"
"""To enrol a first key, or a new one after the one before was retired; to link the identity provider's account."""
PURPOSES = {NEW_KEY: timedelta(days=7), SIGN_ON: timedelta(minutes=10)}
"""How long a code is good."""


def invite(plane: ControlPlane, actor: str, person: str, *, purpose: str, present: str | Proof) -> str:
    """Return a code for a person: for their first or new key, or as the person themselves to link their account.

    `present` is a passphrase, or a proof for `LINKING` or `doing("invite", id)`.

    Raises:
        NotFound: there is no such person.
        Refused: for a first key the actor is no administrator, for a new one nobody who could sign a grant for them; or
            it is for themselves; or is another than whose account is linked; or a wrong passphrase or proof.
        InvalidDocument: an unknown purpose.
        Conflict: a new key for somebody whose present one is not retired.
    """
    if purpose not in PURPOSES:
        raise InvalidDocument(f"expected a purpose out of {', '.join(PURPOSES)}, got another")
    with db.read(plane.engine) as session:
        whose, by = rights.find_row(session, person), rights.find_row(session, actor)
    auth = _own(plane, by, whose.id, given=present) if purpose == SIGN_ON else _anew(plane, by, whose, given=present)
    first = purpose == NEW_KEY and not whose.public_key
    with rights.acting(plane, by.id, "administrator" if first else "") as session:
        if purpose == NEW_KEY and not first:
            require_still(session, by.id, grantee=whose.id)
        return make_code(plane, session, whose.id, purpose=purpose, by=by.id, auth=auth)


def _anew(plane: ControlPlane, by: PersonRow, whose: PersonRow, *, given: str | Proof) -> Auth:
    """Return how somebody showed that they are here, who lets somebody else enrol a key."""
    attempt = Attempt("invite", LeafObject("person", whose.id))
    if whose.public_key:
        require_signer(plane, by.id, attempt=attempt, grantee=whose.id)
    else:
        rights.require_role(plane, by.id, ("administrator",), attempt=attempt)
    return presence.require(plane, by.id, given, purpose=doing("invite", whose.id))


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
    """Return a new code in the caller's transaction; the one before by the same person is good no more.

    For a first key none of the others is, either.

    Raises:
        Conflict: a new key for somebody whose present one is not retired: what they hold would come along with it; or
            they have left.
    """
    whose = rights.find_row(session, person)
    rights.require_here(whose)
    if purpose == NEW_KEY and has_key(session, whose):
        raise Conflict("expected somebody whose key is retired, got one whose is not", hint="retire it first")
    code, now = secrets.token_urlsafe(24), plane.now()
    for before in session.exec(select(InvitationRow).where(*_codes(person, purpose))).all():
        if not whose.public_key or _made(session, before)[0] == by:
            session.delete(before)
    row = InvitationRow(hash=_hash(code), person=person, purpose=purpose, expires_at=now + PURPOSES[purpose], at=now)
    session.add(row)
    target = LeafObject("person", person, f"sha256:{row.hash}")
    event = ledger.Event(
        Act.INVITED, by, ledger.SYSTEM if by == person else role_of(session, by), auth, target, code=purpose
    )
    ledger.append(plane, session, event)
    return code


def holder_of(plane: ControlPlane, codes: str) -> str:
    """Return who may enrol a key with these codes, one or several with blanks between them, and leave them good.

    Raises:
        Refused: one is no code for this, was used, or is too old; or they do not suffice.
    """
    with db.read(plane.engine) as session:
        return _holder(plane, session, codes)[0].id


def redeem_key(plane: ControlPlane, session: Session, codes: str) -> PersonRow:
    """Return who enrols a key with these codes, in the caller's transaction; no code for a key of theirs is good now.

    Raises: as for `holder_of`.
    """
    person, rows = _holder(plane, session, codes)
    for row in rows:
        row.used_at = plane.now()
    session.flush()
    session.exec(delete(InvitationRow).where(*_codes(person.id, NEW_KEY), col(InvitationRow.used_at).is_(None)))
    return person


def _holder(plane: ControlPlane, session: Session, codes: str) -> tuple[PersonRow, list[InvitationRow]]:
    given = codes.split(maxsplit=SIGNATURES)[:SIGNATURES]
    rows = [_good(plane, session, code, purpose=NEW_KEY) for code in dict.fromkeys(given)]
    if len({row.person for row in rows}) != 1:
        raise _not_good()
    person = rights.find_row(session, rows[0].person)
    heard = {maker.id: maker for maker in (_heard(session, row) for row in rows) if maker and maker.id != person.id}
    if not person.public_key and not heard:
        raise _not_good()
    if person.public_key:
        having = [maker for maker in heard.values() if has_say(session, maker)]
        if len(having) < SIGNATURES or not any(set(row.roles).intersection(KEEPERS) for row in having):
            raise Refused(
                "expected the codes of two people who could sign a grant, one an administrator or of compliance",
                hint="each of the two makes one: `mentorplane people new-code`; enter both with a blank between them",
            )
    return person, rows


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
        raise _not_good()
    return row


def _not_good() -> Refused:
    return Refused("expected an invitation that is still good, got another", hint="a new one is to be made")


def _codes(person: str, purpose: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(InvitationRow.person) == person, col(InvitationRow.purpose) == purpose


def _heard(session: Session, row: InvitationRow) -> PersonRow | None:
    """Return who made a code; None if they left, or had another key then: it may have been in other hands."""
    by, entry = _made(session, row)
    maker = rights.find_row(session, by)
    return maker if spoke(session, maker, entry) else None


def _made(session: Session, row: InvitationRow) -> tuple[str, int]:
    """Return who made a code, and the entry of the log that says so."""
    made = select(LeafRow.actor, LeafRow.seq).where(
        LeafRow.kind == "person",
        LeafRow.name == row.person,
        LeafRow.act == str(Act.INVITED),
        LeafRow.digest == f"sha256:{row.hash}",
    )
    by, entry = session.exec(made).one()
    return by, entry


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()
