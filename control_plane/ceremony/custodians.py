"""Custodians: who keeps one of the keys behind root or targets, in a sealed file or in hardware.

Promises: a key in a file is made where the file is, sealed under a passphrase, mode 0600, and leaves it for a signature
alone; one in hardware never leaves that; the public half is a file of its own, to hand over. The file is named for a
person by themselves, and that name stands in no metadata. Format: docs/formats.md, `mentorplane-custodian/1`.
Does not: know what is signed (see `orders`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from securesystemslib.signer import Signer as TufSigner

from control_plane.accounts.sealing import InvalidTag, Sealed, seal, unseal
from control_plane.custody.keyfile import COST, MIN_LENGTH, write_secret
from control_plane.errors import Refused
from control_plane.settings import Argon2
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["Custodian", "create_custodian", "import_custodian", "load_custodian", "open_signer", "public_path"]

FORMAT = "mentorplane-custodian/1"
MAX_BYTES = 20_000
HARDWARE = "hsm:"
Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Custodian:
    """A custodian's file as it is read: a name, the public key, and the sealed seed or the address of the hardware.

    Both are "" in the file of the public half.
    """

    name: str
    key: Key
    sealed: Sealed = field(repr=False)
    uri: str

    @property
    def can_sign(self) -> bool:
        """Whether this is more than the public half."""
        return bool(self.sealed or self.uri)


def create_custodian(path: Path, *, name: str, passphrase: str, cost: Argon2 = COST) -> Custodian:
    """Make a key and write its sealed file, and the file of its public half beside it.

    Raises:
        InvalidDocument: a passphrase of fewer than 12 characters, or no name.
        Conflict: one of the files is there already.
        Unavailable: they cannot be written.
    """
    if len(passphrase) < MIN_LENGTH:
        raise InvalidDocument(f"expected a passphrase of {MIN_LENGTH} characters or more")
    key = Ed25519PrivateKey.generate()
    public = SSlibKey.from_crypto(key.public_key())
    sealed = seal(key.private_bytes_raw(), passphrase, identity=public.keyid, cost=cost)
    return _written(path, Custodian(name, public, sealed, ""))


def import_custodian(path: Path, *, name: str, uri: str, ask: Ask) -> Custodian:
    """Write the file of a key that is in a hardware token, such as "hsm:2?label=Ada", and that of its public half.

    Raises:
        InvalidDocument: no name, or another kind of address.
        Unavailable: the token does not answer, or what speaks PKCS#11 is not installed.
        Conflict: one of the files is there already.
    """
    from urllib.parse import parse_qs, urlsplit

    from securesystemslib.signer import HSMSigner

    if not uri.startswith(HARDWARE):
        raise InvalidDocument('expected the address of a key in a token, such as "hsm:2?label=Ada"')
    try:
        parts = urlsplit(uri)
        number = int(parts.path) if parts.path else None
        label = parse_qs(parts.query).get("label", [None])[0]
        found, key = HSMSigner.import_(number, label, ask)
    except ValueError as error:
        raise Unavailable(f"expected a key in the token, got: {error}", hint="PYKCS11LIB names its library") from error
    except UnsupportedLibraryError as error:
        raise Unavailable(
            "expected what speaks PKCS#11 to be installed, got none", hint='pip install "mentorplane[hsm]"'
        ) from error
    return _written(path, Custodian(name, key, {}, found))


def load_custodian(path: Path) -> Custodian:
    """Return what the file of a custodian, or of their public half, says.

    Raises:
        Unavailable: it cannot be read.
        Refused: it holds a sealed key, and others can read it.
        InvalidDocument: it is no such file.
    """
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise Unavailable(f"expected the file of a custodian that can be read, got {error.strerror}") from error
    try:
        document = json.loads(data[:MAX_BYTES])
        if document["format"] != FORMAT or set(document) != {"format", "name", "keyid", "key", "sealed", "uri"}:
            raise ValueError
        key = Key.from_dict(str(document["keyid"]), dict(document["key"]))
        found = Custodian(str(document["name"]), key, dict(document["sealed"]), str(document["uri"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a file of the format {FORMAT}, got another") from error
    if found.sealed and mode & 0o077:
        raise Refused("expected a key file that only its owner can read, got one that others can", hint="chmod 600")
    return found


def open_signer(custodian: Custodian, ask: Ask) -> TufSigner:
    """Return what signs with a custodian's key; `ask` is asked for their passphrase, or for the PIN of the token.

    Raises:
        Refused: another passphrase, or somebody changed the file.
        InvalidDocument: the public half alone, or a seal that is none.
    """
    if custodian.uri:
        return TufSigner.from_priv_key_uri(custodian.uri, custodian.key, ask)
    if not custodian.sealed:
        raise InvalidDocument("expected the file of a key to sign with, got its public half alone")
    try:
        seed = unseal(custodian.sealed, ask("passphrase"), identity=custodian.key.keyid)
        key = Ed25519PrivateKey.from_private_bytes(seed)
    except InvalidTag as error:
        raise Refused("expected the passphrase of the key file, got another") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a file of the format {FORMAT}, got another seal") from error
    if SSlibKey.from_crypto(key.public_key()) != custodian.key:
        raise Refused("expected a key file as it was made, got one whose public half is another")
    return CryptoSigner(key)


def public_path(path: Path) -> Path:
    """Return where the public half of the key in `path` is written.

    >>> public_path(Path("ada.key")).name
    'ada.key.public'
    """
    return path.with_name(path.name + ".public")


def _written(path: Path, made: Custodian) -> Custodian:
    if not made.name.strip() or len(made.name) > 60 or not made.name.isprintable():
        raise InvalidDocument("expected a name of up to 60 characters that can be read")
    document = {"format": FORMAT, "name": made.name, "keyid": made.key.keyid, "key": made.key.to_dict()}
    whole, public = ({**document, "sealed": made.sealed, "uri": made.uri}, {**document, "sealed": {}, "uri": ""})
    write_secret(path, json.dumps(whole, indent=2).encode() + b"\n")
    write_secret(public_path(path), json.dumps(public, indent=2).encode() + b"\n")
    return made
