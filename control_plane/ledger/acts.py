"""An act and its leaf: appended in one transaction, published afterwards.

Promises: both are committed or neither. Does not: decide whether the act is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from audit import merkle
from audit.record import Act, Auth, LeafObject, LeafRecord, encode_leaf
from control_plane import db
from control_plane.ledger.head import head
from control_plane.ledger.publish import publish_log
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafNameRow, LeafRow

__all__ = ["SYSTEM", "Event", "act", "append"]

SYSTEM = "system"
"""Actor and role of what the installation does by itself."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """What an act says about itself; `names` are the names of everything it concerns, for searching."""

    act: Act
    actor: str
    role: str
    auth: Auth
    target: LeafObject
    before: str = ""
    after: str = ""
    manifest: str = ""
    statement: str = ""
    meaning: str = ""
    reason: str = ""
    names: tuple[str, ...] = ()


@contextmanager
def act(plane: ControlPlane) -> Iterator[Session]:
    """Carry out one act: its state and its leaf in one transaction, then publish the log.

    The act is done once this transaction is committed. A crash, or a full disk, between there and the end of the
    publication leaves an older log published; the next act or start finishes it.
    """
    with db.write(plane.engine) as session:
        yield session
    try:
        publish_log(plane)
    except OSError:
        _LOG.exception("the log was not published; the next act or start does it")


def append(session: Session, at: datetime, event: Event) -> int:
    """Append the leaf of `event` in the caller's transaction and return its index."""
    # INVARIANT: the transaction came from `db.write`, so nobody else reads or moves the head meanwhile.
    top = head(session)
    frontier = merkle.parse_frontier(top.frontier)
    record = LeafRecord(
        act=event.act,
        actor=event.actor,
        role=event.role,
        auth=event.auth,
        object=event.target,
        at=at,
        seq=frontier.size,
        before=event.before,
        after=event.after,
        manifest=event.manifest,
        statement=event.statement,
        meaning=event.meaning,
        reason=event.reason,
    )
    data = encode_leaf(record)
    top.frontier = frontier.append(merkle.leaf_hash(data)).encode()
    target = event.target
    session.add(
        LeafRow(
            seq=frontier.size,
            data=data,
            act=str(event.act),
            actor=event.actor,
            role=event.role,
            kind=target.kind,
            name=target.name,
            digest=target.digest,
            manifest=event.manifest,
            at=at,
        )
    )
    session.flush()
    for name in sorted({target.name, *event.names} - {""}):
        session.add(LeafNameRow(name=name, leaf=frontier.size))
    session.flush()
    return frontier.size
