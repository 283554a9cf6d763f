"""Whether texts may be opened now: not while the database lacks entries of the log that were published.

A database restored from an older copy has keys again that were destroyed since; which ones, the entries say that it
lacks. Promises: until they are brought back (`mentorplane audit restore`), no text is opened.
Does not: bring them back (see `verifying.restore`).
"""

from __future__ import annotations

from sqlmodel import Session

from audit.errors import AuditError
from audit.merkle import parse_frontier
from control_plane import checkpoints, db
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LogHeadRow
from edge_runtime.core.errors import Unavailable

__all__ = ["is_open"]


def is_open(plane: ControlPlane, session: Session) -> bool:
    """Return whether the database has every entry that was ever published, as far as this home knows."""
    try:
        known = (checkpoints.newest(plane), checkpoints.published(plane))
        newest = max((one.size for one in known if one is not None), default=0)
        if _size(session) >= newest:
            return True
        # The caller's transaction may be older than what was published meanwhile: look again.
        with db.read(plane.engine) as now:
            return _size(now) >= newest
    except (AuditError, Unavailable):
        return False


def _size(session: Session) -> int:
    head = session.get(LogHeadRow, 1)
    return 0 if head is None else parse_frontier(head.frontier).size
