"""Posting sets: which entries have a term, as one small set of bits for each block of 4,096 entries.

Why bits: of two terms that half of the log has each and no entry both, a sorted list takes half a million probes; here
they take 245 ANDs for a million entries. So every combination of filters costs a few milliseconds, whether it finds
anything or not, on SQLite and PostgreSQL alike.

Form of `bits`: up to 64 entries as their offsets within the block, two bytes each, little-endian, rising; more as 512
bytes, little-endian, bit n for the entry at offset n. So a digest that one entry has takes two bytes.
Does not: know what a term means (see `terms`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from control_plane.tables.index import PostingRow

__all__ = ["BLOCK_ENTRIES", "clear", "decode_bits", "encode_bits", "merge", "offsets", "spread"]

BLOCK_ENTRIES = 4096
_DENSE_BYTES = BLOCK_ENTRIES // 8
_SPARSE_ENTRIES = 64
_AT_ONCE = 500
"""How many terms one statement names: both databases bound the parameters of one."""
# Written out and made once, as every act runs them: to put them together anew takes longer than to run them.
_HELD = text("SELECT term, bits FROM audit_posting WHERE block = :block AND term IN :terms").bindparams(
    bindparam("terms", expanding=True)
)
_PUT = text(
    "INSERT INTO audit_posting (term, block, bits) VALUES (:term, :block, :bits) "
    "ON CONFLICT (term, block) DO UPDATE SET bits = excluded.bits"
)
_DROP = text("DELETE FROM audit_posting WHERE term = :term AND block = :block")


def encode_bits(bits: int) -> bytes:
    """Return a set of offsets, given as the integer with those bits, in its stored form.

    >>> encode_bits(0b101).hex(), len(encode_bits(2**100 - 1))
    ('00000200', 512)
    """
    if bits.bit_count() > _SPARSE_ENTRIES:
        return bits.to_bytes(_DENSE_BYTES, "little")
    return b"".join(offset.to_bytes(2, "little") for offset in reversed(tuple(offsets(bits))))


def decode_bits(data: bytes) -> int:
    """Return the set that a stored form stands for.

    Raises:
        ValueError: it is none.
    """
    if len(data) == _DENSE_BYTES:
        return int.from_bytes(data, "little")
    if len(data) % 2 or len(data) > 2 * _SPARSE_ENTRIES:
        raise ValueError("expected a set of offsets, got something else")
    bits = 0
    for (offset,) in struct.iter_unpack("<H", data):
        bits |= 1 << offset
    if bits >> BLOCK_ENTRIES:
        raise ValueError("expected offsets within a block, got one beyond")
    return bits


def offsets(bits: int) -> Iterator[int]:
    """Yield the offsets in a set, highest first."""
    while bits:
        top = bits.bit_length() - 1
        yield top
        bits ^= 1 << top


def spread(seqs: Iterable[int]) -> dict[int, int]:
    """Return entries as one set of offsets for each block.

    >>> spread([0, 2, 4097])
    {0: 5, 1: 2}
    """
    found: dict[int, int] = {}
    for seq in seqs:
        block, offset = divmod(seq, BLOCK_ENTRIES)
        found[block] = found.get(block, 0) | 1 << offset
    return found


def merge(session: Session, block: int, added: Mapping[bytes, int]) -> None:
    """Add entries of one block to the sets of some terms, in the caller's transaction.

    The transaction holds the log-head row, so nobody else writes meanwhile.
    """
    connection, terms = session.connection(), sorted(added)
    stored: dict[bytes, bytes] = {}
    for start in range(0, len(terms), _AT_ONCE):
        given = {"block": block, "terms": terms[start : start + _AT_ONCE]}
        stored |= {row.term: row.bits for row in connection.execute(_HELD, given)}
    rows = [(term, added[term] | decode_bits(stored.get(term, b""))) for term in terms]
    if rows:
        connection.execute(_PUT, [{"term": term, "block": block, "bits": encode_bits(bits)} for term, bits in rows])


def clear(session: Session, seqs: Iterable[int], *, prefix: bytes) -> None:
    """Take entries out of the sets of every term that begins with `prefix`: reads all sets of such terms."""
    gone = spread(seqs)
    query = select(PostingRow.term, PostingRow.block, PostingRow.bits).where(
        col(PostingRow.term) >= prefix, col(PostingRow.term) < prefix + b"\xff" * 16
    )
    left: list[dict[str, object]] = []
    empty: list[dict[str, object]] = []
    for term, block, data in session.exec(query):
        bits = decode_bits(data)
        if bits & gone.get(block, 0):
            kept = bits & ~gone[block]
            (left if kept else empty).append({"term": term, "block": block, "bits": encode_bits(kept)})
    if left:
        session.connection().execute(_PUT, left)
    if empty:
        session.connection().execute(_DROP, [{"term": row["term"], "block": row["block"]} for row in empty])
