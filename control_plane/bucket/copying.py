"""From the published folder to a bucket: what is copied, in which order, and what a reader sees meanwhile.

What is in force is read first: the checkpoint, the timestamp and the roots. The folder holds all that they imply, and
that is copied before them:

1. `metadata/1.root.json`, by which a bucket is known to be of this installation.
2. Whatever never changes, in any order: closures, parts, targets, metadata by version, tiles of the log.
   Crash in here: objects that nothing names. The next copy goes on where this one ended.
3. The checkpoint. Crash after it: the log is ahead of the release, as it is in the folder after every act.
4. The timestamp. From here on devices take the new release.
5. Newer roots: what is below them is signed for the root before, too, wherever that was possible (see `Site.take`).
   Crash before them: devices go on with the root before.

Promises: a reader finds the state before or the state after, whole, at any instant; copying again writes nothing; the
timestamp and the log of a bucket never go backwards; nothing is ever deleted; one object is replaced at once, which is
what S3 promises. Of the log only what the checkpoint implies is copied, since files beyond it may be halves.
Does not: write to the folder, hold its locks while the network is waited for, or sign. Source: DESIGN section 6,
publish.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audit.checkpoint import parse_checkpoint
from audit.errors import AuditError
from audit.note import parse_note
from audit.tiles import ENTRIES, parse_bundle, parse_path, parse_tile, tiles_for
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.release import CHECKPOINT_PATH, TIMESTAMP_PATH

__all__ = ["Shown", "Store", "copy", "lag", "shown"]

AT_ONCE = 16
"""How many objects are written at once: a store answers each after some milliseconds."""
_LOG = "log/"

Step = Callable[[int, int], None]


class Store(Protocol):
    """What is asked of a bucket; paths are those of the published folder.

    Every method raises `Unavailable` if the store does not answer, or answers no.
    """

    def read(self, path: str) -> bytes | None:
        """Return an object; None if there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Make an object, or replace it at once."""

    def paths(self) -> set[str]:
        """Return the paths of all objects."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What says what is in force: the checkpoint, the timestamp, and the paths of all roots, oldest first."""

    checkpoint: bytes
    timestamp: bytes
    roots: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many entries the log has; 0 if that cannot be told."""
        try:
            return parse_checkpoint(parse_note(self.checkpoint).text).size
        except AuditError:
            return 0

    @property
    def version(self) -> int:
        """The version of the timestamp; 0 if that cannot be told."""
        try:
            version = json.loads(self.timestamp)["signed"]["version"]
        except (ValueError, KeyError, TypeError):
            return 0
        return version if isinstance(version, int) else 0

    def __str__(self) -> str:
        return f"timestamp {self.version}, {self.size} log entries"


def shown(folder: Path) -> Shown | None:
    """Return what the folder shows; None before anything is published. Whoever writes there must not meanwhile."""
    try:
        timestamp, checkpoint = ((folder / path).read_bytes() for path in (TIMESTAMP_PATH, CHECKPOINT_PATH))
    except FileNotFoundError:
        return None
    names = [path.name for path in (folder / "metadata").glob("[0-9]*.root.json")]
    versions = sorted(int(name.split(".")[0]) for name in names)
    return Shown(checkpoint, timestamp, tuple(f"metadata/{version}.root.json" for version in versions))


def lag(folder: Path, store: Store, here: Shown) -> Shown | None:
    """Return what the bucket shows if that is not what the folder shows, else None.

    Raises:
        Unavailable: the store does not answer, or the bucket is not a copy of this folder that is behind it.
    """
    mark, newest = here.roots[0], here.roots[-1]
    first, checkpoint, timestamp = (store.read(path) for path in (mark, CHECKPOINT_PATH, TIMESTAMP_PATH))
    has_newest = first is not None and (newest == mark or store.read(newest) is not None)
    there = Shown(checkpoint or b"", timestamp or b"", here.roots if has_newest else ())
    if first is not None and first != (folder / mark).read_bytes():
        raise Unavailable(
            "expected a bucket of this installation, got one that holds another root",
            hint="give each installation a bucket or a prefix of its own",
        )
    if first is None and (checkpoint or timestamp):
        raise Unavailable("expected an empty bucket or one of this installation, got one without its root")
    if there.version > here.version or there.size > here.size:
        raise Unavailable(
            f"expected a bucket that is behind the folder ({here}), got one that is ahead ({there})",
            hint="was the home restored from an old copy, or is a second one in use? see docs/operations.md",
        )
    return None if there == here else there


def copy(folder: Path, store: Store, *, here: Shown, known: set[str], step: Step | None = None) -> int:
    """Bring the bucket to what the folder shows; return how many objects were written.

    `known` names objects that never change and are there; those that are written are added to it. `step` is told how
    many of how many are done.

    Raises:
        Unavailable: the store does not take it, the bucket is another's, or a file of the log is malformed.
        FileNotFoundError: a partial tile became a full one meanwhile: look again at what is shown.
    """
    there = lag(folder, store, here)
    mark, *newer = here.roots
    lacking = sorted(_unchanging(folder, here) - known)
    if there is None and not lacking and known.issuperset(here.roots):
        return 0

    def put(path: str) -> str:
        store.write(path, _read(folder, path))
        return path

    done = 0
    if mark not in known:
        known.add(put(mark))
        done += 1
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for path in threads.map(put, lacking):
            known.add(path)
            done += 1
            if step:
                step(done, len(lacking))
    # Crash up to here: objects that nothing names yet.
    if there is not None and there.checkpoint != here.checkpoint:
        store.write(CHECKPOINT_PATH, here.checkpoint)
        done += 1
    # Crash here: the log is ahead of the release.
    if there is not None and there.timestamp != here.timestamp:
        store.write(TIMESTAMP_PATH, here.timestamp)
        done += 1
    for root in newer:
        # Crash here: what is in force is signed for the root before, too.
        if root not in known:
            known.add(put(root))
            done += 1
    return done


def _unchanging(folder: Path, here: Shown) -> set[str]:
    """Return the paths of what never changes and that what is shown may imply, but for the roots."""
    found = {f"{_LOG}{tile.path}" for tile in tiles_for(here.size)}
    for place, folders, names in os.walk(folder):
        below = Path(place).relative_to(folder).as_posix()
        if below == ".":
            folders[:] = [name for name in folders if f"{name}/" != _LOG]
        prefix = "" if below == "." else f"{below}/"
        # Hidden files are being written, or were when somebody crashed.
        found |= {f"{prefix}{name}" for name in names if not name.startswith(".")}
    return {path for path in found if path != TIMESTAMP_PATH and not _is_root(path)}


def _is_root(path: str) -> bool:
    return path.startswith("metadata/") and path.endswith(".root.json")


def _read(folder: Path, path: str) -> bytes:
    """Return a published file; one of the log only if it is of the form that its name says."""
    data = (folder / path).read_bytes()
    if path.startswith(_LOG):
        try:
            tile = parse_path(path.removeprefix(_LOG))
            (parse_bundle if tile.level == ENTRIES else parse_tile)(data, tile.width)
        except AuditError as error:
            raise Unavailable(f"expected {path} as it was published, got a malformed file") from error
    return data
