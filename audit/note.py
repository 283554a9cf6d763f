"""Signed notes: a text and the signatures of one or more named keys over it.

Promises:
1. `open_note` returns a text only if at least one known key signed it, every known key that appears verifies,
   and none appears twice.
2. Parsing is strict: exactly one byte string stands for a note, so no byte of what was read can change unseen
   and `parse_note(data).encode() == data`.
3. A verifier key is accepted only if its key id is the one computed from its name, algorithm and key.

It does not read what the text says (see `audit.checkpoint`), and signatures of unknown keys are carried along, not
judged. Algorithms: Ed25519 (type 01) and the timestamped Ed25519 cosignature (type 04) of witnesses.

Source: C2SP signed-note v1.0.0, tlog-cosignature v1.0.1.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen, member
from audit.lines import parse_base64

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
MAX_TIME_S = 2**63 - 1
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\u2014 "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_KEY_ID_HEX = re.compile("[0-9a-f]{8}")


class Algorithm(IntEnum):
    """The signature types this package knows, by their type byte."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@frozen
class Signature:
    """One signature line: who claims to have signed, and the bytes after the key id."""

    name: str
    key_id: bytes
    blob: bytes

    def encode(self) -> bytes:
        """Return the line, with its newline."""
        return f"{_DASH}{self.name} {_b64encode(self.key_id + self.blob)}\n".encode()


@frozen
class Note:
    """A well-formed note of which no signature has been verified."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        return self.text.encode() + b"\n" + b"".join(line.encode() for line in self.signatures)


@frozen
class Verifier:
    """A public key under a name, able to verify signatures of one algorithm."""

    name: str
    public_key: bytes
    algorithm: Algorithm = Algorithm.ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, identify this key in a signature line."""
        head = self.name.encode() + b"\n" + bytes([self.algorithm])
        return hashlib.sha256(head + self.public_key).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as text, `<name>+<key id>+<base64>`."""
        return f"{self.name}+{self.key_id.hex()}+{_b64encode(bytes([self.algorithm]) + self.public_key)}"

    def verify(self, text: str, signature: Signature) -> int | None:
        """Verify a signature over a text; return the time in seconds that a cosignature states, else None.

        Raises:
            NotProven: the signature is not one of this key over this text.
        """
        time_s, raw = self._split(signature.blob)
        try:
            public = Ed25519PublicKey.from_public_bytes(self.public_key)
            public.verify(raw, _message(text, time_s))
        except (InvalidSignature, ValueError) as error:
            raise NotProven("expected a valid signature of a known key, got one that does not verify") from error
        return time_s

    def _split(self, blob: bytes) -> tuple[int | None, bytes]:
        if self.algorithm is Algorithm.ED25519:
            return None, blob
        time_s = int.from_bytes(blob[:_TIME_BYTES], "big")
        if len(blob) <= _TIME_BYTES or time_s > MAX_TIME_S:
            raise NotProven("expected a cosignature with its time, got something else")
        return time_s, blob[_TIME_BYTES:]


@frozen
class Signer:
    """A private key under a name: the 32-byte Ed25519 seed, kept out of the representation."""

    name: str
    seed: bytes = member(repr=False)
    algorithm: Algorithm = Algorithm.ED25519

    def __post_init__(self) -> None:
        if not _is_key_name(self.name) or len(self.seed) != _KEY_BYTES:
            raise ValueError(f"expected a key name without blanks or plus signs and a {_KEY_BYTES}-byte seed")

    @property
    def verifier(self) -> Verifier:
        """The public side of this key."""
        return _verifier_of(self)

    def sign(self, text: str, *, time_s: int | None = None) -> Signature:
        """Sign a text; a cosigner, and nobody else, states the time in POSIX seconds."""
        if (time_s is None) is (self.algorithm is Algorithm.COSIGNATURE):
            raise ValueError("expected a time for a cosignature and none for a plain signature")
        if time_s is not None and not 0 <= time_s <= MAX_TIME_S:
            raise ValueError("expected a time from 0 to 2^63-1")
        raw = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(text, time_s))
        stamp = b"" if time_s is None else time_s.to_bytes(_TIME_BYTES, "big")
        return Signature(self.name, self.verifier.key_id, stamp + raw)


@lru_cache(maxsize=8)
def _verifier_of(signer: Signer) -> Verifier:
    """Derive the public side, which a server asks for at every act."""
    public = Ed25519PrivateKey.from_private_bytes(signer.seed).public_key()
    return Verifier(signer.name, public.public_bytes_raw(), signer.algorithm)


@frozen
class Verified:
    """A key whose signature verified, and the time it stated if it is a cosigner's."""

    verifier: Verifier
    time_s: int | None


