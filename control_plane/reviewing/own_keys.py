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
from control_plane.accounts import invitations, people, presence, retiring, rights
from control_plane.accounts.people import Person
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import RENEWED, TAKEN, key_digest
from control_plane.errors import Conflict, Refused
from control_plane.outbox.mail import notify_key
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.registry import store
from control_plane.registry.records import Proposal
from control_plane.reviewing import review
from control_plane.reviewing.material import Material, decide_on
from control_plane.signing import SALT_BYTES, Elsewhere, Signature, Terms, Unsigned, Words
from control_plane.tables.accounts import KeyRow
from control_plane.tables.registry import PersonRow
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

Asked = TypeVar("Asked", Material, Words, Terms)
PROOF = b"mentorplane: this key is mine, "
"""What a new key signs, followed by the person's id, so that nobody enrols a key that they do not hold."""
_ACTS = {"approve": Act.APPROVED, "reject": Act.REJECTED}


def enrol_own_key(plane: ControlPlane, actor: str, *, public_key: bytes, proof: bytes, present: str | Proof) -> Person:
    """Enrol a key that the actor keeps themselves in place of the one that they have; they stay who they are.

    Nobody does it for somebody else: what somebody may do would come along to a key that another could hold. What the
    key before let in comes along no more: sessions, tokens, those of machines too, and linked accounts end.

    Args:
        plane: the control plane.
        actor: person id of whose key it is.
        public_key: its 32 bytes.
        proof: its signature over `PROOF` and the person's id.
        present: the passphrase of the key before; or a proof by it, for `doing("enrol-key", its digest)`.

    Raises:
        NotFound: no such person.
        Refused: a wrong passphrase or proof.
        Conflict: the key is enrolled already.
        InvalidDocument: the proof is not by that key.
    """
    rights.require_scope(plane, actor, attempt=Attempt("enrol-key", LeafObject("person", actor)))
    require_proof(actor, public_key, proof)
    auth = presence.require(plane, actor, present, purpose=doing("enrol-key", key_digest(public_key)))
    with rights.acting(plane, actor) as session:
        row = rights.find_row(session, actor)
        before = LeafObject("person", actor, key_digest(row.public_key))
        event = ledger.Event(Act.KEY_REVOKED, actor, ledger.SYSTEM, auth, before, code="replaced")
        retiring.revoke_key(plane, session, row, event=event)
        retiring.end_access(plane, session, actor, by=actor)
        _take_key(plane, session, row, public_key=public_key, auth=auth, code=TAKEN)
        return people.shown(plane, session, row)


def enrol_with_code(plane: ControlPlane, code: str, *, public_key: bytes, proof: bytes) -> Person:
    """Enrol a key of one's own with the code for a first key, or those of two people after the one before was retired.

    What was signed before stays valid, and roles that take a grant are granted anew (see `accounts.retiring`).

    Raises:
        Refused: a code is not good, or not any more; or one where it takes two.
        Conflict: the key is enrolled already.
        InvalidDocument: the proof is not by that key.
    """
    require_proof(invitations.holder_of(plane, code), public_key, proof)
    with ledger.act(plane) as session:
        row = invitations.redeem_key(plane, session, code)
        _take_key(plane, session, row, public_key=public_key, auth=Auth.KEY, code=RENEWED)
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
    plane: ControlPlane, session: Session, row: PersonRow, *, public_key: bytes, auth: Auth, code: str
) -> None:
    known = select(PersonRow.id).where(PersonRow.public_key == public_key)
    retired = select(KeyRow.id).where(KeyRow.id == dsse.key_id(public_key))
    if session.exec(known).first() is not None or session.exec(retired).first() is not None:
        raise Conflict("expected a key that is not enrolled yet, got one that is")
    before, digest = key_digest(row.public_key), key_digest(public_key)
    row.public_key, row.sealed_key, row.custody = public_key, {}, "own"
    target = LeafObject("person", row.id, digest)
    event = ledger.Event(Act.KEY_ENROLLED, row.id, ledger.SYSTEM, auth, target, before=before, code=code)
    notify_key(plane, session, row.id, act=str(event.act), entry=ledger.append(plane, session, event))
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
    return review.review_all(plane, actor, [verdict], act=_ACTS[stated.act], passphrase=made)[0]


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
