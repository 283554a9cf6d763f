"""API tokens: random, stored hashed, for a closed set of scopes, until a day.

A person's own token stands for them. A machine's token stands for the person who answers for the machine: what it
proposes is theirs as its author, and so they approve none of it. Its key is sealed under the token itself, is in the
keyring as a further key of that person, and signs as an author only.

Promises: a token does no more than its scopes, lives a year at most, and names its person in the log by its digest;
whoever issues one gives their passphrase, or a proof by the key that they keep, and can give away no scope that their
own request lacks; revoking a machine's token retires its key.
Does not: decide what a scope is good for (see `scopes` and `rights`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import passphrases, presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.sealing import seal_under_token
from control_plane.accounts.standing import key_digest, require_key
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.purposes import LOG_IN, doing
from control_plane.scopes import ALL, Acting, Scope, parse_scopes
from control_plane.tables.accounts import KeyRow, TokenRow
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "Issued",
    "Token",
    "acting_for",
    "issue",
    "issue_token",
    "issue_tokens",
    "list_tokens",
    "log_in",
    "revoke",
    "revoke_all",
    "token_digest",
]

DEFAULT_DAYS, MAX_DAYS = 90, 365
MAX_TOKENS = 50
"""Tokens of one person that are in force at once."""
LOGIN_LASTS = timedelta(hours=12)
"""How long a token is good that somebody got by logging in."""
USED_EVERY = timedelta(hours=1)
_NAME = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_NAME = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its list shows it, without its text; `used_at` is when it was last used, to about an hour."""

    id: str
    person: str
    machine: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and its text, which is shown once."""

    token: Token
    text: str = field(repr=False)


def issue_token(plane: ControlPlane, person: str) -> str:
    """Return a new token of the person's own with every scope, issued by the installation; only its hash is kept."""
    [token] = issue_tokens(plane, [person])
    return token


def issue_tokens(plane: ControlPlane, persons: Iterable[str]) -> tuple[str, ...]:
    """Return a new token for each of some people, issued in one transaction; see `issue_token`."""
    texts = []
    with ledger.act(plane) as session:
        for person in persons:
            text, row = _new(
                plane, rights.find_row(session, person).id, name="first", scopes=ALL, lasts=timedelta(days=DEFAULT_DAYS)
            )
            session.add(row)
            _log(plane, session, row, act=Act.TOKEN_ISSUED, by=row.person, auth=Auth.SYSTEM)
            texts.append(text)
    return tuple(texts)


def issue(
    plane: ControlPlane,
    actor: str,
    *,
    name: str,
    passphrase: str | Proof,
    scopes: Iterable[str] = (),
    days: int = DEFAULT_DAYS,
    machine: str = "",
) -> Issued:
    """Issue a token for oneself, or for a machine that one answers for.

    Args:
        plane: the control plane.
        actor: person id.
        name: what the token is for: words of letters and digits joined by "-".
        passphrase: the actor's; or a proof by their own key, for `doing("issue-token", name, days, machine, *scopes)`.
        scopes: what it may be used for; none given: reading.
        days: until it expires.
        machine: name of the service account that will use it, like `name`; "" for a token of one's own.

    Raises:
        InvalidDocument: a name, scope or number of days that none may have.
        Refused: a wrong passphrase; a scope that the request itself lacks; a machine of somebody who is no author.
        Conflict: as many tokens of theirs as can be are in force.
    """
    attempt = Attempt("issue-token", LeafObject("token", actor))
    scopes = tuple(scopes)
    wanted = parse_scopes(scopes, machine=bool(machine))
    if not all(_NAME.fullmatch(one) and len(one) <= _MAX_NAME for one in (name, machine or name)):
        raise InvalidDocument(f"expected a name of words joined by '-', at most {_MAX_NAME} characters")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidDocument(f"expected 1 to {MAX_DAYS} days, got {days}")
    rights.require_scope(plane, actor, attempt=attempt)
    if machine:
        rights.require_role(plane, actor, ("author",), attempt=attempt)
    auth = presence.require(plane, actor, passphrase, purpose=doing("issue-token", name, days, machine, *scopes))
    with rights.acting(plane, actor, "author" if machine else "") as session:
        person = rights.find_row(session, actor)
        _refuse_more(session, plane.now(), person=person.id)
        text, row = _new(plane, person.id, name=name, scopes=wanted, lasts=timedelta(days=days))
        row.machine = machine
        if machine:
            row.key = _enrol_machine_key(plane, session, row, text=text, auth=auth)
        session.add(row)
        _log(plane, session, row, act=Act.TOKEN_ISSUED, by=person.id, auth=auth)
        return Issued(_record(row), text)


