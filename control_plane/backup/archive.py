"""The file of a backup, `mentorplane-backup/1`: a ZIP of `backup.json`, `tables/*.jsonl`, `files/*` and `keys.json`.

`backup.json` says what the backup is of, and for every other member its SHA-256. A row is one line of JSON: bytes in
base64, times in ISO 8601. `keys.json`, if it is there, is encrypted under a passphrase.
Does not: know databases.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from control_plane.errors import Refused
from control_plane.settings import Argon2
from edge_runtime.core.errors import InvalidDocument

__all__ = ["FORMAT", "INDEX", "KEYS", "Index", "Reader", "Writer", "open_keys", "seal_keys"]

FORMAT = "mentorplane-backup/1"
INDEX, KEYS = "backup.json", "keys.json"
_MOST_INDEX = 10_000_000


@dataclass(frozen=True, slots=True)
class Index:
    """What a backup is of; `rows` by table, `members` by name with their digests."""

    at: str
    organisation: str
    revision: str
    size: int
    root: str
    rows: Mapping[str, int]
    members: Mapping[str, str] = field(default_factory=dict)
    format: str = FORMAT


class Writer:
    """Writes a backup beside its place; it is there when all of it is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f".{path.name}.partial")
        self._file = os.fdopen(os.open(self._partial, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        self.members: dict[str, str] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> int:
        """Add a member, and return how many parts it had."""
        count, digest = 0, hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                digest.update(part)
                count += 1
        self.members[name] = digest.hexdigest()
        return count

    def finish(self, index: Index) -> None:
        """Write the index and put the file in its place."""
        self._zip.writestr(INDEX, json.dumps(asdict(index), indent=1, sort_keys=True))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # Crash here: a partial file, which nothing takes for a backup.
        self._partial.replace(self._path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


class Reader:
    """Reads a backup, every member by its digest.

    Raises:
        InvalidDocument: it is not of this form.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            info = self._zip.getinfo(INDEX)
            if info.file_size > _MOST_INDEX:
                raise InvalidDocument("expected a backup, got a file whose index is too large")
            given: Any = json.loads(self._zip.read(INDEX))
            if given.get("format") != FORMAT:
                raise InvalidDocument(f"expected a backup of the form {FORMAT}, got another")
            self.index = Index(**{**given, "members": dict(given["members"])})
        except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidDocument("expected a backup that can be read, got another file") from error
        names = [name for name in self._zip.namelist() if name != INDEX]
        if sorted(names) != sorted(self.index.members):
            raise InvalidDocument("expected the members that the backup's index names, got others")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._zip.close()

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a member; its digest is compared at the end.

        Raises:
            InvalidDocument: it is not what the index says.
        """
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                for line in member:
                    digest.update(line)
                    yield line
        except (zipfile.BadZipFile, KeyError, OSError, EOFError, RuntimeError) as error:
            raise InvalidDocument(f"expected {name} as it was written, got another") from error
        if digest.hexdigest() != self.index.members[name]:
            raise InvalidDocument(f"expected {name} as the backup's index says, got another")

    def read(self, name: str) -> bytes:
        """Return a whole member. Raises: InvalidDocument: it is not what the index says."""
        return b"".join(self.lines(name))

    def names(self, prefix: str) -> list[str]:
        """Return the names of members that begin so."""
        return sorted(name for name in self.index.members if name.startswith(prefix))


def seal_keys(files: Mapping[str, bytes], passphrase: str, cost: Argon2) -> bytes:
    """Return files, encrypted under a passphrase."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    plain = json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()}).encode()
    sealed = ChaCha20Poly1305(_derive(passphrase, salt, cost)).encrypt(nonce, plain, FORMAT.encode())
    parts = {"salt": salt, "nonce": nonce, "data": sealed}
    said: dict[str, Any] = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return json.dumps(asdict(cost) | said).encode()


def open_keys(data: bytes, passphrase: str) -> dict[str, bytes]:
    """Return the files that were encrypted under a passphrase.

    Raises:
        Refused: it is another passphrase.
        InvalidDocument: they are not of this form, or cost more to open than is sane.
    """
    try:
        given = json.loads(data)
        cost = Argon2(given["memory_kib"], given["passes"], given["lanes"])
        salt, nonce, sealed = (base64.b64decode(given[name]) for name in ("salt", "nonce", "data"))
        if not (8 <= cost.memory_kib <= 1_048_576 and 1 <= cost.passes <= 16 and 1 <= cost.lanes <= 16):
            raise InvalidDocument("expected keys that are opened at a sane cost, got others")
        plain = ChaCha20Poly1305(_derive(passphrase, salt, cost)).decrypt(nonce, sealed, FORMAT.encode())
        return {name: base64.b64decode(text) for name, text in json.loads(plain).items()}
    except InvalidTag:
        raise Refused("expected the passphrase that the backup's keys were encrypted under, got another") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidDocument("expected encrypted keys, got something else") from error


def _derive(passphrase: str, salt: bytes, cost: Argon2) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(passphrase.encode())
