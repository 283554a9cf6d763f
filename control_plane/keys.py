"""The server's own keys: TUF roles, the audit log, and what wraps the keys of texts. People's are in `people`.

Promises: files are 0600 and made once, all or none; a key that is missing later is an error, never a new key.
A default installation keeps root and targets here as well, calls itself self-contained, and claims less.
Does not: sign. Source: DESIGN section 6, Keys.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from audit.note import Signer
from control_plane.files import write_atomic
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["ROLES", "ServerKeys", "load_keys"]

ROLES = ("root", "targets", "snapshot", "timestamp", "releases")
_NAMES = (*ROLES, "log")
_TEXTS = "texts.key"
_TEXTS_BYTES = 32


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """One Ed25519 key for each TUF role, the log's signer, and the key that wraps those of texts."""

    roles: Mapping[str, Ed25519PrivateKey] = field(repr=False)
    log: Signer
    texts: bytes = field(repr=False)


def load_keys(folder: Path, organisation: str) -> ServerKeys:
    """Return the keys in `folder`, made now if the folder does not exist.

    Raises:
        Unavailable: the folder exists but a key in it does not.
        InvalidDocument: a file holds no Ed25519 key.
    """
    if not folder.exists():
        _make_keys(folder)
    keys = {name: _load_key(folder / f"{name}.pem") for name in _NAMES}
    log = keys.pop("log")
    signer = Signer(f"mentorplane/{organisation}", log.private_bytes_raw())
    return ServerKeys(keys, signer, _read(folder / _TEXTS))


def _make_keys(folder: Path) -> None:
    # A crash before the rename leaves only the staging folder, which the next start replaces.
    staging = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True, mode=0o700)
    for name in _NAMES:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomic(staging / f"{name}.pem", pem, private=True)
    write_atomic(staging / _TEXTS, secrets.token_bytes(_TEXTS_BYTES), private=True)
    staging.rename(folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Unavailable(
            f"expected the key file {path.name}, got none", hint="restore the keys folder from a backup"
        ) from error


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except ValueError as error:
        raise InvalidDocument(f"expected a private key in {path.name}, got something else") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidDocument(f"expected an Ed25519 key in {path.name}, got another kind")
    return key
