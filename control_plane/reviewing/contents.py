"""What a proposal changes, kept by entry, and the digest of that content.

Promises: the same entries with the same contents have the same digest, on whichever channel and base, whoever
proposes them; so an objection meets its content again after a rebase, a duplicate or a new proposal.
Does not: read sources.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, delete, or_, select

from control_plane.tables.registry import RevisionRow
from control_plane.tables.reviewing import ChangeRow, ContributorRow, ObjectionRow, WriterRow
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Entry, Manifest, changed_entries

__all__ = ["changes_of", "content_of", "remember_writers", "store_changes"]


def changes_of(manifest: Manifest, base: Manifest | None) -> dict[tuple[str, str], str]:
    """Return the digest of each entry that a manifest changes, by kind and name; "" for one that goes."""
    kept = {entry.key for entry in manifest.entries}
    gone = {entry.key: "" for entry in (base.entries if base else ()) if entry.key not in kept}
    return gone | {entry.key: entry.digest for entry in changed_entries(manifest, base)}


def store_changes(session: Session, number: int, changes: dict[tuple[str, str], str]) -> None:
    """Keep what the present revision of a proposal changes, in place of what was kept before."""
    session.exec(delete(ChangeRow).where(col(ChangeRow.proposal) == number))
    session.add_all(
        ChangeRow(proposal=number, kind=kind, name=name, digest=digest) for (kind, name), digest in changes.items()
    )
    session.flush()


def remember_writers(session: Session, editor: str, number: int, *, introduced: Iterable[Entry]) -> None:
    """Keep that somebody proposed these contents; those that they took over from others stay the others'.

    Whoever wrote in the draft that it was, or in the proposal that it is a duplicate of, wrote them as well.
    """
    digests = {entry.digest for entry in introduced if entry.author == editor}
    before = session.exec(select(ContributorRow.person).where(ContributorRow.proposal == number))
    for person in sorted({editor, *before}):
        known = select(WriterRow.digest).where(WriterRow.person == person, col(WriterRow.digest).in_(digests))
        there: set[str] = set(session.exec(known).all())
        session.add_all(WriterRow(digest=digest, person=person) for digest in sorted(digests - there))
        session.flush()


def content_of(session: Session, number: int) -> str:
    """Return the digest of what the present revision of a proposal changes."""
    rows = session.exec(select(ChangeRow).where(ChangeRow.proposal == number).order_by(ChangeRow.kind, ChangeRow.name))
    content = [[row.kind, row.name, row.digest] for row in rows]
    return canonical.digest(canonical.encode({"changes": content}))


def standing(session: Session, revision: RevisionRow) -> list[ObjectionRow]:
    """Return the objections that block a revision: those to its manifest, or to its content on any proposal."""
    same = or_(ObjectionRow.manifest == revision.digest, ObjectionRow.content == content_of(session, revision.proposal))
    query = select(ObjectionRow).where(same, col(ObjectionRow.taken_back).is_(None))
    return list(session.exec(query.order_by(col(ObjectionRow.leaf))))
