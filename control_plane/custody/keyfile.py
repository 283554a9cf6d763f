"""The file of a person's own key: sealed under a passphrase, readable by its owner alone.

Promises: the key is made here, is written once, sealed, with mode 0600, and never leaves the machine: what goes to the
server is the public half and a proof that whoever enrols it holds the key. A passphrase is never stored.
Format: docs/formats.md, `mentorplane-key/1`. Does not: count wrong passphrases: whoever has the file can try offline,
which is why Argon2id costs more here than on the server.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.accounts.sealing import InvalidTag, Sealed, seal, unseal
from control_plane.errors import Conflict, Refused
from control_plane.reviewing.own_keys import PROOF
from control_plane.settings import Argon2
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["COST", "KeyFile", "create_key", "load_key", "open_key", "write_secret"]

FORMAT = "mentorplane-key/1"
COST = Argon2(memory_kib=65_536, passes=3, lanes=1)
MIN_LENGTH = 12
MAX_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file as it is read: whose, the public half, a proof of holding it, and the sealed seed."""

    person: str
    public: bytes
    proof: bytes
    sealed: Sealed = field(repr=False)


def create_key(path: Path, *, person: str, passphrase: str, cost: Argon2 = COST) -> KeyFile:
    """Make a key for the person with that id and write it to a new file.

    Raises:
        InvalidDocument: a passphrase of fewer than 12 characters.
        Conflict: the file is there already.
        Unavailable: it cannot be written.
    """
    if len(passphrase) < MIN_LENGTH:
        raise InvalidDocument(f"expected a passphrase of {MIN_LENGTH} characters or more")
    key = Ed25519PrivateKey.generate()
    sealed = seal(key.private_bytes_raw(), passphrase, identity=person, cost=cost)
    made = KeyFile(person, dsse.public_bytes(key), key.sign(PROOF + person.encode()), sealed)
    document = {
        "format": FORMAT,
        "person": made.person,
        "public": made.public.hex(),
        "proof": made.proof.hex(),
        "sealed": made.sealed,
    }
    write_secret(path, json.dumps(document, indent=2).encode() + b"\n")
    return made


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read.

    Raises:
        Conflict: the file is there already.
        Unavailable: it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("expected a new file for the secret, got one that is there") from error
    except OSError as error:
        raise Unavailable(f"expected to write the file, got {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def load_key(path: Path) -> KeyFile:
    """Return what a key file says, still sealed.

    Raises:
        Unavailable: it cannot be read.
        Refused: others can read it.
        InvalidDocument: it is no key file.
    """
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise Unavailable(f"expected a key file that can be read, got {error.strerror}") from error
    if mode & 0o077:
        raise Refused("expected a key file that only its owner can read, got one that others can", hint="chmod 600")
    try:
        document = json.loads(data[:MAX_BYTES])
        if document["format"] != FORMAT or set(document) != {"format", "person", "public", "proof", "sealed"}:
            raise ValueError
        public, proof = bytes.fromhex(document["public"]), bytes.fromhex(document["proof"])
        return KeyFile(str(document["person"]), public, proof, dict(document["sealed"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a key file of the format {FORMAT}, got another file") from error


def open_key(file: KeyFile, passphrase: str) -> Ed25519PrivateKey:
    """Return the key in a file.

    Raises:
        Refused: another passphrase, or somebody changed the file.
        InvalidDocument: the seal is not of the format.
    """
    try:
        seed = unseal(file.sealed, passphrase, identity=file.person)
        key = Ed25519PrivateKey.from_private_bytes(seed)
    except InvalidTag as error:
        raise Refused("expected the passphrase of the key file, got another") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a key file of the format {FORMAT}, got another seal") from error
    if dsse.public_bytes(key) != file.public:
        raise Refused("expected a key file as it was made, got one whose public half is another")
    return key
