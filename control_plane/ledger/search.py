"""Searching the log by what its entries say.

Does not: vouch for the index columns (see `verify`); what is returned is what the bytes say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, or_, select

from audit.errors import AuditError
from audit.record import parse_leaf
from control_plane import db
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafNameRow, LeafRow
from edge_runtime.core.errors import Unavailable

__all__ = ["LedgerLeaf", "search"]

MAX_RESULTS = 1000


@dataclass(frozen=True, slots=True)
class LedgerLeaf:
    """One entry of the log, with its exact bytes."""

    index: int
    act: str
    actor: str
    role: str
    kind: str
    name: str
    digest: str
    manifest: str
    at: datetime
    data: bytes


def search(
    plane: ControlPlane,
    *,
    act: str = "",
    actor: str = "",
    name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    before: int | None = None,
) -> tuple[LedgerLeaf, ...]:
    """Return entries that match everything given, newest first; `before` continues an earlier search."""
    query = select(LeafRow).order_by(col(LeafRow.seq).desc()).limit(max(1, min(limit, MAX_RESULTS)))
    if act:
        query = query.where(LeafRow.act == act)
    if actor:
        query = query.where(LeafRow.actor == actor)
    if name:
        concerned = select(LeafNameRow.leaf).where(LeafNameRow.name == name)
        query = query.where(or_(LeafRow.manifest == name, col(LeafRow.seq).in_(concerned)))
    if since:
        query = query.where(LeafRow.at >= since)
    if until:
        query = query.where(LeafRow.at < until)
    if before is not None:
        query = query.where(LeafRow.seq < before)
    with db.read(plane.engine) as session:
        return tuple(_record(row) for row in session.exec(query))


def _record(row: LeafRow) -> LedgerLeaf:
    """Return an entry as its bytes say it; the row's other columns only serve to find it."""
    try:
        leaf = parse_leaf(row.data)
    except AuditError as error:
        raise Unavailable(f"expected entry {row.seq} as it was logged, got other bytes") from error
    return LedgerLeaf(
        leaf.seq,
        leaf.act,
        leaf.actor.id,
        leaf.actor.role,
        leaf.object.kind,
        leaf.object.name,
        leaf.object.digest,
        leaf.manifest,
        leaf.at,
        row.data,
    )
