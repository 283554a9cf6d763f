"""The checkpoints that were ever published: a file beside the site that only grows, so that a rewritten log is found.

One line for each growth of the log: the signed checkpoint in base64. The line is on the disk before the checkpoint is
published, so nothing counts that is not here. Neither the database nor the published folder holds this file.

Promises: `newest` and `published` return what the log's own key signed, and nothing else. Does not: find a history of
which this file and the published folder are gone as well; devices and whoever kept a checkpoint do.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.disk import Disk
from audit.errors import AuditError
from audit.lines import parse_base64
from audit.merkle import Frontier
from audit.note import Verifier
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import Unavailable

__all__ = ["is_by_present_key", "lines", "newest", "note_of", "problems", "published", "remember"]

_TAIL_BYTES = 16_384
"""More than any signed checkpoint in base64, so that the newest is read without the rest."""


def published(plane: ControlPlane) -> Checkpoint | None:
    """Return the checkpoint in the published folder; None if there is none that the log signed."""
    try:
        return _opened(plane, (plane.site / "log" / "checkpoint").read_bytes())
    except (FileNotFoundError, AuditError):
        return None


def newest(plane: ControlPlane) -> Checkpoint | None:
    """Return the last checkpoint that was remembered; None before the first.

    Raises:
        Unavailable: the last whole line is not one.
    """
    try:
        with _path(plane).open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            whole = stream.read().split(b"\n")[:-1]  # what follows the last newline is half of a line
        return _opened(plane, note_of(whole[-1])) if whole else None
    except FileNotFoundError:
        return None
    except AuditError as error:
        raise Unavailable(
            "expected a signed checkpoint at the end of checkpoints.log, got something else",
            hint="see `mentorplane audit verify`",
        ) from error


def remember(plane: ControlPlane, note: bytes) -> None:
    """Append a signed checkpoint, durably."""
    new = not _path(plane).exists()
    handle = os.open(_path(plane), os.O_RDWR | os.O_CREAT, 0o644)
    if new:
        # If power failed before its name is durable, nothing would say that the log ever had a checkpoint.
        Disk(_path(plane).parent).sync_folder("")
    with os.fdopen(handle, "r+b") as stream:
        # A crash may have left half of a line: that checkpoint was never published, and its place is taken.
        size = stream.seek(0, os.SEEK_END)
        start = stream.seek(max(0, size - _TAIL_BYTES))
        stream.seek(start + stream.read().rfind(b"\n") + 1)
        stream.truncate()
        stream.write(base64.b64encode(note) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def lines(plane: ControlPlane) -> tuple[bytes, ...] | None:
    """Return what was remembered, a line for each checkpoint, oldest first; None if the file is gone."""
    try:
        return tuple(_path(plane).read_bytes().split(b"\n")[:-1])
    except FileNotFoundError:
        return None


def problems(
    plane: ControlPlane, remembered: Iterable[bytes], leaf_hashes: Iterable[bytes], *, last: Checkpoint | None
) -> Iterator[str]:
    """Yield what shows that the log does not extend every checkpoint it ever published; `last` is the published one."""
    leaves, tree, known = iter(leaf_hashes), Frontier(), None
    broken: list[tuple[int, int]] = []
    for number, line in enumerate(remembered, 1):
        what = f"checkpoints.log, line {number}"
        try:
            known = _opened(plane, note_of(line))
        except AuditError:
            yield f"{what}: not a checkpoint that the log signed"
            continue
        if known.size < tree.size:
            yield f"{what}: {known.size} entries, fewer than the checkpoint before"
            continue
        tree = tree.extend(islice(leaves, known.size - tree.size))
        if (tree.size, tree.root) != (known.size, known.root):
            broken.append((number, known.size))
    if broken:
        # A log that left the history of one checkpoint left that of all after it: said once, with where it began.
        (first, size), (until, _) = broken[0], broken[-1]
        which = f"line {first}" if first == until else f"lines {first} to {until}"
        yield f"checkpoints.log, {which}: the log does not extend the checkpoint of {size} entries"
    if last is not None and known != last:
        yield "the published checkpoint is not the last one in checkpoints.log"


def _path(plane: ControlPlane) -> Path:
    return plane.settings.home / "checkpoints.log"


def is_by_present_key(plane: ControlPlane, note: bytes) -> bool:
    """Return whether the key that the log has now signed this, and not one that it had before."""
    try:
        _opened_once(note, (plane.keys.log.verifier,))
    except AuditError:
        return False
    return True


def _opened(plane: ControlPlane, note: bytes) -> Checkpoint:
    return _opened_once(note, (plane.keys.log.verifier, *plane.keys.earlier_logs))


@lru_cache(maxsize=64)
def _opened_once(note: bytes, keys: tuple[Verifier, ...]) -> Checkpoint:
    """Every act looks at the same few notes; the same bytes under the same keys have one answer."""
    return open_checkpoint(note, keys, keys[0].name).checkpoint


def note_of(line: bytes) -> bytes:
    """Return the signed checkpoint in a line, which has one spelling.

    Raises:
        InvalidFormat: it is no base64, or not in its only form.
    """
    return parse_base64(line.decode("ascii", "replace"))
