"""Signing keys sealed under passphrases: opened for one signature, or to see who signs in.

Promises: a key is sealed under its person's passphrase (Argon2id, ChaCha20-Poly1305, the parameters stored beside it)
and opened for one signature; after a few wrong passphrases in a row a person is locked out for a while, and the log
says so.
Does not: keep a running, stolen server from capturing a passphrase (the approval floor can demand keys of people's
own against that). Source: RFC 9106; RFC 8439; 21 CFR 11.200.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.errors import NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.settings import Argon2
from edge_runtime.core.errors import InvalidDocument

__all__ = ["new_key", "open_key", "sign_in"]

MIN_PASSPHRASE_LENGTH = 8
_SALT_BYTES = 16
_NONCE_BYTES = 12


def new_key(plane: ControlPlane, passphrase: str, *, identity: str) -> tuple[Ed25519PrivateKey, dict[str, str | int]]:
    """Return a fresh key for the person with that id, and the same key sealed under their passphrase.

    Raises:
        InvalidDocument: a passphrase of fewer than 8 characters.
    """
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise InvalidDocument(f"expected a passphrase of {MIN_PASSPHRASE_LENGTH} characters or more")
    key = Ed25519PrivateKey.generate()
    return key, _seal(key.private_bytes_raw(), passphrase, identity=identity, cost=plane.settings.argon2)


def sign_in(plane: ControlPlane, login: str, passphrase: str) -> str:
    """Return the id of the person of that login if the passphrase is theirs.

    Neither the answer nor the time it takes tells whether the login exists.

    Raises:
        Refused: no such person, a wrong passphrase, or locked out.
    """
    try:
        identity = _identity(plane, login)
    except NotFound as error:
        _derive(passphrase, bytes(_SALT_BYTES), plane.settings.argon2)
        raise Refused("expected the person's passphrase, got another") from error
    open_key(plane, identity, passphrase)
    return identity


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


def _identity(plane: ControlPlane, login: str) -> str:
    with db.read(plane.engine) as session:
        return rights.find_row(session, login).id


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