def log_in(plane: ControlPlane, person: str, present: str | Proof) -> Issued:
    """Issue a token of every scope, for a working day, to somebody who shows who they are.

    Args:
        plane: the control plane.
        person: login or id.
        present: their passphrase; or a proof by the key that they keep, for `LOG_IN`.

    Raises:
        Refused: there is no such person; a wrong passphrase, or people sign in elsewhere; a proof that is not theirs,
            not for this, too old, or was used.
        Conflict: as many tokens of theirs as can be are in force.
        Busy: too many sign in at once.
    """
    if isinstance(present, str):
        person, auth = passphrases.sign_in(plane, person, present), Auth.PASSPHRASE
    else:
        try:
            auth = presence.require(plane, person, present, purpose=LOG_IN)
        except NotFound as error:
            raise Refused("expected somebody with a key of their own, got another") from error
    with ledger.act(plane) as session:
        row = rights.find_row(session, person)
        require_key(session, row)
        _refuse_more(session, plane.now(), person=row.id)
        text, token = _new(plane, row.id, name="login", scopes=ALL, lasts=LOGIN_LASTS)
        session.add(token)
        _log(plane, session, token, act=Act.TOKEN_ISSUED, by=row.id, auth=auth)
        return Issued(_record(token), text)


def list_tokens(plane: ControlPlane, *, person: str = "") -> tuple[Token, ...]:
    """Return the tokens of a person, by login or id, or everybody's; newest first."""
    with db.read(plane.engine) as session:
        query = select(TokenRow).order_by(col(TokenRow.at).desc(), TokenRow.id)
        if person:
            query = query.where(TokenRow.person == rights.find_row(session, person).id)
        return tuple(_record(row) for row in session.exec(query))


def revoke(plane: ControlPlane, actor: str, identity: str) -> Token:
    """Revoke a token of one's own, or as an administrator anybody's; it is good for nothing from now on.

    Raises:
        NotFound: there is none of that id.
        Refused: it is somebody else's.
    """
    attempt = Attempt("revoke-token", LeafObject("token", identity))
    with db.read(plane.engine) as session:
        whose = _find(session, identity).person
    role = rights.require_owner(plane, actor, whose, attempt=attempt)
    with rights.acting(plane, actor, role) as session:
        row = _find(session, identity)
        if row.revoked_at is None:
            _revoke(plane, session, row, by=actor)
        return _record(row)


def revoke_all(plane: ControlPlane, session: Session, person: str, *, by: str) -> None:
    """Revoke every token of a person in the caller's transaction."""
    for row in session.exec(select(TokenRow).where(TokenRow.person == person, col(TokenRow.revoked_at).is_(None))):
        _revoke(plane, session, row, by=by)


def token_digest(token: str) -> str:
    """Return how entries of the log name a token: its digest, which `issue_token` logged as its object."""
    return f"sha256:{_hash(token)}"


