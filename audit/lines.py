"""The lines that checkpoints, proofs and witness requests are made of: decimal numbers, and hashes in base64.

Promises: exactly one text stands for a number or a hash, so what was read encodes to the same bytes. `int()` and
`b64decode` take many more; neither decides here.

It does not know what the lines mean: see `audit.checkpoint`, `audit.proof` and `audit.witness`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from audit.errors import InvalidFormat
from audit.merkle import HASH_BYTES, MAX_SIZE

MAX_PROOF_LINES = 63
_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


def parse_decimal(text: str, what: str) -> int:
    """Parse a number from 0 to 2^63-1 in ASCII digits without leading zeros; `what` names it in the refusal.

    >>> parse_decimal("20852163", "size")
    20852163

    Raises:
        InvalidFormat: it is written in another form, or is larger.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise InvalidFormat(f"expected a {what} in decimal without leading zeros, got something else")
    return int(text)


def parse_base64(text: str) -> bytes:
    """Parse standard base64 in its only form.

    Raises:
        InvalidFormat: it is something else, or has non-zero trailing bits.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidFormat("expected standard base64, got something else") from error
    if base64.b64encode(data).decode() != text:
        raise InvalidFormat("expected standard base64 in its only form, got another")
    return data


def parse_hash(line: str) -> bytes:
    """Parse a hash in base64.

    Raises:
        InvalidFormat: it is something else, or of another length.
    """
    value = parse_base64(line)
    if len(value) != HASH_BYTES:
        raise InvalidFormat(f"expected a hash of {HASH_BYTES} bytes in base64, got {len(value)} bytes")
    return value


def parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Parse the lines of a proof, one hash each.

    Raises:
        InvalidFormat: a line is not a hash in base64, or there are more than a tree of 2^63 leaves needs.
    """
    if len(lines) > MAX_PROOF_LINES:
        raise InvalidFormat(f"expected at most {MAX_PROOF_LINES} proof lines, got {len(lines)}")
    return tuple(parse_hash(line) for line in lines)


def encode_hashes(hashes: Iterable[bytes]) -> bytes:
    """Return the lines of a proof, each with its newline."""
    return b"".join(base64.b64encode(value) + b"\n" for value in hashes)
