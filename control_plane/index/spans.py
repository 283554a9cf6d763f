"""Periods: the times that blocks of 4,096 entries span, and parts of 256 within, so that a period is cut quickly.

Promises: no entry of the period is left out and none outside it let in, also where clocks were set back; only entries
of the parts that the period cuts are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from sqlalchemy import bindparam, text
from sqlmodel import Session

from control_plane.index.postings import BLOCK_ENTRIES, offsets
from control_plane.tables.registry import UtcTime

__all__ = ["Period", "Span", "cut", "spans_of", "touched", "widen"]

PART_ENTRIES = 256
WIDTHS = (BLOCK_ENTRIES, PART_ENTRIES)
Span = tuple[int, int, int, int]
"""Width, number, earliest, latest."""
_FIRST_TIME, _LAST_TIME = -(2**62), 2**62
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_FEW = 40
# Written out and made once: to put them together anew takes longer than to run them.
_SPANS = text(
    "SELECT number, earliest, latest FROM audit_span "
    "WHERE width = :width AND number BETWEEN :low AND :high AND latest >= :since AND earliest < :until"
)
_WIDEN = text(
    "INSERT INTO audit_span (width, number, earliest, latest) VALUES (:width, :number, :earliest, :latest) "
    "ON CONFLICT (width, number) DO UPDATE SET "
    "earliest = CASE WHEN excluded.earliest < audit_span.earliest THEN excluded.earliest ELSE audit_span.earliest END, "
    "latest = CASE WHEN excluded.latest > audit_span.latest THEN excluded.latest ELSE audit_span.latest END"
)
_TIMES = (bindparam("since", type_=UtcTime), bindparam("until", type_=UtcTime))
# Not the bare column: its index would be walked from one end of the period to the other.
_BETWEEN = text(
    "SELECT seq FROM leaf WHERE seq BETWEEN :low AND :high AND coalesce(at, at) >= :since AND coalesce(at, at) < :until"
).bindparams(*_TIMES)
_AMONG = text(
    "SELECT seq FROM leaf WHERE seq IN :seqs AND coalesce(at, at) >= :since AND coalesce(at, at) < :until"
).bindparams(bindparam("seqs", expanding=True), *_TIMES)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on, before `until`; None leaves that end open."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def seconds(self) -> tuple[int, int]:
        """The same in whole seconds, as entries have them: from 10:00:00.5 on is from 10:00:01 on."""
        since = _FIRST_TIME if self.since is None else ceil(self.since.timestamp())
        return since, _LAST_TIME if self.until is None else ceil(self.until.timestamp())

    @property
    def times(self) -> dict[str, datetime]:
        """Both ends, as the database compares times."""
        since, until = self.since or _FIRST, self.until or _LAST
        return {"since": since.astimezone(UTC), "until": until.astimezone(UTC)}


def spans_of(entries: Iterable[tuple[int, datetime]]) -> list[Span]:
    """Return the spans of entries, given as index and time."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for seq, at in entries:
        time_s = int(at.timestamp())
        for width in WIDTHS:
            earliest, latest = found.get((width, seq // width), (time_s, time_s))
            found[width, seq // width] = min(earliest, time_s), max(latest, time_s)
    return sorted((*key, *times) for key, times in found.items())


def widen(session: Session, seq: int, at: datetime) -> None:
    """Let the spans around an entry reach its time, in the caller's transaction."""
    given = [dict(zip(("width", "number", "earliest", "latest"), span, strict=True)) for span in spans_of([(seq, at)])]
    session.connection().execute(_WIDEN, given)


def touched(session: Session, period: Period) -> dict[int, bool]:
    """Return the blocks that a period touches, each with whether it lies within."""
    return _touched(session, period, BLOCK_ENTRIES, 0, 2**31 - 1)


def cut(session: Session, period: Period, *, block: int, bits: int) -> int:
    """Return which of some entries of a block lie within a period."""
    first = block * BLOCK_ENTRIES
    if bits.bit_count() <= _FEW:
        seqs = [first + offset for offset in offsets(bits)]
        return bits & _set(session.connection().execute(_AMONG, {"seqs": seqs, **period.times}).scalars(), first)
    parts = BLOCK_ENTRIES // PART_ENTRIES
    kept = 0
    for number, within in _touched(session, period, PART_ENTRIES, block * parts, block * parts + parts - 1).items():
        low = number * PART_ENTRIES
        if within:
            kept |= ((1 << PART_ENTRIES) - 1) << low - first
        else:
            given = {"low": low, "high": low + PART_ENTRIES - 1, **period.times}
            kept |= _set(session.connection().execute(_BETWEEN, given).scalars(), first)
    return bits & kept


def _touched(session: Session, period: Period, width: int, *numbers: int) -> dict[int, bool]:
    since, until = period.seconds
    given = {"width": width, "low": numbers[0], "high": numbers[1], "since": since, "until": until}
    found = session.connection().execute(_SPANS, given)
    return {number: earliest >= since and latest < until for number, earliest, latest in found}


def _set(seqs: Iterable[int], first: int) -> int:
    bits = 0
    for seq in seqs:
        bits |= 1 << seq - first
    return bits
