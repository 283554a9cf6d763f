"""Commitments to texts that the log may not hold.

Promises: a commitment says nothing about its text to whoever lacks the salt, and binds to it whoever has both.
Does not: keep either. Source: RFC 2104 (HMAC under a secret salt).
"""

from __future__ import annotations

import hashlib
import hmac

from audit.errors import NotProven

__all__ = ["MIN_SALT_BYTES", "commit", "verify_commitment"]

MIN_SALT_BYTES = 16


def commit(text: str, salt: bytes) -> str:
    """Return a commitment to a text: it reveals nothing without the salt, and nothing at all once that is destroyed.

    Equal texts under different salts have different commitments, so use a fresh random salt of at least 16 bytes for
    each text.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"expected a salt of at least {MIN_SALT_BYTES} bytes, got {len(salt)}")
    return "hmac-sha256:" + hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def verify_commitment(commitment: str, text: str, salt: bytes) -> None:
    """Verify that a commitment was made to this text under this salt.

    Raises:
        NotProven: it was not.
    """
    if not hmac.compare_digest(commitment.encode(), commit(text, salt).encode()):
        raise NotProven("expected a commitment to this text and salt, got another")
