"""What an entry of the log concerns beyond its own object: the versions that its statement or its release names.

Promises: nothing is believed but bytes that have the digest the entry names; what is gone or changed concerns nothing
(and `verifying.rows` says so).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlmodel import Session, col, select

from audit.record import Act, LeafRecord
from control_plane.tables.registry import ReleaseRow, RevisionRow, StatementRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, manifest_digest, parse_manifest
from edge_runtime.core.statements import Statement, open_statement

__all__ = ["concerned", "manifest_of", "statements_of"]

_AT_ONCE = 500


def concerned(session: Session, records: Sequence[LeafRecord]) -> dict[int, tuple[Entry, ...]]:
    """Return what each entry concerns, by index: the versions that its statement names, or that its release changed."""
    statements = statements_of(session, {record.signature.statement for record in records} - {""})
    return {record.seq: _entries(session, record, statements) for record in records}


def _entries(session: Session, record: LeafRecord, statements: Mapping[str, Statement]) -> tuple[Entry, ...]:
    if record.signature.statement:
        statement = statements.get(record.signature.statement)
        return statement.entries if statement else ()
    manifest = manifest_of(session, record.manifest) if record.act == Act.RELEASED else None
    if manifest is None:
        return ()
    return changed_entries(manifest, manifest_of(session, manifest.base) if manifest.base else None)


def statements_of(session: Session, digests: Iterable[str]) -> dict[str, Statement]:
    """Return the signed statements with these digests, as far as they are there."""
    found = {}
    for envelope in _envelopes(session, sorted(digests)):
        try:
            opened = dsse.parse_envelope(envelope)
            found[canonical.digest(opened.payload)] = open_statement(opened)
        except MentorplaneError:
            continue
    return found


def _envelopes(session: Session, digests: Sequence[str]) -> Iterator[object]:
    for start in range(0, len(digests), _AT_ONCE):
        part = digests[start : start + _AT_ONCE]
        yield from session.exec(select(StatementRow.envelope).where(col(StatementRow.digest).in_(part)))


def manifest_of(session: Session, digest: str) -> Manifest | None:
    """Return the manifest with this digest, released or proposed; None if there is none."""
    for row in (RevisionRow, ReleaseRow):
        for data in session.exec(select(row.manifest).where(row.digest == digest).limit(1)):
            if isinstance(data, bytes) and manifest_digest(data) == digest:
                try:
                    return parse_manifest(data)
                except MentorplaneError:
                    continue
    return None
