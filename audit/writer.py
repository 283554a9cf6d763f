"""The one writer of a log in a folder: what it acknowledges stays, whatever ends it, and it never signs two histories.

Promises:
1. `append` returns once a checkpoint that covers the entry is durable, and not before. Appends of many threads share
   one batch, and so one set of syncs.
2. A crash at any step, or a step that fails (whether or not it took effect), leaves a folder that opens again: with the
   checkpoint before the batch or the one after it, and every file that it implies.
3. No checkpoint is ever visible that a later one does not extend, even if power fails right after somebody read it.
4. One writer at a time: by a lock for as long as it is open, and by comparing the published checkpoint with the last
   one it wrote before it writes the next.
5. `open_log` re-hashes what it will build on and serve: the right edge, or everything if asked.

The order of one batch, each step durable before the next: entry bundles → hash tiles bottom-up → the names of both →
the signed checkpoint under a name of its own, `.checkpoint.next` → renamed to `checkpoint`. Once the former name is
durable the batch counts: opening finishes the rename. After a step that failed, the writer answers only errors until it
is opened again, as it cannot know what reached the disk. Entries of a batch that failed may or may not be in the log.

It does not: look into entries, ask witnesses, or order what different threads append otherwise than they came.

Source: C2SP tlog-tiles v0.1.0; the durable intent before the rename is what Sunlight's lock store is for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from audit.disk import Files
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.merkle import MAX_ENTRY_BYTES, Frontier, leaf_hash
from audit.note import Signer, parse_note
from audit.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    TileReader,
    grow,
    level_count,
    levels_of,
    read_tile,
)
from audit.verify import CHECKPOINT_PATH, check_log, verify_growth

__all__ = ["LogWriter", "collect_partials", "open_log", "write_checkpoint", "write_files"]

NEXT_PATH = ".checkpoint.next"
MAX_BATCH = 4096
"""Most entries of one batch. It also bounds how far beyond the checkpoint an unfinished batch can have left files."""
_OPEN_FILES = 128
_REMOVED_AT_ONCE = 64


def write_files(disk: Files, files: Sequence[tuple[str, bytes]], *, published: int) -> None:
    """Make files of the log durable, in the order given: bundles first, then tiles bottom-up.

    `published` is the size of the log whose files, and the folders above them, are durable already.
    """
    bundles = [file for file in files if file[0].startswith("tile/entries/")]
    tiles = [file for file in files if not file[0].startswith("tile/entries/")]
    for part in (bundles, tiles):
        for first in range(0, len(part), _OPEN_FILES):
            some = part[first : first + _OPEN_FILES]
            for path, data in some:
                # Crash here: files that no checkpoint covers; the next batch writes over them, or opening removes them.
                disk.write(path, data)
            for path, _ in some:
                disk.sync(path)
        # Crash between the two: bundles without tiles, covered by nothing either.
    durable = {folder for path in _edge_paths(published) for folder in _above(path)}
    names: set[str] = set()
    for path, _ in files:
        folder, *above = _above(path)
        names |= {folder} if folder in durable else {folder, *above}
    for folder in sorted(names, reverse=True):
        # Crash between two of these: names of files that nothing covers.
        disk.sync_folder(folder)


def _edge_paths(size: int) -> Iterator[str]:
    """Yield the paths of the last files of a log, at each level: those beside which the next ones are made."""
    for level in (ENTRIES, *levels_of(size)):
        count = level_count(size, level)
        if count:
            index, width = divmod(count - 1, TILE_WIDTH)
            yield Tile(level, index, width + 1).path


def _above(path: str) -> tuple[str, ...]:
    """Return the folders that a path is in, the nearest first, "" last."""
    parts = path.split("/")
    return tuple("/".join(parts[:end]) for end in range(len(parts) - 1, -1, -1))


def write_checkpoint(disk: Files, note: bytes, *, remembered: bool = False) -> None:
    """Publish a signed checkpoint whose files are durable already; what was published before stays until then.

    `remembered`: the caller keeps it durably elsewhere, and will publish it again if it is not here after a crash.
    """
    disk.write(NEXT_PATH, note)
    # Crash here: half of a checkpoint that nobody saw; opening drops it and the batch.
    disk.sync(NEXT_PATH)
    if not remembered:
        disk.sync_folder("")
    # Crash here: the batch counts, though the old checkpoint is still the visible one; opening finishes the rename.
    disk.replace(NEXT_PATH, CHECKPOINT_PATH)
    # Crash here: the new checkpoint is visible. If power fails and takes the rename back, opening repeats it.
    if not remembered:
        disk.sync_folder("")


def collect_partials(disk: Files, old_size: int, size: int) -> None:
    """Remove partial files of tiles that are full in a published log that grew from `old_size` to `size`.

    Readers of older checkpoints fall back to the full tile, as the source demands of them. At most 64 files go at a
    time, so that no batch waits for hundreds; the next ones remove the rest.
    """
    left = _REMOVED_AT_ONCE
    for level in (ENTRIES, *levels_of(size)):
        first, end = (level_count(one, level) // TILE_WIDTH for one in (old_size, size))
        for index in sorted({first, end - 1} - {-1, end}):
            left -= _remove_partials(disk, Tile(level, index), above=0, most=left)


def _remove_partials(disk: Files, tile: Tile, *, above: int, most: int = TILE_WIDTH) -> int:
    """Remove partial files of a tile that are wider than `above`, and their folder if it is empty then; count them."""
    folder = f"{tile.path}.p"
    names = disk.names(folder)
    doomed = [name for name in names if name.isdecimal() and int(name) > above][:most]
    for name in doomed:
        # Crash between two of these: some partial files are left, which do no harm.
        disk.remove(f"{folder}/{name}")
    if names and doomed == names:
        disk.remove(folder)
    return len(doomed)


@dataclass(slots=True)
class _Waiting:
    """Entries of one caller, and what became of them."""

    entries: Sequence[bytes]
    first: int = -1
    error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.first >= 0 or self.error is not None


@dataclass(slots=True)
class LogWriter:
    """The writer of an open log; made by `open_log`, and safe to call from many threads."""

    disk: Files = field(repr=False)
    signer: Signer
    _frontier: Frontier
    _published: bytes
    _turn: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _queue: deque[_Waiting] = field(default_factory=deque, repr=False)
    _leading: bool = False
    _stopped: bool = False

    @property
    def checkpoint(self) -> bytes:
        """The signed checkpoint that is published; it covers everything that was acknowledged."""
        return self._published

    @property
    def size(self) -> int:
        """How many entries the published checkpoint covers."""
        return self._frontier.size

    def append(self, entry: bytes) -> int:
        """Append one entry and return its index, once a durable checkpoint covers it.

        Raises:
            NotProven: somebody else changed the published log.
            OSError: a step failed now or before; open the log again to know what is in it.
        """
        return self.append_all((entry,))

    def append_all(self, entries: Sequence[bytes]) -> int:
        """Append entries one after the other and return the index of the first, once all are durable.

        Up to 4096 entries become durable together or not at all; more are several batches. Raises as `append` does.
        """
        if not entries or any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
            raise ValueError(f"expected entries of at most {MAX_ENTRY_BYTES} bytes, got none or a longer one")
        parts = [_Waiting(entries[at : at + MAX_BATCH]) for at in range(0, len(entries), MAX_BATCH)]
        with self._turn:
            self._queue += parts
            while not parts[-1].done:
                if self._leading:
                    self._turn.wait()
                else:
                    self._lead()
        for part in parts:
            if part.error is not None:
                raise part.error
        return parts[0].first

    def close(self) -> None:
        """Let another writer open the log; what is being appended finishes first."""
        with self._turn:
            while self._leading:
                self._turn.wait()
            self._stopped = True
            self.disk.close()

    def _lead(self) -> None:
        """Commit one batch for everybody who waits; the lock is held at the start and at the end, not between."""
        batch = [self._queue.popleft()]
        count = len(batch[0].entries)
        while self._queue and count + len(self._queue[0].entries) <= MAX_BATCH:
            batch.append(self._queue.popleft())
            count += len(batch[-1].entries)
        self._leading = True
        self._turn.release()
        first = 0
        error: Exception | None = OSError("expected the batch to be written, got an interruption: open the log again")
        try:
            first = self._commit([entry for part in batch for entry in part.entries])
            error = None
        except (AuditError, OSError) as caught:
            error = caught
        finally:
            self._turn.acquire()
            self._leading = False
            self._settle(batch, first, error=error)
            self._turn.notify_all()

    def _settle(self, batch: Sequence[_Waiting], first: int, *, error: Exception | None) -> None:
        for part in batch:
            part.first, part.error = (first, None) if error is None else (-1, error)
            first += len(part.entries)

    def _commit(self, entries: Sequence[bytes]) -> int:
        """Make a batch durable and publish it; return the index of its first entry."""
        if self._stopped:
            raise OSError("expected an open log, got a writer that was closed or stopped at an error: open it again")
        # INVARIANT: from here to the end nothing is known of the disk but by reading it, so an error ends the writer.
        self._stopped = True
        before = self._frontier
        if _text(self.disk.read(CHECKPOINT_PATH)) != _text(self._published):
            raise NotProven("expected the checkpoint that this writer published last, got another")
        growth = grow(before, entries, self.disk.read)
        write_files(self.disk, growth.files, published=before.size)
        note = _signed(growth.frontier, self.signer)
        write_checkpoint(self.disk, note)
        self._frontier, self._published = growth.frontier, note
        self._stopped = False
        with suppress(OSError):  # the batch is durable; partial files that are left do no harm
            collect_partials(self.disk, before.size, growth.frontier.size)
        return before.size


def open_log(disk: Files, signer: Signer, *, full: bool = False) -> LogWriter:
    """Open a log for writing, made if the folder holds none, after finishing or dropping what a crash interrupted.

    Re-hashes the right edge of the tree and its bundle; `full` re-hashes every file that the checkpoint implies.

    Raises:
        BlockingIOError: another writer has it open.
        NotProven: what is there does not lead to the checkpoint, or another key signed that.
        InvalidFormat: a file is malformed.
    """
    disk.lock()
    try:
        note = _finish(disk, signer)
        checkpoint = open_checkpoint(note, [signer.verifier], signer.name).checkpoint
        if full:
            _require_all(disk, signer)
        frontier = TileReader(disk.read, size=checkpoint.size, root=checkpoint.root).frontier()
        _require_edge(disk, frontier)
        _tidy(disk, checkpoint.size)
    except BaseException:
        disk.close()
        raise
    return LogWriter(disk, signer, frontier, note)


def _finish(disk: Files, signer: Signer) -> bytes:
    """Return the checkpoint that counts, published: the next one if it was written whole, else the old one."""
    current, following = _read(disk, CHECKPOINT_PATH), _read(disk, NEXT_PATH)
    if following is not None:
        try:
            new = open_checkpoint(following, [signer.verifier], signer.name).checkpoint
        except AuditError:
            # Half of a checkpoint: its batch was not acknowledged, and nobody saw it.
            disk.remove(NEXT_PATH)
            following = None
    if following is None:
        if current is None:
            _require_new(disk)
            current = _signed(Frontier(), signer)
            write_checkpoint(disk, current)
        return current
    if current is not None:
        old = open_checkpoint(current, [signer.verifier], signer.name).checkpoint
        verify_growth(old, new, disk.read)
    # It may have been written and not synced: the process ended in between, and not the machine.
    write_checkpoint(disk, following)
    return following


def _require_new(disk: Files) -> None:
    """Refuse a folder whose checkpoint is gone: a new log there would be a second history under the same key."""
    if disk.names("tile"):
        raise NotProven("expected a checkpoint beside the tiles, got none")


def _require_edge(disk: Files, frontier: Frontier) -> None:
    """Verify that the last bundle holds the entries whose hashes stand in the last tile, and that both are as left.

    Partial files go only when a checkpoint covers the full one. So a full one without the partial that this checkpoint
    implies belongs to a later checkpoint: this one came back, from a backup perhaps, and writing on would fork the log.
    """
    if frontier.size == 0:
        return
    for level in (ENTRIES, *levels_of(frontier.size)):
        index, width = divmod(level_count(frontier.size, level), TILE_WIDTH)
        tile = Tile(level, index, width or TILE_WIDTH)
        if width and _read(disk, tile.path) is None:
            raise NotProven(f"expected {tile.path}, which the checkpoint implies, got none: is it an older checkpoint?")
    last = frontier.size - 1
    width = last % TILE_WIDTH + 1
    try:
        entries, hashes = (read_tile(disk.read, Tile(level, last // TILE_WIDTH, width)) for level in (ENTRIES, 0))
    except FileNotFoundError as error:
        raise NotProven("expected the last bundle and its tile, got no such file") from error
    if tuple(leaf_hash(entry) for entry in entries) != hashes:
        raise NotProven("expected the last bundle to match its leaf hashes, got others")


def _require_all(disk: Files, signer: Signer) -> None:
    report = check_log(disk.read, [signer.verifier], opaque=True)
    if not report.ok:
        raise NotProven(f"expected a log that verifies, got: {report.findings[0]}")


def _tidy(disk: Files, size: int) -> None:
    """Remove what an unfinished batch left beyond the checkpoint, so that no file lies there that is of no log."""
    for level in (ENTRIES, *levels_of(size + MAX_BATCH)):
        count = level_count(size, level)
        first, width = divmod(count, TILE_WIDTH)
        for index in range(first, (count + (MAX_BATCH >> (8 * max(level, 0)))) // TILE_WIDTH + 1):
            tile = Tile(level, index)
            folder, _, name = tile.path.rpartition("/")
            if name in disk.names(folder):
                disk.remove(tile.path)
            _remove_partials(disk, tile, above=width if index == first else 0)


def _read(disk: Files, path: str) -> bytes | None:
    try:
        return disk.read(path)
    except FileNotFoundError:
        return None


def _signed(frontier: Frontier, signer: Signer) -> bytes:
    return sign_checkpoint(Checkpoint(signer.name, frontier.size, frontier.root), [signer])


def _text(note: bytes) -> str:
    """Return what a checkpoint says, whoever else signed it: witnesses add their lines later."""
    try:
        text = parse_note(note).text
        parse_checkpoint(text)
    except InvalidFormat as error:
        raise NotProven("expected the checkpoint that this writer published last, got no checkpoint") from error
    return text
