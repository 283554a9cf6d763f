"""The log as published files: bundles, tiles, then the checkpoint, derived from the database.

Promises: a crash at any instruction leaves the old checkpoint or the new one, with all files that it implies; no
checkpoint is signed that does not extend every one that was published; an act is not even begun on a database that is
behind what was published. Acts that are committed while one publication is under way are covered together by the next.

Publishing holds the folder, by a lock beside it, and not the database: acts go on meanwhile. The database is the source
of truth; what is published already is known from the signed checkpoint and the tiles that lead to it.
Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from sqlmodel import Session, col, select

from audit import merkle
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.disk import Disk
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.tiles import TILE_WIDTH, TileReader, grow
from audit.verify import check_log
from audit.writer import MAX_BATCH, collect_partials, write_checkpoint, write_files
from control_plane import checkpoints, db
from control_plane.errors import Busy, NotFound
from control_plane.ledger.head import head
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import Unavailable

__all__ = [
    "checkpoint",
    "inclusion_proof",
    "publish_covering",
    "publish_log",
    "publishing",
    "recover_log",
    "require_current",
]

_TURN_TIMEOUT_S = 30.0
_POLL_S = 0.002
_TIDIED_EVERY = 16  # entries: partial files are looked for no more often
_HINT = "the database was changed from outside or restored; see `mentorplane audit verify` and `audit restore`"


@contextmanager
def publishing(plane: ControlPlane, *, timeout_s: float = _TURN_TIMEOUT_S) -> Iterator[None]:
    """Hold the published log: whoever writes to it takes turns, of this process or of another.

    Raises:
        Unavailable: somebody else held it for too long.
    """
    from filelock import FileLock, Timeout  # it brings asyncio: only where something is published

    with plane.asking.publishing.turn():
        lock = FileLock(plane.settings.home / "publishing.lock", timeout=timeout_s)
        try:
            lock.acquire(poll_interval=_POLL_S)
        except Timeout as error:
            raise Busy("expected to publish the log, got another publication that does not end") from error
        try:
            yield
        finally:
            lock.release()


def publish_log(plane: ControlPlane, *, afresh: bool = False) -> bytes:
    """Publish what the log gained and return its signed checkpoint; `afresh` rewrites every other file.

    A checkpoint is signed only if the log in the database extends every one that was published before.

    Raises:
        Unavailable: the database's own entries do not lead to its log head, or the log is shorter than what is
            published or another one: it was changed from outside.
    """
    with publishing(plane):
        return _publish(plane, afresh=afresh)


def publish_covering(
    plane: ControlPlane, size: int, *, known: merkle.Frontier | None = None, timeout_s: float = _TURN_TIMEOUT_S
) -> None:
    """Publish a log of at least `size` entries, unless somebody else did while we waited for our turn.

    `known` is a right edge that the caller saw in the database: mostly that of what is published, which then need not
    be worked out from the tiles.

    Raises as `publish_log` does, but `TimeoutError`, as a disk that fails, if our turn does not come.
    """
    try:
        with publishing(plane, timeout_s=timeout_s):
            done = checkpoints.published(plane)
            if done is None or done.size < size:
                _publish(plane, known=known)
    except Busy as error:
        raise TimeoutError(str(error)) from error


def require_current(plane: ControlPlane, session: Session) -> None:
    """Refuse to begin an act on a database that is behind the published log, or that holds another one.

    An act there would put its entry where another one is published already: the log would fork.

    Raises:
        Unavailable: it is, as after a restore from a backup.
    """
    frontier = merkle.parse_frontier(head(session).frontier)
    for old in {checkpoints.newest(plane), checkpoints.published(plane)} - {None}:
        assert old is not None
        _require_size(old, frontier)
        if old.size == frontier.size and old.root != frontier.root:
            raise _forked(old, frontier)


def _publish(plane: ControlPlane, *, afresh: bool = False, known: merkle.Frontier | None = None) -> bytes:
    folder = plane.site / "log"
    with db.read(plane.engine) as session:
        frontier = merkle.parse_frontier(head(session).frontier)
        wanted = Checkpoint(plane.keys.log.name, frontier.size, frontier.root)
        current, newest = checkpoints.published(plane), checkpoints.newest(plane)
        standing = (folder / "checkpoint").read_bytes() if current == wanted else b""
        # Another key than the present one signed it: a ceremony replaced the log's key, and the same is signed again.
        again = bool(standing) and not checkpoints.is_by_present_key(plane, standing)
        if not afresh and standing and not again and newest == wanted:
            return standing
        for old in (current, newest):
            if old is not None:
                _require_size(old, frontier)
        # No checkpoint: nothing was published yet, or the folder was lost.
        done = merkle.Frontier() if afresh or current is None else _published_frontier(plane, current, known)
        for old in (current, newest):
            if old is not None:
                _require_growth(session, old, done=done, to=frontier)
        disk = Disk(folder)
        # Crash from here on: some tiles are there and the old checkpoint stands, which does not cover them.
        _write_growth(session, disk, done=done, to=frontier)
    signed = standing if standing and not again else sign_checkpoint(wanted, [plane.keys.log])
    if newest != wanted or again:
        checkpoints.remember(plane, signed)
    # Crash here: the next publication finds the checkpoint remembered and publishes the same bytes.
    write_checkpoint(disk, signed, remembered=True)
    if frontier.size // _TIDIED_EVERY > done.size // _TIDIED_EVERY:
        with suppress(OSError):  # a partial file that stays does no harm
            collect_partials(disk, done.size, frontier.size)
    return signed


def _published_frontier(
    plane: ControlPlane, current: Checkpoint, known: merkle.Frontier | None = None
) -> merkle.Frontier:
    """Return the right edge of the published tree, led back to the root that was signed."""
    if known is not None and (known.size, known.root) == (current.size, current.root):
        return known
    try:
        return TileReader(folder_reader(plane.site / "log"), size=current.size, root=current.root).frontier()
    except AuditError as error:
        raise Unavailable("expected the published log as it was left, got other files") from error


def _data(session: Session, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of the entries [start, end) in the database."""
    query = select(LeafRow.data).where(LeafRow.seq >= start, LeafRow.seq < end).order_by(col(LeafRow.seq))
    if end - start > MAX_BATCH:
        query = query.execution_options(yield_per=MAX_BATCH)
    yield from session.exec(query)


