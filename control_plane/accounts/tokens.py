"""API tokens: whose a token is.

Promises: tokens are random and stored hashed; entries of the log name the digest of the token that was used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import people, rights
from control_plane.accounts.people import Person
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.registry.tables import TokenRow

__all__ = ["issue_token", "issue_tokens", "person_of_token", "token_digest"]


def issue_token(plane: ControlPlane, person: str) -> str:
    """Return a new API token for the person; only its hash is kept."""
    [token] = issue_tokens(plane, [person])
    return token


def issue_tokens(plane: ControlPlane, persons: Iterable[str]) -> tuple[str, ...]:
    """Return a new API token for each of some people, issued in one transaction; see `issue_token`."""
    tokens = []
    with ledger.act(plane) as session:
        for person in persons:
            token = "mp_" + secrets.token_urlsafe(32)
            row, hashed = rights.find_row(session, person), _hash(token)
            session.add(TokenRow(hash=hashed, person=row.id, at=plane.now()))
            target = LeafObject("token", row.id, token_digest(token))
            event = ledger.Event(Act.TOKEN_ISSUED, actor=row.id, role=ledger.SYSTEM, auth=Auth.SYSTEM, target=target)
            ledger.append(plane, session, event)
            tokens.append(token)
    return tuple(tokens)


def token_digest(token: str) -> str:
    """Return how entries of the log name a token: its digest, which `issue_token` logged as its object."""
    return f"sha256:{_hash(token)}"


def person_of_token(plane: ControlPlane, token: str) -> Person:
    """Return whose token this is.

    Raises:
        Refused: it is nobody's.
    """
    wanted = _hash(token)
    with db.read(plane.engine) as session:
        row = session.get(TokenRow, wanted)
        if row is None or not hmac.compare_digest(row.hash, wanted):
            raise Refused("expected a valid token, got another")
        return people.shown(plane, session, rights.find_row(session, row.person))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
