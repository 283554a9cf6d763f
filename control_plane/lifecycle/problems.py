"""Whether the rows of the lifecycle say what the entries of the log say that they name.

Promises: each difference is one line that names the row; times are compared by the digests that the log has of them.
Does not: know whether the entries themselves were replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlmodel import Session, col, select

from audit.record import Act, LeafRecord
from control_plane.registry.times import time_digest
from control_plane.tables.lifecycle import EmergencyRow, ScheduleRow, WindowRow

__all__ = ["problems"]


def problems(session: Session, leaves: Mapping[int, LeafRecord]) -> Iterator[str]:
    """Yield every difference, in one transaction of the caller."""
    for row in session.exec(select(ScheduleRow).order_by(col(ScheduleRow.proposal))):
        leaf = leaves.get(row.leaf)
        said = leaf and (leaf.act, leaf.object.name, leaf.manifest)
        what = Act.SUSPENDED if row.held else Act.SCHEDULED
        known = leaf and (leaf.reason.code == row.held if row.held else leaf.after == time_digest("at", row.at))
        if said != (what, f"proposal-{row.proposal}", row.manifest) or not known:
            yield f"schedule of proposal {row.proposal}: its entry of the log says something else"
    for window in session.exec(select(WindowRow).order_by(col(WindowRow.proposal))):
        yield from _window(window, leaves.get(window.leaf))
    for broken in session.exec(select(EmergencyRow).order_by(EmergencyRow.channel, col(EmergencyRow.number))):
        leaf = leaves.get(broken.leaf)
        name = f"release-{broken.channel}-{broken.number}"
        due = time_digest("review_due", broken.due)
        if leaf is None or (leaf.act, leaf.object.name, leaf.after) != (Act.BREAK_GLASS, name, due):
            yield f"review of release {broken.number} on {broken.channel}: its entry of the log says something else"
        ended = leaves.get(broken.closed) if broken.closed is not None else None
        if broken.closed is not None and (ended is None or ended.act not in {Act.REVIEWED, Act.RELEASED}):
            yield f"review of release {broken.number} on {broken.channel}: no entry of the log ended it"


def _window(row: WindowRow, leaf: LeafRecord | None) -> Iterator[str]:
    stated = time_digest("ends_at", row.ends_at, then=row.then)
    if leaf is None or leaf.object.name != f"proposal-{row.proposal}":
        known = False
    elif row.outcome:
        known = (leaf.act, leaf.reason.code) == (Act.WINDOW_ENDED, row.outcome)
    else:
        known = (leaf.act, leaf.after) == (Act.WINDOW_STATED, stated)
    if not known:
        yield f"window of proposal {row.proposal}: its entry of the log says something else"
