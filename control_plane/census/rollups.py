"""The roots that devices tell of their receipts: gathered by the day, and logged as one entry.

Promises: 1. a day of a channel is one entry of the log, made once no report of it is taken any more. 2. There are
`LEAST` values of a day, or the next power of two: what no device told is drawn, and nothing tells which that is, so the
entry says neither who told nor how many did. 3. What `file` gives is what the entry holds the root of.
Does not: know whose a value is; its device alone can show that (see docs/adr/0039).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta

from sqlmodel import Session, col, select

from audit.merkle import HASH_BYTES
from audit.record import Act, Auth, LeafObject
from audit.rollups import KIND, Rollups, rollups_of
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.census.held import digest_of, values_of
from control_plane.census.showing import CLOSED_AFTER, ROLES
from control_plane.errors import NotFound
from control_plane.plane import ControlPlane
from control_plane.tables.census import RollupRow

__all__ = ["LEAST", "gather", "rollups"]

LEAST = 64


def gather(plane: ControlPlane) -> tuple[str, ...]:
    """Log the roots of each day that is over and has some; return the names of what was logged."""
    with db.read(plane.engine) as session:
        due = list(_due(plane, session))
    return tuple(name for channel, day in due if (name := _gather(plane, channel, day)))


def _gather(plane: ControlPlane, channel: str, day: str) -> str:
    with ledger.act(plane) as session:
        told = values_of(session, channel, day)
        if not told or digest_of(session, f"{channel}/{day}"):  # another process was faster
            return ""
        size = max(LEAST, 1 << (len(told) - 1).bit_length())
        drawn = [secrets.token_bytes(HASH_BYTES) for _ in range(size - len(told))]
        session.add_all(RollupRow(channel=channel, day=day, value=value.hex()) for value in drawn)
        made = rollups_of(channel, day, [*told, *drawn])
        target = LeafObject(KIND, made.name, made.digest, str(len(made.values)))
        event = ledger.Event(Act.GATHERED, ledger.SYSTEM, ledger.SYSTEM, Auth.SYSTEM, target, channel=channel)
        ledger.append(plane, session, event)
    return made.name


def rollups(plane: ControlPlane, person: str, *, day: str, channel: str = "") -> Rollups:
    """Return the values of a day whose root the log holds.

    Raises:
        NotFound: there is no such person, or nothing of that day in the log, or no more here.
        Refused: they may not see the census; the log says that they tried.
    """
    channel = plane.on(channel)
    rights.require_role(plane, person, ROLES, attempt=rights.Attempt("read-census", LeafObject("channel", channel)))
    with db.read(plane.engine) as session:
        made = rollups_of(channel, day, values_of(session, channel, day))
        if digest_of(session, made.name) != made.digest:
            raise NotFound("expected a day whose roll-ups the log holds and this server has, got another")
    return made


def _due(plane: ControlPlane, session: Session) -> Iterator[tuple[str, str]]:
    newest = (plane.now().date() - timedelta(days=CLOSED_AFTER)).isoformat()
    days = select(RollupRow.channel, RollupRow.day).where(col(RollupRow.day) <= newest).distinct()
    return ((channel, day) for channel, day in session.exec(days).all() if not digest_of(session, f"{channel}/{day}"))