def acting_for(plane: ControlPlane, token: str) -> Acting:
    """Return for whom and what a token is good.

    Raises:
        Refused: it is nobody's, was revoked, or has expired.
    """
    wanted, now = _hash(token), plane.now()
    with db.read(plane.engine) as session:
        row = session.get(TokenRow, wanted)
        if row is None or not hmac.compare_digest(row.hash, wanted) or row.revoked_at or row.expires_at <= now:
            raise Refused("expected a valid token, got another")
        scopes = frozenset(Scope(name) for name in row.scopes)
        acting = Acting(row.person, scopes, row.machine, row.key, token if row.machine else "")
        stale = row.used_at + USED_EVERY <= now
    if stale:
        with db.write(plane.engine) as session:
            used = session.get(TokenRow, wanted)
            if used is not None:
                used.used_at = now
    return acting


def _new(
    plane: ControlPlane, person: str, *, name: str, scopes: frozenset[Scope], lasts: timedelta
) -> tuple[str, TokenRow]:
    text, now = "mp_" + secrets.token_urlsafe(32), plane.now()
    row = TokenRow(
        hash=_hash(text),
        id="t-" + secrets.token_hex(6),
        person=person,
        name=name,
        scopes=sorted(scopes),
        expires_at=now + lasts,
        used_at=now,
        at=now,
    )
    return text, row


def _enrol_machine_key(plane: ControlPlane, session: Session, row: TokenRow, *, text: str, auth: Auth) -> str:
    """Enrol the key of a machine's token as a further one of the person who answers for it, and return its id."""
    key = Ed25519PrivateKey.generate()
    public = dsse.public_bytes(key)
    target = LeafObject("person", row.person, key_digest(public))
    event = ledger.Event(Act.KEY_ENROLLED, row.person, "author", auth, target, code="machine")
    enrolled = KeyRow(
        id=dsse.key_id(public),
        person=row.person,
        custody="server",
        roles=list(rights.ROLES_OF_MACHINES),
        public_key=public,
        sealed_key=seal_under_token(key.private_bytes_raw(), text, identity=row.person),
        enrolled=ledger.append(plane, session, event),
        at=plane.now(),
    )
    session.add(enrolled)
    session.flush()
    return enrolled.id


def _revoke(plane: ControlPlane, session: Session, row: TokenRow, *, by: str) -> None:
    row.revoked_at = plane.now()
    auth = Auth.TOKEN if plane.token else Auth.NONE
    _log(plane, session, row, act=Act.TOKEN_REVOKED, by=by, auth=auth)
    key = session.get(KeyRow, row.key) if row.key else None
    if key is not None and key.retired is None:
        target = LeafObject("person", row.person, f"sha256:{key.id}")
        event = ledger.Event(Act.KEY_REVOKED, by, ledger.SYSTEM, auth, target, code="token-revoked")
        key.retired, key.sealed_key = ledger.append(plane, session, event), {}


def _log(plane: ControlPlane, session: Session, row: TokenRow, *, act: Act, by: str, auth: Auth) -> None:
    target = LeafObject("token", row.person, f"sha256:{row.hash}")
    code = "machine" if row.machine else "own"
    ledger.append(plane, session, ledger.Event(act, actor=by, role=ledger.SYSTEM, auth=auth, target=target, code=code))


def _find(session: Session, identity: str) -> TokenRow:
    row = session.exec(select(TokenRow).where(TokenRow.id == identity)).first()
    if row is None:
        raise NotFound("expected the id of a token, got another")
    return row


def _refuse_more(session: Session, now: datetime, *, person: str) -> None:
    """Refuse a further token to somebody of whom as many are in force as can be."""
    query = select(TokenRow.id).where(
        TokenRow.person == person, TokenRow.expires_at > now, col(TokenRow.revoked_at).is_(None)
    )
    if len(session.exec(query).all()) >= MAX_TOKENS:
        raise Conflict(f"expected fewer than {MAX_TOKENS} tokens in force, got as many", hint="revoke one first")


def _record(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        person=row.person,
        machine=row.machine,
        name=row.name,
        scopes=tuple(row.scopes),
        expires_at=row.expires_at,
        used_at=row.used_at if row.used_at > row.at else None,
        revoked_at=row.revoked_at,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
