"""Sealing a signing key under a secret: a person's passphrase, or a machine's token.

Promises: Argon2id and ChaCha20-Poly1305 with the parameters stored beside the key; the seal covers the owner's id, so a
sealed key that is moved to somebody else's row does not open. A token is random, so HKDF is enough for it.
Does not: count tries or wait in line (see `passphrases`). Source: RFC 9106; RFC 8439; RFC 5869.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from control_plane.settings import Argon2

__all__ = ["InvalidTag", "Sealed", "derive", "seal", "seal_under_token", "unseal", "unseal_with_token"]

Sealed = dict[str, str | int]
SALT_BYTES = 16
_NONCE_BYTES = 12
_MACHINE = b"mentorplane machine key"


def seal(seed: bytes, passphrase: str, *, identity: str, cost: Argon2) -> Sealed:
    """Return the seed of a key, sealed under a passphrase for the person with that id."""
    salt = secrets.token_bytes(SALT_BYTES)
    stated: Sealed = {"memory_kib": cost.memory_kib, "passes": cost.passes, "lanes": cost.lanes, "salt": salt.hex()}
    return stated | _encrypt(derive(passphrase, salt, cost), seed, identity)


def unseal(sealed: Sealed, passphrase: str, *, identity: str) -> bytes:
    """Return the seed that was sealed.

    Raises:
        InvalidTag: another passphrase, or another person's key.
    """
    cost = Argon2(int(sealed["memory_kib"]), int(sealed["passes"]), int(sealed["lanes"]))
    return _decrypt(derive(passphrase, bytes.fromhex(str(sealed["salt"])), cost), sealed, identity)


def derive(passphrase: str, salt: bytes, cost: Argon2) -> bytes:
    """Return the key that a passphrase stands for; takes `cost`."""
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(passphrase.encode(errors="surrogatepass"))


def seal_under_token(seed: bytes, token: str, *, identity: str) -> Sealed:
    """Return the seed of a machine's key, sealed under its token for the person who answers for it."""
    return _encrypt(_of_token(token), seed, identity)


def unseal_with_token(sealed: Sealed, token: str, *, identity: str) -> bytes:
    """Return the seed that was sealed under a token.

    Raises:
        InvalidTag: another token, or another person's key.
    """
    return _decrypt(_of_token(token), sealed, identity)


def _of_token(token: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_MACHINE).derive(token.encode())


def _encrypt(key: bytes, seed: bytes, identity: str) -> Sealed:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return {"nonce": nonce.hex(), "sealed": ChaCha20Poly1305(key).encrypt(nonce, seed, identity.encode()).hex()}


def _decrypt(key: bytes, sealed: Sealed, identity: str) -> bytes:
    nonce, data = (bytes.fromhex(str(sealed[name])) for name in ("nonce", "sealed"))
    return ChaCha20Poly1305(key).decrypt(nonce, data, identity.encode())
