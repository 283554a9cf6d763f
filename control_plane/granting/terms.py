"""What is signed about a grant or a delegation: with the key that is sealed here, or where the person's own key is.

Asked without a signature, an act ends with `Unsigned`: its `Terms` are what there is to sign. With one it goes on, if
that is, byte for byte, what would be signed here: the id is then the one that was signed, which nobody has yet, and so
is the moment at which it begins, within ten minutes of now. Promises: one signature by the person's own key, no other.
Does not: decide who may sign (see `grants` and `delegations`).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from control_plane import texts
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.signing import MAX_AGE, Elsewhere, Terms, Unsigned, require_own, require_present
from control_plane.tables.accounts import GrantRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.grants import PAYLOAD_TYPE, Grant, open_grant, sign_grant

__all__ = ["Fresh", "fresh", "put", "said_by", "signed"]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a new grant has of its own: an id that nobody has, and when it begins if nobody says."""

    id: str
    at: datetime


def fresh(plane: ControlPlane, session: Session, given: Ed25519PrivateKey | Elsewhere, *, mark: str) -> Fresh:
    """Return both for a new grant whose id begins with `mark`: new ones, or those that were signed elsewhere.

    Raises:
        InvalidDocument: what was signed is no grant.
        Conflict: somebody has the id, or it is none.
    """
    now = plane.now()
    if isinstance(given, Ed25519PrivateKey) or not given.signed:
        return Fresh(mark + secrets.token_hex(6), now)
    grant = open_grant(given.signed[0].envelope)
    if not re.fullmatch(f"{mark}[0-9a-f]{{12}}", grant.id) or session.get(GrantRow, grant.id) is not None:
        raise Conflict("expected a grant with an id that nobody has, got another")
    begins = datetime.fromisoformat(grant.since)
    return Fresh(grant.id, begins if abs(begins - now) <= MAX_AGE else now)


def signed(session: Session, terms: Grant, given: Ed25519PrivateKey | Elsewhere, *, by: str) -> dsse.Envelope:
    """Return these terms signed by a person with this id.

    Raises:
        Unsigned: it is asked what there is to sign.
        Refused: what was signed elsewhere is something else, or signed otherwise than with their own key alone.
    """
    if isinstance(given, Ed25519PrivateKey):
        envelope = sign_grant(terms, given)
        require_present(session, by, envelope)
        return envelope
    payload = terms.encode()
    if not given.signed:
        raise Unsigned(Terms(canonical.parse(payload, max_bytes=len(payload))))
    made = given.signed[0].envelope
    if len(given.signed) != 1 or (made.payload_type, made.payload) != (PAYLOAD_TYPE, payload):
        raise Refused("expected just what would be signed here now, got terms that say something else")
    require_own(session, by, made)
    return made


def put(
    plane: ControlPlane,
    session: Session,
    row: GrantRow,
    *,
    given: Ed25519PrivateKey | Elsewhere,
    by: str,
    said: texts.Said,
) -> None:
    """Store a new row with its terms signed, the commitment to why among them, in the caller's transaction.

    Raises: as `signed`.
    """
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (row.since, row.until))
    who = (row.person, row.role, since, until, row.behalf, row.previous)
    terms = Grant(row.id, plane.organisation, *who, reason="" if given == Elsewhere() else said.commitment)
    envelope = signed(session, terms, given, by=by)
    row.digest, row.envelope = canonical.digest(envelope.payload), envelope.as_json()
    session.add(row)
    session.flush()


def said_by(plane: ControlPlane, reason: str, given: Ed25519PrivateKey | Elsewhere) -> texts.Said:
    """Return the reason as the log commits to it: with the salt of whoever signed elsewhere."""
    if isinstance(given, Elsewhere) and given.signed:
        return texts.Said(reason, given.signed[0].salt)
    return texts.say(plane, reason)
