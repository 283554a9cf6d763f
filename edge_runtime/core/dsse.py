"""Signed envelopes: DSSE over exact bytes, with Ed25519 keys.

Promises: what is signed is the type and the bytes (PAE), so a signature for one kind of document never
passes for another; the payload is verified as bytes and never re-encoded.
Does not: say whose key it is or what the signature is worth (see `statements`, `trust`).
Source: secure-systems-lab DSSE protocol, version 1; RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = [
    "Envelope",
    "decode_base64",
    "encode_base64",
    "key_id",
    "parse_bytes",
    "parse_envelope",
    "parse_envelopes",
    "public_bytes",
    "sign",
    "verified_by",
]

MAX_PAYLOAD_BYTES = 4_000_000
_PAYLOAD = b'{"payload":"'
_SEALED = re.compile(
    rb'","payloadType":"([!#-\[\]-~]{1,200})","signatures":\[\{"keyid":"([0-9a-f]{1,64})","sig":"([!#-\[\]-~]{1,128})"\}\]\}'
    rb"(?:,(?=\{)|\]\Z)"
)
"""What follows the payload in the canonical JSON of an envelope with one signature, and what follows that in a list."""


@frozen
class Envelope:
    """A payload, its type, and signatures as pairs of key id and signature bytes."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def as_json(self) -> JsonObject:
        """Return the envelope in the JSON form of the DSSE specification."""
        return {
            "payload": encode_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": key, "sig": encode_base64(sig)} for key, sig in self.signatures],
        }


def _pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public half of `key`."""
    return key.public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """Return the id of a public key: the SHA-256 of its 32 bytes, in hex."""
    return hashlib.sha256(public).hexdigest()


def sign(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> Envelope:
    """Return `payload` in an envelope signed by `key`."""
    signature = key.sign(_pae(payload_type, payload))
    return Envelope(payload_type, payload, ((key_id(public_bytes(key)), signature),))


def verified_by(envelope: Envelope, public: bytes) -> bool:
    """Return whether the key `public` signed `envelope`; other signatures do not matter."""
    wanted = key_id(public)
    message = _pae(envelope.payload_type, envelope.payload)
    for key, signature in envelope.signatures:
        if key == wanted:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            except (InvalidSignature, ValueError):
                return False
            return True
    return False


def parse_envelope(document: object) -> Envelope:
    """Return the envelope that a JSON object holds.

    Raises:
        InvalidDocument: a member is missing, unknown or mistyped, or base64 is not in its one canonical form.
    """
    fields = Fields(document, "DSSE envelope", tagged=False)
    payload = decode_base64(fields.text("payload", at_most=MAX_PAYLOAD_BYTES * 2))
    payload_type = fields.text("payloadType", at_most=200)
    signatures = fields.items("signatures", _parse_signature, at_most=16)
    fields.close()
    if len({key for key, _ in signatures}) != len(signatures) or not signatures:
        raise InvalidDocument("DSSE envelope: expected one or more signatures, each by another key")
    return Envelope(payload_type, payload, signatures)


def _parse_signature(document: object) -> tuple[str, bytes]:
    fields = Fields(document, "DSSE signature", tagged=False)
    key = fields.text("keyid", at_most=64)
    signature = decode_base64(fields.text("sig", at_most=128))
    fields.close()
    return key, signature


def parse_envelopes(listed: bytes) -> tuple[Envelope, ...] | None:
    """Return the envelopes of a list in canonical JSON, each with one signature; None if it is anything else.

    The payloads of a large library are megabytes of base64, which nothing escapes: they are decoded where they lie.
    What a list of another form means, and what is wrong with it, is for `parse_envelope` to say.
    """
    if listed[:1] != b"[" or listed[-1:] != b"]":
        return None
    found, at = [], 1
    while at < len(listed):
        end = listed.find(b'"', at + len(_PAYLOAD))
        length = end - at - len(_PAYLOAD)
        sealed = _SEALED.match(listed, end) if 0 < length <= MAX_PAYLOAD_BYTES * 2 else None
        if sealed is None or not listed.startswith(_PAYLOAD, at):
            return None
        payload_type, key, signature = (group.decode("ascii") for group in sealed.groups())
        try:
            payload = _decode(listed[at + len(_PAYLOAD) : end])
            found.append(Envelope(payload_type, payload, ((key, decode_base64(signature)),)))
        except InvalidDocument:
            return None
        at = sealed.end()
    return tuple(found)


def encode_base64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard base64 in its one canonical spelling."""
    return _decode(text.encode("ascii", "replace"))


def parse_bytes(value: object) -> bytes:
    """Return the bytes that a JSON value holds in base64; raises `InvalidDocument` if it holds none."""
    return decode_base64(value if isinstance(value, str) else "!")


def _decode(text: bytes) -> bytes:
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise InvalidDocument("expected base64, got text that is not") from error
    # As long as it must be, nothing in it was passed over; bits that mean nothing can only be in the last four.
    if len(text) != (len(data) + 2) // 3 * 4 or base64.b64encode(data[len(text) // 4 * 3 - 3 :]) != text[-4:]:
        raise InvalidDocument("expected base64 in its canonical spelling")
    return data
