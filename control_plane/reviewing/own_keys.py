"""Keys that people keep themselves: enrolling one, what its holder needs to decide, and what they signed with it.

Promises: the server never holds such a key and cannot sign for its person; a statement that comes in is taken only if
it is, byte for byte, what would be signed here, and meets all that `review.approve` asks: role, exclusion, freshness of
the checks, the digest as it is now. Does not: ask for a key on the server (the approval floor does, see docs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import invitations, people, retiring, rights
from control_plane.accounts.people import Person
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import key_digest
from control_plane.accounts.tables import KeyRow
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import review, store
from control_plane.registry.records import Proposal
from control_plane.registry.signing import SALT_BYTES, Elsewhere, Signature, Unsigned, Words
from control_plane.registry.tables import PersonRow, StatementRow
from control_plane.reviewing.material import Material, decide_on
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.statements import open_statement

__all__ = [
    "PROOF",
    "enrol_own_key",
    "enrol_with_code",
    "material_of",
    "require_proof",
    "signed_elsewhere",
    "take_statement",
    "unsigned",
]

Asked = TypeVar("Asked", Material, Words)
PROOF = b"mentorplane: this key is mine, "
"""What a new key signs, followed by the person's id, so that nobody enrols a key that they do not hold."""
_ACTS = {"approve": Act.APPROVED, "reject": Act.REJECTED}


def enrol_own_key(plane: ControlPlane, actor: str, person: str, *, public_key: bytes, proof: bytes) -> Person:
    """Enrol a key that a person keeps themselves; the one that was sealed here is destroyed.

    Whatever they held by a grant ends: two people grant it anew to whoever has this key, as after `enrol_with_code`.

    Args:
        plane: the control plane.
        actor: person id of an administrator.
        person: login or id of whose key it is.
        public_key: its 32 bytes.
        proof: its signature over `PROOF` and the person's id.

    Raises:
        NotFound: no such person.
        Refused: the actor is no administrator, or somebody else's key.
        Conflict: the person has signed already: devices know them by the key they have.
        InvalidDocument: the proof is not by that key.
    """
    who = people.find_person(plane, person).id
    attempt = Attempt("enrol-key", LeafObject("person", who))
    rights.require_role(plane, actor, ("administrator",), attempt=attempt)
    require_proof(who, public_key, proof)
    with ledger.act(plane) as session:
        row = rights.find_row(session, who)
        rights.require_here(row)
        if session.exec(select(StatementRow.id).where(StatementRow.person == who)).first() is not None:
            raise Conflict(
                "expected a person who has signed nothing yet, got one who has",
                hint="retire their key first: the code that this gives enrols one of their own",
            )
        before = LeafObject("person", who, key_digest(row.public_key))
        event = ledger.Event(Act.KEY_REVOKED, actor, "administrator", Auth.TOKEN, before, code="replaced")
        retiring.end_grants(session, who, seq=ledger.append(plane, session, event))
        _take_key(plane, session, row, public_key=public_key, by=(actor, "administrator", Auth.TOKEN))
        return people.shown(plane, session, row)


def enrol_with_code(plane: ControlPlane, code: str, *, public_key: bytes, proof: bytes) -> Person:
    """Enrol a key of one's own with a code that an administrator handed out when they retired the one before.

    So somebody who has signed already takes their key to themselves: what they signed stays valid, and roles that take
    a grant are granted anew by two people (see `accounts.retiring`).

    Raises:
        Refused: the code is not good, or not any more.
        Conflict: the key is enrolled already.
        InvalidDocument: the proof is not by that key.
    """
    whose = invitations.look_up(plane, code, purpose=invitations.NEW_KEY)
    require_proof(whose, public_key, proof)
    with ledger.act(plane) as session:
        row = rights.find_row(session, invitations.redeem(plane, session, code, purpose=invitations.NEW_KEY))
        _take_key(plane, session, row, public_key=public_key, by=(row.id, ledger.SYSTEM, Auth.KEY))
        return people.shown(plane, session, row)


def require_proof(person: str, public_key: bytes, proof: bytes) -> None:
    """Refuse a key whose holder did not sign that it is this person's.

    Raises:
        InvalidDocument: the proof is not by that key.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(proof, PROOF + person.encode())
    except (InvalidSignature, ValueError):
        raise InvalidDocument("expected a proof signed by the key that is enrolled, got another") from None


def _take_key(
    plane: ControlPlane, session: Session, row: PersonRow, *, public_key: bytes, by: tuple[str, str, Auth]
) -> None:
    known = select(PersonRow.id).where(PersonRow.public_key == public_key)
    retired = select(KeyRow.id).where(KeyRow.id == dsse.key_id(public_key))
    if session.exec(known).first() is not None or session.exec(retired).first() is not None:
        raise Conflict("expected a key that is not enrolled yet, got one that is")
    actor, role, auth = by
    before, digest = key_digest(row.public_key), key_digest(public_key)
    row.public_key, row.sealed_key, row.custody = public_key, {}, "own"
    target = LeafObject("person", row.id, digest)
    event = ledger.Event(Act.KEY_ENROLLED, actor, role, auth, target, before=before, code="renewed")
    ledger.append(plane, session, event)
    session.flush()


def material_of(plane: ControlPlane, number: int) -> Material:
    """Return what somebody needs to decide about a proposal where their own key is.

    Raises:
        NotFound: there is no such proposal.
    """
    with db.read(plane.engine) as session:
        proposal, revision = store.find_proposal(session, number)
        return decide_on(plane, session, proposal, revision=revision)


def take_statement(
    plane: ControlPlane, actor: str, number: int, *, envelope: JsonObject, reason: str, salt: bytes
) -> Proposal:
    """Take an approval or a rejection that a person signed where their own key is.

    Args:
        plane: the control plane.
        actor: person id of the signer.
        number: of the proposal.
        envelope: the signed statement as JSON.
        reason: the text that it commits to.
        salt: the salt of that commitment.

    Raises:
        NotFound, Conflict, InvalidDocument: as for `review.approve`.
        Refused: as for `review.approve`; or the statement says something else, or is not signed with their own key.
    """
    made = signed_elsewhere([(envelope, salt)])
    stated = open_statement(made.signed[0].envelope)
    if stated.act not in _ACTS:
        raise InvalidDocument("expected an approval or a rejection, got another statement")
    if stated.person != actor:
        raise Refused("expected a statement of the person who sends it, got another's")
    verdict = review.Verdict(number, stated.role, reason, stated.manifest)
    return review.review_made(plane, actor, verdict, act=_ACTS[stated.act], made=made)


def unsigned(act: Callable[[Elsewhere], object], kind: type[Asked]) -> Asked:
    """Return what there is to sign of an act: it is carried out up to there, and undone.

    Raises: what the act raises.
    """
    try:
        act(Elsewhere())
    except Unsigned as found:
        if isinstance(found.asked, kind):
            return found.asked
    raise AssertionError("an act signs, and asks for the same in every case")


def signed_elsewhere(given: Iterable[tuple[JsonObject, bytes]]) -> Elsewhere:
    """Return what was signed where the person's own key is, envelopes with their salts, as the use cases take it.

    Raises:
        InvalidDocument: an envelope does not read, or a salt has another length.
    """
    signed = tuple(Signature(dsse.parse_envelope(envelope), salt) for envelope, salt in given)
    if any(len(one.salt) != SALT_BYTES for one in signed):
        raise InvalidDocument(f"expected a salt of {SALT_BYTES} bytes")
    return Elsewhere(signed)
