"""That somebody is here themselves: by their passphrase, or by what the key that they keep signed just now.

Promises: a proof is good for one person, one purpose and one server, for ten minutes by the server's clock, and once;
whoever is shown one elsewhere can do nothing with it here. Whose key showed it is told. A machine is never a person.
Does not: sign what is decided (see `reviewing.review`), or know what a purpose is good for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlmodel import Session, col, delete

from audit.record import Auth
from control_plane import db
from control_plane.accounts import passphrases, rights
from control_plane.accounts.standing import has_key
from control_plane.errors import Refused
from control_plane.outbox.mail import notify_use
from control_plane.plane import ControlPlane
from control_plane.purposes import word_of
from control_plane.tables.accounts import InvitationRow
from control_plane.tables.registry import PersonRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument

__all__ = ["HERE", "Proof", "place_of", "prove", "require"]

HERE = ""
"""The server of somebody who acts on its own machine."""
PURPOSE = "proof"
GOOD_FOR = timedelta(minutes=10)
NONCE_BYTES = 16
_CONTEXT = b"mentorplane: I am here, "
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a key of somebody's own signed: when, with which random bytes in hex, for which server."""

    at: str
    nonce: str
    signature: bytes
    server: str = HERE


def prove(
    key: Ed25519PrivateKey, *, person: str, purpose: str, at: datetime, nonce: bytes, server: str = HERE
) -> Proof:
    """Return the proof that a person is here, for one purpose on one server."""
    unsigned = Proof(f"{at:%Y-%m-%dT%H:%M:%SZ}", nonce.hex(), b"", server)
    return Proof(unsigned.at, unsigned.nonce, key.sign(_words(unsigned, person, purpose)), server)


def place_of(url: str) -> str:
    """Return how a proof names the server at an address: its host, and its port unless it is the usual one."""
    parts = urlsplit(url)
    port = parts.port if parts.port != _PORTS.get(parts.scheme) else None
    return f"{parts.hostname or ''}:{port}" if port else parts.hostname or ""


def require(plane: ControlPlane, person: str, given: str | Proof, *, purpose: str) -> Auth:
    """Return how a person showed that they are here: a passphrase, or a proof for this purpose.

    Raises:
        NotFound: there is no such person.
        Refused: a wrong passphrase; another person's, purpose's or server's proof, an old one, one that was used; a key
            that was retired or is not their own; a machine.
        Busy: too many keys are opened at once.
    """
    if isinstance(given, str):
        passphrases.open_key(plane, person, given, use=word_of(purpose))
        return Auth.PASSPHRASE
    if plane.acting and plane.acting.machine:
        raise Refused("expected a person to show that they are here, got a machine")
    with db.write(plane.engine) as session:
        row = rights.find_row(session, person)
        said = _words(given, row.id, purpose)
        _verify(session, row, given, said=said)
        _use_up(session, row.id, hashlib.sha256(said).hexdigest(), now=plane.now(), at=_time(given.at))
        notify_use(plane, session, row.id, use=word_of(purpose))
    return Auth.KEY


def _words(proof: Proof, person: str, purpose: str) -> bytes:
    named = {"person": person, "purpose": purpose, "server": proof.server, "at": proof.at, "nonce": proof.nonce}
    return _CONTEXT + canonical.encode(named)


def _verify(session: Session, row: PersonRow, proof: Proof, *, said: bytes) -> None:
    good = row.custody == "own" and has_key(session, row)
    try:
        Ed25519PublicKey.from_public_bytes(row.public_key).verify(proof.signature, said)
    except (InvalidSignature, ValueError):
        good = False
    if not good:
        raise Refused("expected a proof by the key that this person keeps, for this act on this server, got another")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise InvalidDocument("expected the time of a proof such as 2026-01-31T08:00:00Z, got another text") from None


def _use_up(session: Session, person: str, digest: str, *, now: datetime, at: datetime) -> None:
    """Remember a proof for as long as it would be good, so that it is good once."""
    if abs(at - now) > GOOD_FOR:
        raise Refused("expected a proof signed within ten minutes of now by the server's clock, got another")
    session.exec(
        delete(InvitationRow).where(col(InvitationRow.purpose) == PURPOSE, col(InvitationRow.expires_at) < now)
    )
    if session.get(InvitationRow, digest) is not None:
        raise Refused("expected a proof that nobody has used, got one that was")
    until = at + GOOD_FOR
    session.add(InvitationRow(hash=digest, person=person, purpose=PURPOSE, expires_at=until, used_at=now, at=now))
