"""Finding entries by the index: which have every one of some terms, within a period, newest first.

Promises: the time it takes depends on how many blocks of 4,096 entries the log has, not on how common the terms are or
whether anything is found; rare terms skip the blocks where they are not.
Does not: check what the index says against the entries (see `index.problems`, and `ledger.search`, which reads them).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from sqlalchemy import bindparam, func, text
from sqlmodel import Session, col, select

from control_plane.evidence.postings import BLOCK_ENTRIES, decode_bits, offsets
from control_plane.registry.tables import LeafRow
from edge_runtime.core.errors import Unavailable

__all__ = ["Wanted", "find"]

_FIRST_WINDOW, _LAST_WINDOW = 4, 128
_FEW = 200
_FIRST_TIME, _LAST_TIME = -(2**62), 2**62
# Written out and made once: to put them together anew takes longer than to run them.
_LAST = text("SELECT max(seq) FROM leaf")
_SPANS = text("SELECT block, earliest, latest FROM audit_span WHERE latest >= :since AND earliest < :until")
_NEXT = text("SELECT block FROM audit_posting WHERE term = :term AND block <= :block ORDER BY block DESC LIMIT 1")
_WINDOW = text(
    "SELECT block, bits FROM audit_posting WHERE term IN :terms AND block BETWEEN :low AND :high"
).bindparams(bindparam("terms", expanding=True))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Terms that an entry must all have, a period, and the index that it must be below."""

    terms: tuple[bytes, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def find(session: Session, wanted: Wanted) -> Iterator[int]:
    """Yield the indexes of entries, newest first.

    Raises:
        Unavailable: a row of the index is not one.
    """
    last = session.connection().execute(_LAST).scalar()
    end = 0 if last is None else last + 1
    end = end if wanted.before is None else min(end, wanted.before)
    spans = _spans(session, wanted)
    for block, common in _blocks(session, wanted.terms, top=(end - 1) // BLOCK_ENTRIES, spans=spans):
        first = block * BLOCK_ENTRIES
        below = common if end - first >= BLOCK_ENTRIES else common & (1 << end - first) - 1
        cut = below and spans is not None and not spans[block]
        within = _within(session, wanted, block=block, bits=below) if cut else below
        yield from (first + offset for offset in offsets(within))


def _spans(session: Session, wanted: Wanted) -> dict[int, bool] | None:
    """Return the blocks that the period touches, each with whether it lies within; None without a period."""
    if wanted.since is None and wanted.until is None:
        return None
    # Times are whole seconds: at or after 10:00:00.5 is at or after 10:00:01.
    since = _FIRST_TIME if wanted.since is None else ceil(wanted.since.timestamp())
    until = _LAST_TIME if wanted.until is None else ceil(wanted.until.timestamp())
    found = session.connection().execute(_SPANS, {"since": since, "until": until})
    return {block: earliest >= since and latest < until for block, earliest, latest in found}


def _blocks(
    session: Session, terms: Sequence[bytes], *, top: int, spans: dict[int, bool] | None
) -> Iterator[tuple[int, int]]:
    """Yield the blocks, newest first, with the entries that have every term."""
    if not terms:
        whole = (1 << BLOCK_ENTRIES) - 1
        numbers = range(top, -1, -1) if spans is None else sorted((b for b in spans if b <= top), reverse=True)
        yield from ((block, whole) for block in numbers)
        return
    block, window = top, _FIRST_WINDOW
    while True:
        block = _next(session, terms, block)
        if block < 0:
            return
        low = max(block - window + 1, 0)
        for number, bits in _window(session, terms, low=low, high=block):
            if bits and (spans is None or number in spans):
                yield number, bits
        block, window = low - 1, min(2 * window, _LAST_WINDOW)


def _next(session: Session, terms: Sequence[bytes], block: int) -> int:
    """Return the newest block up to `block` at which every term could be; -1 if there is none."""
    for one in terms:
        if block < 0:
            break
        found = session.connection().execute(_NEXT, {"term": one, "block": block}).scalar()
        block = -1 if found is None else found
    return block


def _window(session: Session, terms: Sequence[bytes], *, low: int, high: int) -> Iterator[tuple[int, int]]:
    found = session.connection().execute(_WINDOW, {"terms": terms, "low": low, "high": high})
    held: dict[int, list[bytes]] = defaultdict(list)
    for block, bits in found:
        held[block].append(bits)
    for block in sorted(held, reverse=True):
        if len(held[block]) == len(terms):
            try:
                common = (1 << BLOCK_ENTRIES) - 1
                for data in held[block]:
                    common &= decode_bits(data)
            except (TypeError, ValueError) as error:
                raise Unavailable(
                    "expected an index that can be read, got other bytes", hint="mentorplane audit reindex"
                ) from error
            yield block, common


def _within(session: Session, wanted: Wanted, *, block: int, bits: int) -> int:
    """Return which entries of a block that the period cuts lie within it."""
    first, query = block * BLOCK_ENTRIES, select(LeafRow.seq)
    if bits.bit_count() <= _FEW:
        query = query.where(col(LeafRow.seq).in_([first + offset for offset in offsets(bits)]))
    else:
        query = query.where(LeafRow.seq >= first, LeafRow.seq < first + BLOCK_ENTRIES)
    # Not the bare column: its index would be walked from one end of the period to the other.
    at = func.coalesce(LeafRow.at, LeafRow.at)
    if wanted.since is not None:
        query = query.where(at >= wanted.since.astimezone(UTC))
    if wanted.until is not None:
        query = query.where(at < wanted.until.astimezone(UTC))
    found = 0
    for seq in session.exec(query):
        found |= 1 << seq - first
    return found
