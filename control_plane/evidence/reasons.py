"""The reasons behind entries that can still be read: those that are not erased."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from audit.record import LeafRecord
from control_plane.plane import ControlPlane
from control_plane.registry.tables import StatementRow

__all__ = ["reasons"]

_AT_ONCE = 500


def reasons(plane: ControlPlane, session: Session, records: Sequence[LeafRecord]) -> dict[int, tuple[str, ...]]:  # noqa: ARG001
    """Return the reasons of some entries by index; an entry without one that can be read is left out."""
    signed = {r.signature.statement: r.seq for r in records if r.signature.statement and r.reason.text}
    digests = sorted(signed)
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(digests), _AT_ONCE):
        part = digests[start : start + _AT_ONCE]
        query = select(StatementRow.digest, StatementRow.reason).where(col(StatementRow.digest).in_(part))
        found.update({signed[digest]: (reason,) for digest, reason in session.exec(query) if reason})
    return found
