"""What the database holds of the roots that devices told, compared with what the log holds the root of.

Does not: take, draw or log any (see `counting` and `rollups`).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session, col, select

from audit.rollups import KIND, rollups_of
from control_plane.tables.census import RollupRow
from control_plane.tables.registry import LeafRow

__all__ = ["digest_of", "problems", "values_of"]


def values_of(session: Session, channel: str, day: str) -> list[bytes]:
    """Return the values of a day of a channel."""
    some = select(RollupRow.value).where(RollupRow.channel == channel, RollupRow.day == day)
    return [bytes.fromhex(value) for value in session.exec(some)]


def digest_of(session: Session, name: str) -> str:
    """Return the root that the log holds under a name, "" for none."""
    logged = select(LeafRow.digest).where(LeafRow.kind == KIND, LeafRow.name == name)
    return session.exec(logged).first() or ""


def problems(session: Session) -> Iterator[str]:
    """Yield the days whose values are not those that the log holds the root of; days that were deleted are none."""
    days = select(RollupRow.channel, RollupRow.day).distinct()
    for channel, day in session.exec(days.order_by(col(RollupRow.channel), col(RollupRow.day))).all():
        made = rollups_of(channel, day, values_of(session, channel, day))
        if digest_of(session, made.name) not in {"", made.digest}:
            yield f"the roll-ups of {made.name} are not those of the log"
