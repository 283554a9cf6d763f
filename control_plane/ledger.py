"""The audit log: each governance act is one leaf, appended in the transaction that makes the act.

Promises: an act and its leaf are committed together or not at all, under the log-head row; what is published (entry
bundles, tiles, then the checkpoint) is derived from the database, may be missing after a crash, and is finished by the
next act or start; no checkpoint is signed that does not extend all that were published; `verify` recomputes everything
from the published bytes and compares them with the database.
Does not: find a history rewritten together with `checkpoints.log` and the published folder: without an outside witness
the report says `self_contained`. Source: C2SP tlog-tiles; docs/adr/0003.
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
from audit.record import Act, Auth, LeafObject, LeafRecord, encode_leaf, parse_leaf
from audit.tiles import TileReader, grow
from audit.verify import check_log
from control_plane import checkpoints, db
from control_plane.errors import NotFound
from control_plane.files import write_atomic
from control_plane.plane import ControlPlane
from control_plane.registry import rows
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
_LOOKS = 3


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
    """Publish what the log gained and return its signed checkpoint; `afresh` rewrites every other file.

    A checkpoint is signed only if the log in the database extends every one that was published before.

    Raises:
        Unavailable: the database's own entries do not lead to its log head, or the log is shorter than what is
            published or another one: it was changed from outside.
    """
    folder = plane.site / "log"
    with db.write(plane.engine) as session:
        head = _head(session)
        frontier, before = merkle.parse_frontier(head.frontier), merkle.parse_frontier(head.published)
        wanted = Checkpoint(plane.keys.log.name, frontier.size, frontier.root)
        current, newest = checkpoints.published(plane), checkpoints.newest(plane)
        if not afresh and head.published == head.frontier and current == newest == wanted:
            return (folder / "checkpoint").read_bytes()
        # No checkpoint: nothing was published yet, or the folder was lost.
        done = merkle.Frontier() if afresh or current is None else before
        for old in (current, newest):
            if old is not None:
                _require_growth(session, old, done=done, to=frontier)
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
        signed = sign_checkpoint(wanted, [plane.keys.log])
        if newest != wanted:
            checkpoints.remember(plane, signed)
        # Crash here: the next publication finds the checkpoint remembered and publishes the same bytes.
        write_atomic(folder / "checkpoint", signed)
        # Crash here: the row below is rolled back, and the next publication writes the same bytes again.
        head.published = head.frontier
        return signed


def _require_growth(session: Session, old: Checkpoint, *, done: merkle.Frontier, to: merkle.Frontier) -> None:
    """Refuse a log that does not extend a checkpoint, by the entries that its growth from `done` does not read."""
    hint = "the database was changed from outside; see `mentorplane audit verify`"
    if old.size > to.size:
        raise Unavailable(
            f"expected a log of at least the {old.size} entries that are published, got {to.size} in the database",
            hint=hint,
        )
    if (old.size, old.root) in {(to.size, to.root), (done.size, done.root)}:
        return
    stored = session.exec(select(LeafRow.data).where(LeafRow.seq < old.size).order_by(col(LeafRow.seq)))
    prefix = merkle.Frontier().extend(merkle.leaf_hash(data) for data in stored)
    if (prefix.size, prefix.root) != (old.size, old.root):
        raise Unavailable(
            f"expected a log that extends the published checkpoint of {old.size} entries, "
            f"got another history of {to.size} entries in the database",
            hint=hint,
        )


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
    """Return the signed checkpoint as it is published; reads a file and waits for nobody.

    Raises:
        NotFound: nothing is published yet.
    """
    try:
        return (plane.site / "log" / "checkpoint").read_bytes()
    except FileNotFoundError as error:
        raise NotFound("expected a published checkpoint, got none yet") from error


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
    """Verify the published log from its files alone, that it extends all it ever published, and the database by it.

    Every row that repeats what an entry, a statement or a manifest says is compared with those bytes (see `rows`).
    Changes nothing: it does not publish what is not published yet, but counts it. It reads without holding anybody up,
    so it looks again if the log moved meanwhile.
    """
    for _ in range(_LOOKS - 1):
        before = _position(plane)
        report = _verify_once(plane)
        if report.ok or before == _position(plane):
            return report
    return _verify_once(plane)


def _position(plane: ControlPlane) -> tuple[object, ...]:
    with db.read(plane.engine) as session:
        head = _head(session)
        return head.frontier, head.published, checkpoints.published(plane)


def _verify_once(plane: ControlPlane) -> LedgerReport:
    read = folder_reader(plane.site / "log")
    published, remembered = checkpoints.published(plane), checkpoints.lines(plane)  # before the database: never ahead
    report = check_log(read, [plane.keys.log.verifier])
    found = [str(finding) for finding in report.findings]
    with db.read(plane.engine) as session:
        head = _head(session).frontier
        read_rows = session.exec(select(LeafRow.data).order_by(col(LeafRow.seq)))
        stored = [data if isinstance(data, bytes) else b"" for data in read_rows]  # SQLite lets a text stand there
        by_rows = rows.problems(session)
    hashes = [merkle.leaf_hash(data) for data in stored]
    if merkle.Frontier().extend(hashes).encode() != head:
        found.append("the database's entries do not lead to its log head")
    if report.ok:
        files = TileReader(read, size=report.size, root=report.root).entries(0, report.size)
        pairs = zip_longest(files, stored[: report.size])
        found += [f"entry {at} differs between files and database" for at, (a, b) in enumerate(pairs) if a != b]
        if report.size < len(stored):
            found.append(f"{len(stored) - report.size} entries are not published yet")
    if remembered is None and published is not None:
        found.append("checkpoints.log is gone: earlier checkpoints cannot be compared")
    else:
        found += checkpoints.problems(plane, remembered or (), hashes, last=published)
    found += by_rows
    return LedgerReport(not found, report.size, report.self_contained, tuple(found), report.root.hex())


def _head(session: Session) -> LogHeadRow:
    head = session.get(LogHeadRow, 1)
    if head is None:
        raise Unavailable("expected a log head in the database, got none")
    return head


def _record(row: LeafRow) -> LedgerLeaf:
    """Return an entry as its bytes say it; the row's other columns only serve to find it."""
    try:
        leaf = parse_leaf(row.data)
    except AuditError as error:
        raise Unavailable(f"expected entry {row.seq} as it was logged, got other bytes") from error
    return LedgerLeaf(
        leaf.seq,
        leaf.act,
        leaf.actor,
        leaf.role,
        leaf.object.kind,
        leaf.object.name,
        leaf.object.digest,
        leaf.manifest,
        leaf.at,
        row.data,
    )
