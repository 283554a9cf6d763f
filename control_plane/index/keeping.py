"""The search index: kept with each entry in its transaction, built anew from entries and texts, checked against them.

Promises: `add` is called by `ledger.append` alone, in the transaction of the act; `rebuild` makes the same index from
what is stored; `purge` takes the words of erased texts out, so that their entries are no longer found by them;
`problems` names every entry that is found by other terms than it has, or not by one that it has.
Does not: hold a word (see `terms`), or read anything of people but the reasons that are not erased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from audit.errors import AuditError
from audit.record import LeafRecord, parse_leaf
from control_plane import db
from control_plane.index import postings, spans
from control_plane.index.concerned import concerned
from control_plane.index.postings import BLOCK_ENTRIES
from control_plane.index.reasons import reasons
from control_plane.index.terms import WORD, of_record, word_key, word_terms
from control_plane.plane import ControlPlane
from control_plane.tables.index import PostingRow, SpanRow
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry

__all__ = ["add", "problems", "purge", "rebuild", "sets_of"]

_ROWS_AT_ONCE, _ROWS_HELD = 10_000, 500_000


def add(plane: ControlPlane, session: Session, record: LeafRecord, *, words: Iterable[str] = ()) -> None:
    """Let an entry be found: by what its bytes say, by the versions it concerns, by the words of its reason.

    The statement, the manifest and the reason behind it are stored already; `words` are texts that are stored later.
    """
    block, offset = divmod(record.seq, BLOCK_ENTRIES)
    found = _wanted(plane, session, [record])
    for text in words:
        found |= dict.fromkeys(word_terms(text, word_key(plane)), 1 << offset)
    postings.merge(session, block, found)
    spans.widen(session, record.seq, record.at)


def purge(session: Session, seqs: Iterable[int]) -> None:
    """Take every word out by which these entries are found: their texts are erased.

    SQLite overwrites what is freed (`secure_delete`); `db.scrub` then empties its write-ahead log.
    """
    postings.clear(session, seqs, prefix=WORD)


def rebuild(plane: ControlPlane, *, progress: Callable[[int], None] = lambda _: None) -> int:
    """Build the index anew in one transaction and return how many entries it covers; `progress` is told so far.

    Raises:
        Unavailable: another writer held the database for too long.
    """
    with db.write(plane.engine) as session:
        connection = session.connection()
        connection.execute(delete(PostingRow))
        connection.execute(delete(SpanRow))
        done, rows = 0, list[tuple[bytes, int, bytes]]()
        for block, records in _blocks(session):
            wanted = _wanted(plane, session, records)
            rows += [(term, block, postings.encode_bits(bits)) for term, bits in wanted.items()]
            if len(rows) > _ROWS_HELD:
                _insert(session, rows)
                rows.clear()
            connection.execute(insert(SpanRow), [_span(one) for one in _spans_of(records)])
            done += len(records)
            progress(done)
        _insert(session, rows)
    return done


def _insert(session: Session, rows: list[tuple[bytes, int, bytes]]) -> None:
    rows.sort()  # as the table is: thousands of rows for one page together, not one by one all over it
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = [
            {"term": term, "block": block, "bits": bits} for term, block, bits in rows[start : start + _ROWS_AT_ONCE]
        ]
        session.connection().execute(insert(PostingRow), part)


def problems(plane: ControlPlane, session: Session) -> tuple[str, ...]:
    """Return every difference between the index and what it stands for, in the caller's transaction."""
    found: list[str] = []
    try:
        found += _problems(plane, session)
    except (ArithmeticError, LookupError, MentorplaneError, SQLAlchemyError, TypeError, ValueError):
        found.append("the search index: it, or what it is made from, holds what no use case writes")
    return tuple(found)


