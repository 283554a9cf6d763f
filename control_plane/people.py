"""People: pseudonymous ids, roles, sealed signing keys, API tokens.

Promises: a key is sealed under its person's passphrase (Argon2id, ChaCha20-Poly1305, the parameters stored beside it)
and opened for one signature; tokens are random and stored hashed; after a few wrong passphrases in a row a person is
locked out for a while, and the log says so; ids tell nothing about the person.
Does not: keep a running, stolen server from capturing a passphrase (the approval floor can demand keys of people's
own against that), or keep display names in clear (see `texts`). Source: RFC 9106; RFC 8439; 21 CFR 11.200.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlmodel import Session, select

from audit.record import Act, Auth, LeafObject, Retention
from control_plane import db, ledger, rights, texts
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry.tables import PersonRow, TokenRow
from control_plane.rights import Attempt
from control_plane.settings import Argon2
from control_plane.texts.sealing import add_key
from edge_runtime.core import approval, canonical, dsse
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "ROLES",
    "NewPerson",
    "Person",
    "enrol",
    "find_person",
    "issue_token",
    "keyring",
    "list_people",
    "open_key",
    "person_of_token",
    "require_role",
    "sign_in",
    "token_digest",
]

ROLES = (
    "administrator",
    "author",
    "community-host",
    "compliance",
    "facilitator",
    "learning-designer",
    "release-manager",
    "safety-owner",
)
MIN_PASSPHRASE_LENGTH = 8
_SALT_BYTES = 16
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the console shows them; `locked` after too many wrong passphrases."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    custody: str
    locked: bool


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom to enrol: login, display name, eligible roles."""

    login: str
    name: str
    roles: tuple[str, ...]


def enrol(
    plane: ControlPlane, *, login: str, name: str, roles: Iterable[str], passphrase: str, actor: str = ""
) -> Person:
    """Enrol a person with a fresh key sealed under `passphrase`; `actor` is an administrator, "" the installation.

    Raises:
        Conflict: the login is taken.
        InvalidDocument: unknown roles, no name, or a passphrase of fewer than 8 characters.
        Refused: the actor is not an administrator.
    """
    if actor:
        attempt = Attempt("enrol", LeafObject("person"), Auth.TOKEN)
        require_role(plane, actor, "administrator", attempt=attempt)
    [person] = enrol_all(plane, [(NewPerson(login, name, tuple(roles)), passphrase)], actor=actor)
    return person


def enrol_all(plane: ControlPlane, people: Iterable[tuple[NewPerson, str]], *, actor: str = "") -> tuple[Person, ...]:
    """Enrol several people in one transaction; see `enrol`."""
    rows = [(_new_row(plane, new, passphrase), new.name) for new, passphrase in people]
    with ledger.act(plane) as session:
        for row, name in rows:
            if session.exec(select(PersonRow.id).where(PersonRow.login == row.login)).first():
                raise Conflict(f"expected a login that is free, got {row.login!r}")
            session.add(row)
            session.flush()
            add_key(plane, session, row.id, retention=Retention.GOVERNANCE, name=name)
            event = ledger.Event(
                Act.PERSON_ENROLLED,
                actor=actor or ledger.SYSTEM,
                role="administrator" if actor else ledger.SYSTEM,
                auth=Auth.TOKEN if actor else Auth.SYSTEM,
                target=LeafObject("person", row.id, "sha256:" + dsse.key_id(row.public_key)),
                after=canonical.digest(canonical.encode({"custody": row.custody, "roles": list(row.roles)})),
            )
            ledger.append(plane, session, event)
        return tuple(_record(row, name, plane.now()) for row, name in rows)


def _new_row(plane: ControlPlane, new: NewPerson, passphrase: str) -> PersonRow:
    unknown = set(new.roles) - set(ROLES)
    if unknown or not new.roles or not new.name or len(new.name) > 120:
        raise InvalidDocument(f"expected a name and roles out of {', '.join(ROLES)}")
    if not new.login.isidentifier() or not new.login.islower() or len(new.login) > 40:
        raise InvalidDocument("expected a login of lower-case letters, digits and underscores")
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise InvalidDocument(f"expected a passphrase of {MIN_PASSPHRASE_LENGTH} characters or more")
    identity = "p-" + secrets.token_hex(6)
    key = Ed25519PrivateKey.generate()
    return PersonRow(
        id=identity,
        login=new.login,
        roles=sorted(new.roles),
        custody="server",
        public_key=dsse.public_bytes(key),
        sealed_key=_seal(key.private_bytes_raw(), passphrase, identity=identity, cost=plane.settings.argon2),
        at=plane.now(),
    )


def find_person(plane: ControlPlane, login_or_id: str) -> Person:
    """Return the person of that login or id.

    Raises:
        NotFound: there is none.
    """
    with db.read(plane.engine) as session:
        return _shown(plane, session, rights.find_row(session, login_or_id))


