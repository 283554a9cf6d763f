"""The log as published files: bundles, tiles, then the checkpoint, derived from the database.

Promises: a crash at any instruction leaves the old checkpoint or the new one, with all files that it implies; no
checkpoint is signed that does not extend every one that was published.
Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from audit import merkle
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.tiles import TileReader, grow
from control_plane import db
from control_plane.errors import NotFound
from control_plane.files import write_atomic
from control_plane.ledger import checkpoints
from control_plane.ledger.head import head
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafRow
from edge_runtime.core.errors import Unavailable

__all__ = ["checkpoint", "inclusion_proof", "publish_log", "recover_log"]


def publish_log(plane: ControlPlane, *, afresh: bool = False) -> bytes:
    """Publish what the log gained and return its signed checkpoint; `afresh` rewrites every other file.

    A checkpoint is signed only if the log in the database extends every one that was published before.

    Raises:
        Unavailable: the database's own entries do not lead to its log head, or the log is shorter than what is
            published or another one: it was changed from outside.
    """
    folder = plane.site / "log"
    with db.write(plane.engine) as session:
        top = head(session)
        frontier, before = merkle.parse_frontier(top.frontier), merkle.parse_frontier(top.published)
        wanted = Checkpoint(plane.keys.log.name, frontier.size, frontier.root)
        current, newest = checkpoints.published(plane), checkpoints.newest(plane)
        if not afresh and top.published == top.frontier and current == newest == wanted:
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
        top.published = top.frontier
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
            frontier = merkle.parse_frontier(head(session).published)
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
        frontier = merkle.parse_frontier(head(session).published)
    if not 0 <= index < frontier.size:
        raise NotFound(f"expected an entry below {frontier.size}, got {index}")
    try:
        reader = TileReader(folder_reader(plane.site / "log"), size=frontier.size, root=frontier.root)
        return reader.inclusion_proof(index)
    except AuditError as error:
        raise Unavailable("expected published tiles that lead to the log's root, got others") from error