def _require_size(old: Checkpoint, to: merkle.Frontier) -> None:
    if old.size > to.size:
        raise Unavailable(
            f"expected a log of at least the {old.size} entries that are published, got {to.size} in the database",
            hint=_HINT,
        )


def _require_growth(session: Session, old: Checkpoint, *, done: merkle.Frontier, to: merkle.Frontier) -> None:
    """Refuse a log that does not extend a checkpoint, by the entries that its growth from `done` does not read."""
    if (old.size, old.root) not in {(to.size, to.root), (done.size, done.root)}:
        _require_prefix(session, old, to)


def _require_prefix(session: Session, old: Checkpoint | merkle.Frontier, to: merkle.Frontier) -> None:
    prefix = merkle.Frontier().extend(merkle.leaf_hash(data) for data in _data(session, 0, old.size))
    if (prefix.size, prefix.root) != (old.size, old.root):
        raise _forked(old, to)


def _forked(old: Checkpoint | merkle.Frontier, to: merkle.Frontier) -> Unavailable:
    return Unavailable(
        f"expected a log that extends the published checkpoint of {old.size} entries, "
        f"got another history of {to.size} entries in the database",
        hint=_HINT,
    )


def _write_growth(session: Session, disk: Disk, *, done: merkle.Frontier, to: merkle.Frontier) -> None:
    """Make every file that the log gained durable, a bounded number of entries at a time.

    Nothing is written unless the entries lead from what is published to the log head.
    """
    few = list(_data(session, done.size, to.size)) if to.size - done.size <= MAX_BATCH else None
    entries = few if few is not None else _data(session, done.size, to.size)
    if done.extend(merkle.leaf_hash(data) for data in entries) != to:
        _require_prefix(session, done, to)  # says more, if what is published already is what differs
        raise Unavailable("expected entries that lead to the log head, got others", hint="see `audit verify`")
    entries = iter(few if few is not None else _data(session, done.size, to.size))
    while done.size < to.size:
        # Up to a full tile, so that no partial file is written that no checkpoint will imply.
        some = list(islice(entries, MAX_BATCH - done.size % TILE_WIDTH))
        try:
            growth = grow(done, some, disk.read)
        except AuditError as error:
            raise Unavailable("expected the published log as it was left, got other files") from error
        write_files(disk, growth.files, published=done.size)
        done = growth.frontier


def recover_log(plane: ControlPlane) -> bool:
    """Publish the log, and hash all of what is served again: files that are not as they were left are made anew.

    Returns whether anything was done.
    """
    path = plane.site / "log" / "checkpoint"
    before = path.read_bytes() if path.is_file() else b""
    try:
        after = publish_log(plane)
    except (AuditError, Unavailable):
        after = None
    if after is None or not check_log(folder_reader(path.parent), [plane.keys.log.verifier], opaque=True).ok:
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
    current = checkpoints.published(plane)
    if current is None or not 0 <= index < current.size:
        raise NotFound(f"expected an entry below {current.size if current else 0}, got {index}")
    try:
        reader = TileReader(folder_reader(plane.site / "log"), size=current.size, root=current.root)
        return reader.inclusion_proof(index)
    except AuditError as error:
        raise Unavailable("expected published tiles that lead to the log's root, got others") from error
