"""Who never approves a proposal, whatever their roles, administrators included.

They are: its author and everybody who edited it; whoever wrote in the draft it came from, or in the proposal it is a
duplicate of; whoever proposed the very same content before, on any channel; the person who answers for a machine that
did one of these (it acts under their id); and whoever acts by delegation for one of them.
Does not: log or refuse (see `reviewing.review`).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from control_plane import db
from control_plane.accounts.holdings import holding
from control_plane.tables.registry import PersonRow, RevisionRow
from control_plane.tables.reviewing import ChangeRow, ContributorRow, WriterRow

__all__ = ["contributors", "excluded", "is_excluded"]

_SAYING_WHO_WROTE = (ChangeRow, ContributorRow, RevisionRow, WriterRow)


def contributors(session: Session, number: int) -> frozenset[str]:
    """Return everybody who wrote a revision of a proposal, or in what it came from."""
    edited = session.exec(select(RevisionRow.editor).where(RevisionRow.proposal == number))
    return frozenset(edited) | frozenset(
        session.exec(select(ContributorRow.person).where(ContributorRow.proposal == number))
    )


def excluded(session: Session, number: int) -> frozenset[str]:
    """Return everybody who never approves the present revision of a proposal."""
    return db.once(session, ("excluded", number), lambda: _excluded(session, number), of=_SAYING_WHO_WROTE)


def _excluded(session: Session, number: int) -> frozenset[str]:
    wrote = select(WriterRow.person).where(
        ChangeRow.proposal == number, ChangeRow.digest != "", WriterRow.digest == col(ChangeRow.digest)
    )
    return contributors(session, number) | frozenset(session.exec(wrote))


def is_excluded(session: Session, number: int, person: str, *, role: str, now: datetime) -> bool:
    """Return whether somebody may not approve a proposal in a role: for themselves, or for whom they act for."""
    out = excluded(session, number)
    row = session.get(PersonRow, person)
    held = holding(session, row, role, now=now) if row else None
    return person in out or bool(held and held.behalf in out)
