"""Finding entries by the index: which have every one of some terms, within a period, newest first.

Promises: the time it takes depends on how many blocks of 4,096 entries the log has, not on how common the terms are or
whether anything is found; rare terms skip the blocks where they are not.
Does not: check what the index says against the entries (see `index.problems`, and `ledger.search`, which reads them).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_

from sqlalchemy import bindparam, text
from sqlmodel import Session

from control_plane.index.postings import BLOCK_ENTRIES, decode_bits, offsets
from control_plane.index.spans import Period, cut, touched
from edge_runtime.core.errors import Unavailable

__all__ = ["Wanted", "find"]

_FIRST_WINDOW, _LAST_WINDOW = 8, 512
# Written out and made once: to put them together anew takes longer than to run them.
_LAST = text("SELECT max(seq) FROM leaf")
_NEXT = text("SELECT block FROM audit_posting WHERE term = :term AND block <= :block ORDER BY block DESC LIMIT 1")
_WINDOW = text(
    "SELECT block, term, bits FROM audit_posting WHERE term IN :terms AND block BETWEEN :low AND :high"
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
    period = Period(wanted.since, wanted.until)
    spans = None if period == Period() else touched(session, period)
    for block, common in _blocks(session, wanted.terms, top=(end - 1) // BLOCK_ENTRIES, spans=spans):
        first = block * BLOCK_ENTRIES
        below = common if end - first >= BLOCK_ENTRIES else common & (1 << end - first) - 1
        is_cut = below and spans is not None and not spans[block]
        within = cut(session, period, block=block, bits=below) if is_cut else below
        yield from (first + offset for offset in offsets(within))


def _blocks(
    session: Session, terms: Sequence[bytes], *, top: int, spans: dict[int, bool] | None
) -> Iterator[tuple[int, int]]:
    """Yield the blocks, newest first, with the entries that have every term."""
    if not terms:
        whole = (1 << BLOCK_ENTRIES) - 1
        numbers = range(top, -1, -1) if spans is None else sorted((b for b in spans if b <= top), reverse=True)
        yield from ((block, whole) for block in numbers)
        return
    newest, oldest = (max(spans, default=-1), min(spans, default=0)) if spans is not None else (top, 0)
    block, window = min(top, newest), _FIRST_WINDOW
    while block >= oldest:
        low = max(block - window + 1, oldest)
        held = _window(session, terms, low=low, high=block)
        for number in sorted(held, reverse=True):
            bits = _common(held[number].values()) if len(held[number]) == len(terms) else 0
            if bits and (spans is None or number in spans):
                yield number, bits
        present = {one for found in held.values() for one in found}
        block, window = low - 1, min(4 * window, _LAST_WINDOW)
        for one in terms:
            if one not in present:  # rare: go to where it is, or end
                block = _next(session, one, block)


def _next(session: Session, term: bytes, block: int) -> int:
    """Return the newest block up to `block` that has a term; -1 if there is none."""
    if block < 0:
        return -1
    found = session.connection().execute(_NEXT, {"term": term, "block": block}).scalar()
    return -1 if found is None else int(found)


def _window(session: Session, terms: Sequence[bytes], *, low: int, high: int) -> dict[int, dict[bytes, bytes]]:
    """Return what is stored for some terms in some blocks, by block and term."""
    held: dict[int, dict[bytes, bytes]] = defaultdict(dict)
    for block, one, bits in session.connection().execute(_WINDOW, {"terms": terms, "low": low, "high": high}):
        held[block][one] = bits
    return held


def _common(stored: Iterable[bytes]) -> int:
    """Return the entries that all of some stored sets have."""
    try:
        return reduce(and_, map(decode_bits, stored))
    except (TypeError, ValueError) as error:
        raise Unavailable(
            "expected an index that can be read, got other bytes", hint="mentorplane audit reindex"
        ) from error
