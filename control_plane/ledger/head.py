"""The log-head row: the right edge of the tree; every act holds it while it is made."""

from __future__ import annotations

from sqlmodel import Session

from control_plane.tables.registry import LogHeadRow
from edge_runtime.core.errors import Unavailable

__all__ = ["head"]


def head(session: Session) -> LogHeadRow:
    """Return the log-head row.

    Raises:
        Unavailable: the database has none.
    """
    row = session.get(LogHeadRow, 1)
    if row is None:
        raise Unavailable("expected a log head in the database, got none")
    return row
