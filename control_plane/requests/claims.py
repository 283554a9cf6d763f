"""Claims: which request with an idempotency key is being carried out, and by whom.

A claim is made in a transaction before the act; the act's own transaction writes the first entry of the log that it
makes into it (`mark`, called by `ledger.append`), so that a crash between the act and its answer is told apart from one
before the act: then the same key is answered "done, see entry N", never carried out twice.
Does not: know HTTP.
"""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col

from control_plane import db
from control_plane.errors import Conflict
from control_plane.plane import ControlPlane
from control_plane.tables.requests import ClaimRow

__all__ = ["CURRENT", "Claim", "Found", "claim", "forget", "give_up", "keep", "mark"]

KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""After this long without an entry of the log, another process may take over: the first cannot act any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that this process carries out."""

    id: str
    owner: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is there under the same key: `same` request, its entry of the log, its answer; `wait_s` if it goes on."""

    same: bool
    leaf: int | None = None
    status: int | None = None
    answer: bytes = b""
    wait_s: int = 0


CURRENT: ContextVar[Claim | None] = ContextVar("request_claim", default=None)


def claim(plane: ControlPlane, identity: str, request: str) -> Claim | Found:
    """Claim a request for this process, or say what is there already."""
    now, owner = plane.now(), secrets.token_hex(16)
    with db.write(plane.engine) as session:
        session.execute(delete(ClaimRow).where(col(ClaimRow.at) < now - KEPT))
        row = session.get(ClaimRow, identity)
        if row is not None:
            if row.request != request:
                return Found(same=False)
            if row.status is not None or row.leaf is not None:
                return Found(True, row.leaf, row.status, row.answer)
            left = row.at + LEASE - now
            if left > timedelta():
                return Found(True, wait_s=max(1, int(left.total_seconds())))
            row.owner, row.at = owner, now
        else:
            session.add(ClaimRow(id=identity, request=request, owner=owner, answer=b"", at=now))
    return Claim(identity, owner)


def mark(session: Session, leaf: int) -> None:
    """Write into the claim of the present request, if it has one, that this entry is its doing.

    Raises:
        Conflict: another process has taken the request over; the caller's transaction ends without a trace.
    """
    mine = CURRENT.get()
    if mine is None:
        return
    row = session.get(ClaimRow, mine.id, populate_existing=True)
    if row is None or row.owner != mine.owner:
        raise Conflict("expected to be the only one to carry out this request, got another who does")
    if row.leaf is None:
        row.leaf = leaf


def keep(plane: ControlPlane, mine: Claim, *, status: int, answer: bytes) -> None:
    """Keep the answer, for whoever asks again with the same key."""
    with db.write(plane.engine) as session:
        session.execute(
            update(ClaimRow)
            .where(col(ClaimRow.id) == mine.id, col(ClaimRow.owner) == mine.owner)
            .values(status=status, answer=answer)
        )


def give_up(plane: ControlPlane, mine: Claim) -> None:
    """Let the request be asked again, if it did nothing."""
    with db.write(plane.engine) as session:
        session.execute(
            delete(ClaimRow).where(
                col(ClaimRow.id) == mine.id, col(ClaimRow.owner) == mine.owner, col(ClaimRow.leaf).is_(None)
            )
        )


def forget(plane: ControlPlane) -> None:
    """Let go of what a process that ended had begun; at start, where no other process works with the database."""
    if plane.engine.dialect.name == "sqlite":
        with db.write(plane.engine) as session:
            begun = delete(ClaimRow).where(col(ClaimRow.leaf).is_(None), col(ClaimRow.status).is_(None))
            session.execute(begun.execution_options(synchronize_session=False))