def list_people(plane: ControlPlane) -> tuple[Person, ...]:
    """Return everybody, by login."""
    with db.read(plane.engine) as session:
        names = texts.display_names(session, plane)
        rows = session.exec(select(PersonRow).order_by(PersonRow.login))
        return tuple(_record(row, names.get(row.id, ""), plane.now()) for row in rows)


def keyring(session: Session) -> dict[str, approval.Person]:
    """Return the people whose signatures count, as the trust file lists them.

    Nobody is ever removed: a release carries the statements of people who left.
    """
    rows = session.exec(select(PersonRow).order_by(PersonRow.id))
    return {row.id: approval.Person(row.id, row.public_key, row.custody, tuple(row.roles)) for row in rows}


def require_role(plane: ControlPlane, person: str, role: str, *, attempt: Attempt) -> Person:
    """Return the person with that id, who holds `role`.

    Raises:
        NotFound: there is no such person.
        Refused: they do not hold the role; the log says that they tried.
    """
    rights.require_role(plane, person, (role,), attempt=attempt)
    return find_person(plane, person)


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
        return _shown(plane, session, rights.find_row(session, row.person))


def sign_in(plane: ControlPlane, login: str, passphrase: str) -> Person:
    """Return the person of that login if the passphrase is theirs.

    Neither the answer nor the time it takes tells whether the login exists.

    Raises:
        Refused: no such person, a wrong passphrase, or locked out.
    """
    try:
        person = find_person(plane, login)
    except NotFound as error:
        _derive(passphrase, bytes(_SALT_BYTES), plane.settings.argon2)
        raise Refused("expected the person's passphrase, got another") from error
    open_key(plane, person.id, passphrase)
    return person


def open_key(plane: ControlPlane, person: str, passphrase: str) -> Ed25519PrivateKey:
    """Return the signing key of a person, for one signature.

    Each try is counted before it is made, in a transaction of its own: tries at once cannot outnumber the limit, and
    the count outlives the act that a wrong passphrase refuses. The last try allowed locks first; if it is right, it
    unlocks.

    Raises:
        NotFound: there is no such person.
        Refused: a wrong passphrase, or locked out.
    """
    sealed, identity, locked = _count_try(plane, person)
    try:
        seed = _unseal(sealed, passphrase, identity=identity)
    except InvalidTag:
        _log_wrong(plane, identity)
        raise Refused("expected the person's passphrase, got another") from None
    with db.write(plane.engine) as session:
        row = rights.find_row(session, identity)
        if row.locked_until != locked:
            _refuse_locked(row.locked_until, plane.now())
        row.wrong, row.locked_until = 0, None
    return Ed25519PrivateKey.from_private_bytes(seed)


def _count_try(plane: ControlPlane, person: str) -> tuple[dict[str, str | int], str, datetime | None]:
    """Count a try and return the sealed key, the person's id, and until when this very try locked them out."""
    with db.write(plane.engine) as session:
        row, now = rights.find_row(session, person), plane.now()
        _refuse_locked(row.locked_until, now)
        row.wrong += 1
        locked = None
        if row.wrong >= plane.settings.wrong_passphrases:
            row.wrong = 0
            locked = row.locked_until = now + timedelta(seconds=plane.settings.locked_for_s)
        return dict(row.sealed_key), row.id, locked


def _refuse_locked(until: datetime | None, now: datetime) -> None:
    if until and until > now:
        raise Refused(
            "expected a person who is not locked out", hint="too many wrong passphrases: wait, then try again"
        )


def _log_wrong(plane: ControlPlane, person: str) -> None:
    with ledger.act(plane) as session:
        target = LeafObject("person", person)
        event = ledger.Event(Act.SIGNED_IN_FAILED, person, ledger.SYSTEM, Auth.NONE, target, code="wrong-passphrase")
        ledger.append(plane, session, event)


def _shown(plane: ControlPlane, session: Session, row: PersonRow) -> Person:
    return _record(row, texts.display_names(session, plane, [row.id]).get(row.id, ""), plane.now())


def _record(row: PersonRow, name: str, now: datetime) -> Person:
    locked = row.locked_until is not None and row.locked_until > now
    return Person(row.id, row.login, name, tuple(row.roles), row.custody, locked)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seal(seed: bytes, passphrase: str, *, identity: str, cost: Argon2) -> dict[str, str | int]:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    key = _derive(passphrase, salt, cost)
    return {
        "memory_kib": cost.memory_kib,
        "passes": cost.passes,
        "lanes": cost.lanes,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "sealed": ChaCha20Poly1305(key).encrypt(nonce, seed, identity.encode()).hex(),
    }


def _unseal(sealed: dict[str, str | int], passphrase: str, *, identity: str) -> bytes:
    cost = Argon2(int(sealed["memory_kib"]), int(sealed["passes"]), int(sealed["lanes"]))
    salt, nonce, data = (bytes.fromhex(str(sealed[name])) for name in ("salt", "nonce", "sealed"))
    return ChaCha20Poly1305(_derive(passphrase, salt, cost)).decrypt(nonce, data, identity.encode())


def _derive(passphrase: str, salt: bytes, cost: Argon2) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(passphrase.encode(errors="surrogatepass"))
