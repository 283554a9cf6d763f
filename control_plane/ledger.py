"""The audit log: each governance act is one leaf, appended in the transaction that makes the act.

Promises: an act and its leaf are committed together or not at all, under the log-head row; what is published (entry
bundles, tiles, then the checkpoint) is derived from the database, may be missing after a crash, and is finished by the
next act or start; `verify` recomputes everything from the published bytes and compares them with the database.
Does not: find a rewritten history that nobody outside has seen: without an outside witness the report says
`self_contained`. Source: C2SP tlog-tiles; docs/adr/0003.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from sqlmodel import Session, col, or_, select

from audit import merkle
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.record import Act, Auth, LeafObject, LeafRecord, encode_leaf
from audit.tiles import TileReader, grow
from audit.verify import check_log
from control_plane import db
from control_plane.errors import NotFound
from control_plane.files import write_atomic
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafNameRow, LeafRow, LogHeadRow
from edge_runtime.core.errors import Unavailable

__all__ = [
    "SYSTEM",
    "Event",
    "LedgerLeaf",
    "LedgerReport",
    "act",
    "append",
    "checkpoint",
    "inclusion_proof",
    "publish_log",
    "search",
    "verify",
]

SYSTEM = "system"
"""Actor and role of what the installation does by itself."""

_LOG = logging.getLogger(__name__)
MAX_RESULTS = 1000


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


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `verify` found; `root` is the tree's, in hex."""

    ok: bool
    size: int
    self_contained: bool
    problems: tuple[str, ...]
    root: str


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
    head = _head(session)
    frontier = merkle.parse_frontier(head.frontier)
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
    head.frontier = frontier.append(merkle.leaf_hash(data)).encode()
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


def publish_log(plane: ControlPlane, *, afresh: bool = False) -> bytes:
    """Publish what the log gained and return its signed checkpoint; `afresh` rewrites every file.

    Raises:
        Unavailable: the database's own entries do not lead to its log head: it was changed from outside.
    """
    folder = plane.site / "log"
    with db.write(plane.engine) as session:
        head = _head(session)
        frontier = merkle.parse_frontier(head.frontier)
        signed = sign_checkpoint(Checkpoint(plane.keys.log.name, frontier.size, frontier.root), [plane.keys.log])
        current = folder / "checkpoint"
        if not afresh and head.published == head.frontier and current.is_file() and current.read_bytes() == signed:
            return signed
        # No checkpoint: nothing was published yet, or the folder was lost.
        done = merkle.Frontier() if afresh or not current.is_file() else merkle.parse_frontier(head.published)
        entries = session.exec(select(LeafRow.data).where(LeafRow.seq >= done.size).order_by(col(LeafRow.seq))).all()
        try:
            growth = grow(done, entries, folder_reader(folder))
        except AuditError as error:
            raise Unavailable("expected the published log as it was left, got other files") from error
        if growth.frontier != frontier:
            raise Unavailable("expected entries that lead to the log head, got others", hint="see `audit verify`")
        # Crash from here on: some tiles are there and the old checkpoint stands, which does not cover them.
        for path, data in growth.files:
            write_atomic(folder / path, data)
        write_atomic(current, signed)
        # Crash here: the row below is rolled back, and the next publication writes the same bytes again.
        head.published = head.frontier
        return signed


def recover_log(plane: ControlPlane) -> bool:
    """Publish the log, rewriting all files if they are not as they were left; return whether anything was done."""
    folder = plane.site / "log"
    path = folder / "checkpoint"
    before = path.read_bytes() if path.is_file() else b""
    try:
        after = publish_log(plane)
        with db.read(plane.engine) as session:
            frontier = merkle.parse_frontier(_head(session).published)
        TileReader(folder_reader(folder), size=frontier.size, root=frontier.root).frontier()
    except (AuditError, Unavailable):
        publish_log(plane, afresh=True)
        return True
    return before != after


def checkpoint(plane: ControlPlane) -> bytes:
    """Return the signed checkpoint over everything logged."""
    return publish_log(plane)


def inclusion_proof(plane: ControlPlane, index: int) -> tuple[bytes, ...]:
    """Return the inclusion proof of entry `index` under the published checkpoint.

    Raises:
        NotFound: the log has no such entry.
        Unavailable: the published tiles do not lead to the log's root.
    """
    publish_log(plane)
    with db.read(plane.engine) as session:
        frontier = merkle.parse_frontier(_head(session).published)
    if not 0 <= index < frontier.size:
        raise NotFound(f"expected an entry below {frontier.size}, got {index}")
    try:
        reader = TileReader(folder_reader(plane.site / "log"), size=frontier.size, root=frontier.root)
        return reader.inclusion_proof(index)
    except AuditError as error:
        raise Unavailable("expected published tiles that lead to the log's root, got others") from error


def verify(plane: ControlPlane) -> LedgerReport:
    """Verify the published log from its files alone, then that the database holds the same entries.

    Changes nothing: it does not publish what is not published yet, but counts it.
    """
    read = folder_reader(plane.site / "log")
    report = check_log(read, [plane.keys.log.verifier])
    problems = [str(finding) for finding in report.findings]
    with db.read(plane.engine) as session:
        head = merkle.parse_frontier(_head(session).frontier)
        stored = session.exec(select(LeafRow.data).order_by(col(LeafRow.seq))).all()
    if merkle.Frontier().extend(merkle.leaf_hash(data) for data in stored) != head:
        problems.append("the database's entries do not lead to its log head")
    if report.ok:
        published = TileReader(read, size=report.size, root=report.root).entries(0, report.size)
        pairs = zip_longest(published, stored[: report.size])
        problems += [f"entry {at} differs between files and database" for at, (a, b) in enumerate(pairs) if a != b]
        if report.size < len(stored):
            problems.append(f"{len(stored) - report.size} entries are not published yet")
    return LedgerReport(not problems, report.size, report.self_contained, tuple(problems), report.root.hex())


def _head(session: Session) -> LogHeadRow:
    head = session.get(LogHeadRow, 1)
    if head is None:
        raise Unavailable("expected a log head in the database, got none")
    return head


def _record(row: LeafRow) -> LedgerLeaf:
    return LedgerLeaf(
        row.seq,
        row.act,
        row.actor,
        row.role,
        row.kind,
        row.name,
        row.digest,
        row.manifest,
        row.at,
        row.data,
    )
