"""Somebody leaves: every role of theirs ends, also those that they hold by their enrolment.

Two people sign it, as they would a grant, neither of whom it is; until the second did, nothing changes (whoever must be
stopped at once has their key retired by one administrator, see `retiring`). Promises: sessions, tokens, grants,
delegations, codes, linked accounts and the address end in the same transaction; nobody lets them in again, whoever
comes back is enrolled anew; what they signed, wrote and objected to stays; one administrator at least stays.
Does not: erase texts of theirs (see `keeping.erasing`).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import presence, retiring, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.signers import require_signer, require_still, role_of
from control_plane.accounts.standing import has_key, has_say, key_digest, spoke
from control_plane.errors import Conflict, Refused
from control_plane.granting.grants import PROPOSED_FOR
from control_plane.plane import ControlPlane
from control_plane.purposes import leaving
from control_plane.tables.accounts import ContactRow, InvitationRow
from control_plane.tables.registry import LeafRow, PersonRow
from edge_runtime.core.grants import KEEPERS

__all__ = ["leaving", "retire_person"]


def retire_person(plane: ControlPlane, actor: str, person: str, *, reason: str, present: str | Proof) -> bool:
    """Sign that somebody leaves, and return whether they have: the second signature within two weeks makes it so.

    Args:
        plane: the control plane.
        actor: person id of whoever signs.
        person: login or id of who leaves.
        reason: why, in their own words.
        present: the actor's passphrase, or a proof by the key that they keep, for `leaving(id)`.

    Raises:
        NotFound: no such person.
        Refused: the actor may not sign a grant, is the person, or signed before; neither of the two is an administrator
            or of compliance; no other administrator would be left; a wrong passphrase or proof.
        Conflict: they have left already.
        InvalidDocument: no reason.
    """
    rights.require_reason(reason)
    with db.read(plane.engine) as session:
        whose = rights.find_row(session, person).id
    require_signer(plane, actor, attempt=Attempt("retire-person", LeafObject("person", whose)), grantee=whose)
    auth = presence.require(plane, actor, present, purpose=leaving(whose))
    with rights.acting(plane, actor) as session:
        row, by = rights.find_row(session, whose), rights.find_row(session, actor)
        require_still(session, actor, grantee=whose)
        rights.require_here(row)
        _require_administrator(session, whose)
        first = _first_signer(session, whose, since=plane.now() - PROPOSED_FOR)
        if first is not None and first.id == by.id:
            raise Refused("expected a second person to sign, got the first one again")
        if first is not None and not {*first.roles, *by.roles}.intersection(KEEPERS):
            raise Refused(f"expected one of the two to be {' or '.join(KEEPERS)}, got neither")
        event = ledger.Event(
            Act.PERSON_LEAVING if first is None else Act.PERSON_RETIRED,
            by.id,
            role_of(session, by.id),
            auth,
            LeafObject("person", whose),
            reason=texts.say(plane, reason),
            behalf=whose,
        )
        seq = ledger.append(plane, session, event)
        if first is not None:
            _end(plane, session, row, seq=seq, by=by.id)
        return first is not None


def _require_administrator(session: Session, leaves: str) -> None:
    """Refuse to let the last administrator go who can sign."""
    rows = session.exec(select(PersonRow).where(PersonRow.id != leaves, col(PersonRow.retired).is_(None)))
    if not any("administrator" in row.roles and has_key(session, row) for row in rows):
        raise Conflict("expected another administrator to stay, got the last one", hint="enrol another one first")


def _first_signer(session: Session, person: str, *, since: datetime) -> PersonRow | None:
    """Return who signed lately that somebody leaves, is still here and would still be heard."""
    query = select(LeafRow.actor, LeafRow.seq).where(
        LeafRow.act == str(Act.PERSON_LEAVING), LeafRow.kind == "person", LeafRow.name == person, LeafRow.at > since
    )
    for actor, entry in session.exec(query.order_by(col(LeafRow.seq))):
        row = rights.find_row(session, actor)
        if spoke(session, row, entry) and has_say(session, row):
            return row
    return None


def _end(plane: ControlPlane, session: Session, row: PersonRow, *, seq: int, by: str) -> None:
    row.retired, role = seq, role_of(session, by)
    if has_key(session, row):
        target = LeafObject("person", row.id, key_digest(row.public_key))
        event = ledger.Event(Act.KEY_REVOKED, by, role, Auth.NONE, target, code="left")
        retiring.revoke_key(plane, session, row, event=event)
    retiring.end_everything(plane, session, row.id, seq=seq, by=by)
    session.exec(delete(InvitationRow).where(col(InvitationRow.person) == row.id))
    contact = session.get(ContactRow, row.id)
    if contact is not None:
        session.delete(contact)
        event = ledger.Event(Act.ADDRESS_REMOVED, by, role, Auth.NONE, LeafObject("person", row.id), behalf=row.id)
        ledger.append(plane, session, event)
    session.flush()
