"""Signing a grant or a delegation where one's own key is: the terms must come to what the person asked for.

Promises: nothing is signed for another person, role, organisation or time than was asked for, or under another digest
than the one that was looked at; all of the terms are shown before; why is signed with them, as a commitment.
Does not: know whom an id stands for: a server says whose login it is, and whoever doubts that names the id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.frozen import replace
from audit.record import commit
from control_plane.errors import Refused
from control_plane.signing import MAX_AGE, SALT_BYTES
from edge_runtime.core import canonical, dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.grants import PAYLOAD_TYPE, Grant, open_grant, sign_grant

__all__ = ["Wanted", "derive_terms", "describe_terms", "sign_terms"]

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to sign: who gets which role; `by` is their own id.

    For a grant `days` is for how long, 0 for as long as the rules allow, and `previous` the one that it follows; a
    delegation has the moment of its end, and is for `by`; `since` is when either begins, None for now. The second
    signature of a grant has its `digest` instead. `organisation` is "" where this machine has verified no release.
    """

    by: str
    person: str = ""
    role: str = ""
    days: int = 0
    previous: str = ""
    until: datetime | None = None
    digest: str = ""
    since: datetime | None = None
    organisation: str = ""


def derive_terms(document: JsonObject, wanted: Wanted, *, now: datetime) -> Grant:
    """Return the terms that a server sent, once they are what is wanted.

    Raises:
        InvalidDocument: they do not read.
        Refused: they come to something else.
    """
    grant = open_grant(dsse.Envelope(PAYLOAD_TYPE, canonical.encode(document), ()))
    if wanted.digest:
        fits = canonical.digest(grant.encode()) == wanted.digest and not grant.behalf
    else:
        fits = _fits(grant, wanted, now=now)
    fits = fits and grant.organisation == (wanted.organisation or grant.organisation)
    if not fits or grant.person == wanted.by:
        raise Refused("expected the terms that were asked for, got others")
    return grant


def describe_terms(grant: Grant) -> Sequence[str]:
    """Return what is about to be signed, in lines."""
    behalf = f", for {grant.behalf} while they are away" if grant.behalf else ""
    follows = f", once it is handed over from {grant.previous}" if grant.previous else ""
    what = "delegation" if grant.behalf else "grant"
    return [
        f"{what} {grant.id} of {grant.organisation}: {grant.person} acts as {grant.role}{behalf}{follows}",
        f"        from {grant.since} until {grant.until}, {_lasts(grant).days} days",
    ]


def sign_terms(grant: Grant, key: Ed25519PrivateKey, *, reason: str, salt: bytes) -> JsonObject:
    """Return what goes to the server: the signed terms, and the salt of the commitment to the reason.

    The first signature is over that commitment, too; the second is over the terms as the first one left them.

    Raises:
        InvalidDocument: a salt of another length than 16 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidDocument(f"expected a salt of {SALT_BYTES} bytes")
    settled = grant if grant.reason else replace(grant, reason=commit(reason, salt))
    return {"envelope": sign_grant(settled, key).as_json(), "salt": dsse.encode_base64(salt)}


def _lasts(grant: Grant) -> timedelta:
    return datetime.fromisoformat(grant.until) - datetime.fromisoformat(grant.since)


def _fits(grant: Grant, wanted: Wanted, *, now: datetime) -> bool:
    since, until = (datetime.fromisoformat(one) for one in (grant.since, grant.until))
    behalf = wanted.by if wanted.until else ""
    said = (grant.person, grant.role, grant.previous, grant.behalf)
    begins = since == wanted.since if wanted.since else abs(since - now) <= MAX_AGE
    if said != (wanted.person, wanted.role, wanted.previous, behalf) or grant.reason or not begins:
        return False
    if wanted.until:
        return until == wanted.until
    lasts = _lasts(grant)
    return lasts == timedelta(days=wanted.days) if wanted.days else lasts <= timedelta(days=MOST_DAYS)
