"""The server's own keys: TUF roles, the audit log, and what wraps the keys of texts. People's are in `people`.

Promises: files are 0600 and made once, all or none; a key that is missing later is an error, never a new key.
A default installation keeps root and targets here as well, calls itself self-contained, and claims less; once
custodians keep these two (see `ceremony`), the file `offline` says so, and they are not looked for here.
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

from audit.note import Signer, Verifier, parse_vkey
from control_plane.files import write_atomic
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = [
    "OFFLINE",
    "ONLINE",
    "ServerKeys",
    "load_key",
    "load_keys",
    "make_key",
    "make_keys",
    "replace_log_key",
    "take_offline",
]

ONLINE = ("snapshot", "timestamp", "releases")
OFFLINE = ("root", "targets")
"""The roles that custodians can keep elsewhere."""
_ELSEWHERE = "offline"
_EARLIER_LOGS = "earlier-logs"
_TEXTS = "texts.key"
_TEXTS_BYTES = 32


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """One Ed25519 key for each TUF role that is signed here, the log's signer, and the key that wraps those of texts.

    `also` are keys that sign beside those in `roles` while a ceremony replaces them; `earlier_logs` are the public
    halves of the keys that the log had before.
    """

    roles: Mapping[str, Ed25519PrivateKey] = field(repr=False)
    log: Signer
    texts: bytes = field(repr=False)
    also: Mapping[str, Ed25519PrivateKey] = field(default_factory=dict, repr=False)
    earlier_logs: tuple[Verifier, ...] = ()

    @property
    def is_self_contained(self) -> bool:
        """Whether root and targets are signed here as well."""
        return set(OFFLINE) <= set(self.roles)


def load_keys(folder: Path, organisation: str) -> ServerKeys:
    """Return the keys in `folder`, made now if the folder does not exist.

    Raises:
        Unavailable: the folder exists but a key in it does not.
        InvalidDocument: a file holds no Ed25519 key.
    """
    if not folder.exists():
        make_keys(folder)
    names = ONLINE if (folder / _ELSEWHERE).exists() else (*OFFLINE, *ONLINE)
    keys = {name: load_key(folder / f"{name}.pem") for name in (*names, "log")}
    log = keys.pop("log")
    signer = Signer(f"mentorplane/{organisation}", log.private_bytes_raw())
    return ServerKeys(keys, signer, _read(folder / _TEXTS), earlier_logs=_earlier_logs(folder))


def replace_log_key(folder: Path, new: Path, *, before: str) -> None:
    """Let a new key take the place of the log's, and keep the public half of the one before, as it was published."""
    known = [one.vkey for one in _earlier_logs(folder)]
    lines = "".join(f"{vkey}\n" for vkey in dict.fromkeys([*known, before]))
    write_atomic(folder / _EARLIER_LOGS, lines.encode(), private=True)
    # Crash here: the present key is listed among those before as well, which does no harm.
    new.replace(folder / "log.pem")


def _earlier_logs(folder: Path) -> tuple[Verifier, ...]:
    path = folder / _EARLIER_LOGS
    return tuple(parse_vkey(line) for line in path.read_text("ascii").splitlines()) if path.exists() else ()


def make_keys(folder: Path, *, offline: bool = False) -> None:
    """Make the keys of a new installation; with `offline` without those that custodians keep."""
    # A crash before the rename leaves only the staging folder, which the next start replaces.
    staging = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True, mode=0o700)
    for name in (*ONLINE, "log", *(() if offline else OFFLINE)):
        make_key(staging / f"{name}.pem")
    write_atomic(staging / _TEXTS, secrets.token_bytes(_TEXTS_BYTES), private=True)
    if offline:
        write_atomic(staging / _ELSEWHERE, b"", private=True)
    staging.rename(folder)


def make_key(path: Path) -> None:
    """Write a new key to a file."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomic(path, pem, private=True)


def take_offline(folder: Path) -> None:
    """Say that custodians keep root and targets, and delete the two keys here."""
    write_atomic(folder / _ELSEWHERE, b"", private=True)
    # Crash here: the keys lie there unused; carrying out the order again deletes them.
    for name in OFFLINE:
        (folder / f"{name}.pem").unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Unavailable(
            f"expected the key file {path.name}, got none", hint="restore the keys folder from a backup"
        ) from error


def load_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in a file.

    Raises:
        Unavailable: it is not there.
        InvalidDocument: it holds no Ed25519 key.
    """
    try:
        key = load_pem_private_key(_read(path), password=None)
    except ValueError as error:
        raise InvalidDocument(f"expected a private key in {path.name}, got something else") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidDocument(f"expected an Ed25519 key in {path.name}, got another kind")
    return key