@frozen
class OpenedNote:
    """A text with the known keys that signed it, in the order of the note; never empty."""

    text: str
    verified: tuple[Verified, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys that verified."""
        return tuple(one.verifier.name for one in self.verified)


def parse_vkey(vkey: str) -> Verifier:
    """Parse a verifier key, `<name>+<key id>+<base64 of type byte and key>`.

    Raises:
        InvalidFormat: it is malformed, of an unknown algorithm, or its key id is not its own.
    """
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = parse_base64(encoded)
    if not _is_key_name(name) or not _KEY_ID_HEX.fullmatch(key_id) or len(data) != 1 + _KEY_BYTES:
        raise InvalidFormat("expected a verifier key <name>+<key id>+<base64>, got something else")
    if data[0] not in set(Algorithm):
        raise InvalidFormat(f"expected a key of type 1 or 4, got type {data[0]}")
    verifier = Verifier(name, data[1:], Algorithm(data[0]))
    if verifier.key_id.hex() != key_id:
        raise InvalidFormat(f"expected the key id {verifier.key_id.hex()} for this key, got {key_id}")
    return verifier


def parse_note(data: bytes) -> Note:
    """Parse a signed note without verifying anything.

    Raises:
        InvalidFormat: it is not a note, is too long, or holds too many signatures.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise InvalidFormat(f"expected a note of at most {MAX_NOTE_BYTES} bytes, got {len(data)}")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidFormat("expected a note in UTF-8, got other bytes") from error
    if _CONTROL.search(whole):
        raise InvalidFormat("expected no control characters in a note, got one")
    text, blank, block = whole.rpartition("\n\n")
    if not blank:
        raise InvalidFormat("expected a note text, a blank line and signatures, got no blank line")
    return Note(text + "\n", parse_signatures(block.encode()))


def parse_signatures(block: bytes) -> tuple[Signature, ...]:
    """Parse one or more signature lines.

    Raises:
        InvalidFormat: a line is not a signature, there is none, or there are too many.
    """
    *lines, rest = block.decode(errors="replace").split("\n")
    if rest or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise InvalidFormat(f"expected 1 to {MAX_SIGNATURES} signature lines, each ended by a newline")
    signatures = tuple(_parse_line(line) for line in lines)
    if b"".join(line.encode() for line in signatures) != block:
        raise InvalidFormat("expected signature lines in UTF-8, got other bytes")
    return signatures


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = parse_base64(encoded)
    if not line.startswith(_DASH) or not _is_key_name(name) or len(data) <= _KEY_ID_BYTES:
        raise InvalidFormat("expected a signature line with a dash, a key name and base64, got something else")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """Return the note of a text under the signatures of these plain (type 01) signers, in their order."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("expected a text that ends in a newline and holds no other control character")
    signatures = tuple(signer.sign(text) for signer in signers)
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise ValueError(f"expected 1 to {MAX_SIGNATURES} signers, got {len(signatures)}")
    return Note(text, signatures).encode()


def add_signatures(data: bytes, lines: bytes) -> bytes:
    """Return a note with signature lines appended, such as a witness returns them.

    The lines are not verified: open the result to know whose they are.

    Raises:
        InvalidFormat: the note or a line is malformed, or the result holds too many signatures.
    """
    parse_signatures(lines)
    parse_note(data + lines)
    return data + lines


def open_note(data: bytes, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Parse a note and verify the signatures of every known key in it.

    Raises:
        InvalidFormat: the note is malformed.
        NotProven: no known key signed it, one of their signatures fails or is repeated, or two of the known keys
            share a name and key id.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise NotProven("expected known keys with distinct names and key ids, got one twice")
    note = parse_note(data)
    verified: list[Verified] = []
    for signature in note.signatures:
        identity = (signature.name, signature.key_id)
        if identity not in known:
            continue
        verifier = known[identity]
        if any(one.verifier is verifier for one in verified):
            raise NotProven("expected one signature per known key, got two")
        verified.append(Verified(verifier, verifier.verify(note.text, signature)))
    if not verified:
        raise NotProven("expected a signature of a known key, got none")
    return OpenedNote(note.text, tuple(verified))


def _message(text: str, time_s: int | None) -> bytes:
    """Return what is signed: the text, or for a cosignature the text under a header that states the time."""
    if time_s is None:
        return text.encode()
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _b64encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