def _problems(plane: ControlPlane, session: Session) -> Iterator[str]:
    stored = _stored(session)
    ahead = next(stored, None)
    for block, records in _blocks(session):
        wanted = _wanted(plane, session, records)
        held: Mapping[bytes, bytes] = {}
        while ahead is not None and ahead[0] <= block:
            if ahead[0] == block:
                held = ahead[1]
            else:
                yield f"the search index: entries from {ahead[0] * BLOCK_ENTRIES} on that are not in the log"
            ahead = next(stored, None)
        yield from _differing(block, wanted, held)
        yield from _span_problems(session, records)
    while ahead is not None:
        yield f"the search index: entries from {ahead[0] * BLOCK_ENTRIES} on that are not in the log"
        ahead = next(stored, None)


def _blocks(session: Session) -> Iterator[tuple[int, list[LeafRecord]]]:
    """Yield the records of the log block by block; an entry that is not a record is left out."""
    last = session.exec(select(LeafRow.seq).order_by(col(LeafRow.seq).desc()).limit(1)).first()
    for block in range(0 if last is None else last // BLOCK_ENTRIES + 1):
        first = block * BLOCK_ENTRIES
        query = select(LeafRow.data).where(LeafRow.seq >= first, LeafRow.seq < first + BLOCK_ENTRIES)
        records = []
        for data in session.exec(query.order_by(col(LeafRow.seq))):
            try:
                record = parse_leaf(data)
            except (AuditError, AttributeError, TypeError):
                continue
            if record.seq // BLOCK_ENTRIES == block:
                records.append(record)
        if records:
            yield block, records


def _wanted(plane: ControlPlane, session: Session, records: Sequence[LeafRecord]) -> dict[bytes, int]:
    """Return the set of each term that entries of one block have."""
    given = concerned(session, records), reasons(plane, session, records)
    return sets_of(records, *given, key=word_key(plane))


def sets_of(
    records: Iterable[LeafRecord],
    entries: Mapping[int, Iterable[Entry]],
    texts: Mapping[int, Iterable[str]],
    *,
    key: bytes,
) -> dict[bytes, int]:
    """Return the set of each term that entries of one block have, given what each concerns and its texts by index."""
    found: dict[bytes, int] = defaultdict(int)
    for record in records:
        terms = set(of_record(record, entries.get(record.seq, ())))
        for text in texts.get(record.seq, ()):
            terms |= word_terms(text, key)
        bit = 1 << record.seq % BLOCK_ENTRIES
        for one in terms:
            found[one] |= bit
    return found


def _stored(session: Session) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Yield what is stored, block by block."""
    query = select(PostingRow.block, PostingRow.term, PostingRow.bits).order_by(col(PostingRow.block))
    block = -1
    held: dict[bytes, bytes] = {}
    for number, term, bits in session.exec(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        if number != block:
            if held:
                yield block, held
            block, held = number, {}
        held[term] = bits
    if held:
        yield block, held


def _differing(block: int, wanted: Mapping[bytes, int], held: Mapping[bytes, bytes]) -> Iterator[str]:
    wrong, unread = 0, False
    for term in {*wanted, *held}:
        try:
            bits = postings.decode_bits(held[term]) if term in held else 0
        except (TypeError, ValueError):
            unread = True
            continue
        wrong |= bits ^ wanted.get(term, 0)
    if unread:
        yield f"the search index: a row of the entries from {block * BLOCK_ENTRIES} on holds what nobody writes"
    for offset in reversed(tuple(postings.offsets(wrong))):
        yield f"entry {block * BLOCK_ENTRIES + offset}: the search index finds it otherwise than it says"


def _span_problems(session: Session, records: Sequence[LeafRecord]) -> Iterator[str]:
    for width, number, *times in _spans_of(records):
        row = session.get(SpanRow, (width, number))
        if row is None or [row.earliest, row.latest] != times:
            first = number * width
            yield f"entries {first} to {first + width - 1}: the search index holds another period for them"


def _spans_of(records: Iterable[LeafRecord]) -> list[spans.Span]:
    return spans.spans_of((record.seq, record.at) for record in records)


def _span(span: spans.Span) -> dict[str, int]:
    return dict(zip(("width", "number", "earliest", "latest"), span, strict=True))
