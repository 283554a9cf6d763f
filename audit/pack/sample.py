"""A sample that an auditor can draw again: nobody picks favourites, and anybody can check the draw.

Promises:
1. The sample follows from the second checkpoint of a pack, the auditor's nonce and the population alone.
2. Every subset of the population is equally likely, as far as SHA-256 is a random function: numbers that would
   favour some entries are thrown away, not folded.
3. A population no larger than the sample is taken whole.

The draw, to be performed again with any tool:

    seed      = SHA-256(text of the second checkpoint, without its signatures, followed by the nonce in UTF-8)
    number k  = the first 8 bytes, big-endian, of SHA-256(seed followed by k in 8 bytes, big-endian), k = 0, 1, 2, ...
    a draw out of n takes the next number below the largest multiple of n that is at most 2^64, modulo n
    the population is the list of indexes in rising order; for i = 0 .. 24: draw j out of (length - i), swap the
    items at i and i + j, and take the item at i

The text of a checkpoint leaves out its signatures, so that adding or leaving out a cosignature changes nothing. The
nonce is the auditor's, and is told after the checkpoint was signed: else the log could have been grown until the
draw pleased. A sample without a nonce is provisional, and says so.

Source: Fisher-Yates shuffle; rejection sampling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from audit.record import Act

SAMPLE_SIZE = 25
MAX_NONCE_LENGTH = 200

CHANGES = frozenset(
    {
        Act.SEEDED,
        Act.RELEASED,
        Act.STAGE_CHANGED,
        Act.WITHDRAWN,
        Act.WITHDRAWAL_LIFTED,
        Act.TRUST_CHANGED,
        Act.ROLE_GRANTED,
        Act.ROLE_DELEGATED,
        Act.ROLE_ENDED,
        Act.KEY_ENROLLED,
        Act.KEY_REVOKED,
        Act.SETTINGS_CHANGED,
    }
)
"""The acts that change what devices run, who may decide, or what is recorded, once they are done."""


def seed_of(checkpoint_text: str, nonce: str) -> bytes:
    """Return the seed of a draw.

    Raises:
        ValueError: the nonce is too long, or more than one line.
    """
    if len(nonce) > MAX_NONCE_LENGTH or "\n" in nonce:
        raise ValueError(f"expected a nonce of one line and at most {MAX_NONCE_LENGTH} characters")
    return hashlib.sha256(checkpoint_text.encode() + nonce.encode()).digest()


def draw(seed: bytes, population: Sequence[int], *, size: int = SAMPLE_SIZE) -> tuple[int, ...]:
    """Return the sample in the order in which it was drawn; all of a small population, in rising order.

    >>> draw(bytes(32), range(1000, 1100), size=4)
    (1008, 1024, 1056, 1009)
    """
    items = sorted(population)
    if len(items) <= size:
        return tuple(items)
    numbers = _numbers(seed)
    for at in range(size):
        left = len(items) - at
        limit = 2**64 - 2**64 % left
        number = next(number for number in numbers if number < limit)
        other = at + number % left
        items[at], items[other] = items[other], items[at]
    return tuple(items[:size])


def _numbers(seed: bytes) -> Iterator[int]:
    count = 0
    while True:
        yield int.from_bytes(hashlib.sha256(seed + count.to_bytes(8, "big")).digest()[:8], "big")
        count += 1
