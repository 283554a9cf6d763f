"""A passphrase that was forgotten retires the key under it; the same person goes on with a new one.

Retiring ends what a key could do: grants and delegations of the person, lapsed ones too, sessions, tokens, accounts of
the identity provider; the sealed key is deleted, so whoever remembers the passphrase later opens nothing. Promises:
what was signed before stays valid, approvals of open proposals among it: the key was the person's when they signed, and
the log proves when. One administrator suffices to retire a key, since that only takes rights away. A new one takes the
codes of two people (see `invitations`), so that no administrator alone comes in as somebody else, as an author or a
release manager either; roles that take a grant are granted anew by two people besides.
Does not: tell a forgotten passphrase from a stolen one; whoever fears the latter objects to the open proposals, too.
"""

from __future__ import annotations

from sqlmodel import Session, col, delete, or_, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import invitations, passphrases, people, presence, rights, sessions, tokens
from control_plane.accounts.people import Person
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import RENEWED, has_key, key_digest, key_since
from control_plane.errors import Conflict
from control_plane.outbox.mail import notify_key
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.tables.accounts import GrantRow, IdentityRow, InvitationRow, KeyRow
from control_plane.tables.registry import PersonRow
from edge_runtime.core import dsse

__all__ = ["end_access", "end_everything", "enrol_key", "retire_key", "revoke_key"]


def retire_key(plane: ControlPlane, actor: str, person: str, *, reason: str, passphrase: str | Proof) -> Person:
    """Retire the key of somebody who forgot their passphrase: they are out until two people let them in again.

    Args:
        plane: the control plane.
        actor: person id of an administrator, other than the person.
        person: login or id.
        reason: why, in the administrator's words.
        passphrase: the administrator's; or a proof by their own key, for `doing("retire-key", id)`.

    Raises:
        NotFound: there is no such person.
        Refused: the actor is no administrator, or is the person; or a wrong passphrase.
        Conflict: the key is retired already.
        InvalidDocument: no reason.
    """
    rights.require_reason(reason)
    with db.read(plane.engine) as session:
        whose = rights.find_row(session, person).id
    attempt = Attempt("retire-key", LeafObject("person", whose))
    role = rights.require_role(plane, actor, ("administrator",), attempt=attempt)
    if whose == actor:
        rights.refuse(plane, actor, attempt, role=role, message="expected another administrator to retire one's key")
    auth = presence.require(plane, actor, passphrase, purpose=doing("retire-key", whose))
    with rights.acting(plane, actor, role) as session:
        row = rights.find_row(session, whose)
        rights.require_here(row)
        if not has_key(session, row):
            raise Conflict("expected somebody with a key that is not retired, got another")
        target = LeafObject("person", whose, key_digest(row.public_key))
        said = texts.say(plane, reason)
        event = ledger.Event(Act.KEY_REVOKED, actor, role, auth, target, code="forgotten", reason=said)
        seq = revoke_key(plane, session, row, event=event)
        end_everything(plane, session, whose, seq=seq, by=actor)
        notify_key(plane, session, whose, act=str(event.act), entry=seq)
        return people.shown(plane, session, row)


def enrol_key(plane: ControlPlane, code: str, passphrase: str) -> Person:
    """Enrol the first or a new key of the person who was handed this code, sealed under a new passphrase.

    A new key takes the codes of two people, with a blank between them.

    Raises:
        Refused: the code is not good, or not any more; or one where it takes two.
        InvalidDocument: a passphrase of fewer than 8 characters.
        Busy: too many keys are opened at once.
    """
    whose = invitations.holder_of(plane, code)
    key, sealed = passphrases.new_key(plane, passphrase, identity=whose)
    with ledger.act(plane) as session:
        row = invitations.redeem_key(plane, session, code)
        public = dsse.public_bytes(key)
        target = LeafObject("person", row.id, key_digest(public))
        before = key_digest(row.public_key)
        event = ledger.Event(Act.KEY_ENROLLED, row.id, ledger.SYSTEM, Auth.NONE, target, before=before, code=RENEWED)
        notify_key(plane, session, row.id, act=str(event.act), entry=ledger.append(plane, session, event))
        row.public_key, row.sealed_key, row.custody = public, dict(sealed), "server"
    return people.find_person(plane, whose)


def revoke_key(plane: ControlPlane, session: Session, row: PersonRow, *, event: ledger.Event) -> int:
    """Retire the present key of a person in the caller's transaction, and return the entry that says so."""
    seq = ledger.append(plane, session, event)
    retired = KeyRow(
        id=dsse.key_id(row.public_key),
        person=row.id,
        custody=row.custody,
        roles=list(row.roles),
        public_key=row.public_key,
        sealed_key={},
        enrolled=key_since(session, row),
        retired=seq,
        at=plane.now(),
    )
    session.add(retired)
    row.sealed_key, row.wrong, row.locked_until = {}, 0, None
    return seq


def end_everything(plane: ControlPlane, session: Session, person: str, *, seq: int, by: str) -> None:
    """End what a key could do in the caller's transaction: grants, delegations, and what lets its holder in.

    Lapsed grants too: who held a role once has a say about grants (see `standing`), whoever has the new key has not.
    """
    query = select(GrantRow).where(
        or_(GrantRow.person == person, GrantRow.behalf == person),
        col(GrantRow.ended).is_(None),
    )
    for grant in session.exec(query):
        grant.ended, grant.ended_at = seq, ledger.logged_at(session, seq)
        sessions.end_all_of(session, grant.person)
    end_access(plane, session, person, by=by)


def end_access(plane: ControlPlane, session: Session, person: str, *, by: str) -> None:
    """End whatever lets somebody in without the key, in the caller's transaction: whoever had the key made it."""
    session.exec(delete(IdentityRow).where(col(IdentityRow.person) == person))
    codes = delete(InvitationRow).where(
        col(InvitationRow.person) == person, col(InvitationRow.purpose) == invitations.SIGN_ON
    )
    session.exec(codes)
    sessions.end_all_of(session, person)
    tokens.revoke_all(plane, session, person, by=by)
    session.flush()
