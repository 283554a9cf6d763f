"""Signatures of messages, and the secrets that they are made with.

A secret is 32 random bytes, written `whsec_` and base64. While it is rotated a message carries a signature by each of
the two, so that its reader can change over at leisure. Source: the Standard Webhooks specification, 1.0.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from control_plane.plane import ControlPlane
from edge_runtime.core.errors import Unavailable

__all__ = ["new_secret", "open_secrets", "seal_secrets", "secret_bytes", "signed_headers"]

PREFIX = "whsec_"
SECRET_BYTES, NONCE_BYTES = 32, 12


def new_secret(plane: ControlPlane) -> str:
    """Return a fresh secret, as it is shown once."""
    return PREFIX + base64.b64encode(plane.random(SECRET_BYTES)).decode()


def secret_bytes(text: str) -> bytes:
    """Return the bytes of a secret: `whsec_` and base64, or base64 alone.

    Raises:
        ValueError: it is no base64.
    """
    return base64.b64decode(text.removeprefix(PREFIX), validate=True)


def signed_headers(secrets: Iterable[bytes], identity: str, *, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message over its id, time and body: a signature by each secret, separated by spaces."""
    signed = f"{identity}.{timestamp}.".encode() + body
    made = ("v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {"webhook-id": identity, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(made)}


def seal_secrets(plane: ControlPlane, identity: str, secrets: Sequence[str]) -> bytes:
    """Return secrets as they are stored: whoever has the database without the keys folder has none of them."""
    nonce = plane.random(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(_key(plane)).encrypt(nonce, json.dumps(list(secrets)).encode(), identity.encode())


def open_secrets(plane: ControlPlane, identity: str, data: bytes) -> tuple[str, ...]:
    """Return stored secrets.

    Raises:
        Unavailable: they were changed from outside, or `keys/texts.key` is another one.
    """
    try:
        plain = ChaCha20Poly1305(_key(plane)).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], identity.encode())
    except (InvalidTag, ValueError) as error:
        raise Unavailable("expected a webhook's secret as it was encrypted, got something else") from error
    return tuple(json.loads(plain))


def _key(plane: ControlPlane) -> bytes:
    return hmac.digest(plane.keys.texts, b"mentorplane webhook secrets 1", "sha256")
