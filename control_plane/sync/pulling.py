"""Pulling: writing what is live on a channel into a folder, just as it was authored.

Promises: bytes, comments and paths are the author's (a path that is not safe everywhere is replaced, see `paths`); a
file that the author moved stays where they have it; what changed here and is the same there is left alone; a source
that changed on both sides refuses the whole pull before anything is written, unless merging was asked for and is clean.
Each file is the old one or the new one, whole. The lock is written last: ended at any point before, the next pull finds
the files that were written in step already, and goes on. Does not: propose, or touch files that are none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from control_plane.diffs.merging import merge
from control_plane.errors import Conflict
from control_plane.files import write_atomic
from control_plane.sync.bases import base_text, keep_bases, sweep
from control_plane.sync.comparing import Difference, Status, compare
from control_plane.sync.errors import SyncConflict
from control_plane.sync.folder import Here, scan
from control_plane.sync.ignoring import load_ignoring
from control_plane.sync.lock import Lock, Locked, load_lock, save_lock
from control_plane.sync.paths import places
from control_plane.sync.records import Key, Registry, Snapshot
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Compared", "Pulled", "compared", "conflict", "pull"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A folder, its lock and what is live, compared."""

    lock: Lock | None
    here: Here
    live: Snapshot
    status: Status


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did, by path; `kept` is what changed here and is still to be pushed."""

    channel: str
    release: int
    written: tuple[str, ...]
    removed: tuple[str, ...]
    merged: tuple[str, ...]
    kept: tuple[str, ...]


def compared(registry: Registry, folder: Path, channel: str = "") -> Compared:
    """Return how a folder stands to the channel that it was pulled from, or to be pulled from.

    Raises:
        InvalidDocument: the lock does not read.
        Conflict: the folder was pulled from another registry or another channel.
    """
    lock = load_lock(folder)
    if lock and lock.server != registry.name:
        raise Conflict(f"expected the registry that the folder was pulled from, {lock.server}, got {registry.name}")
    live = registry.snapshot(channel or (lock.channel if lock else ""))
    if lock and lock.channel != live.channel:
        raise Conflict(f"expected channel {lock.channel}, which the folder was pulled from, got {live.channel}")
    here = scan(folder, {file.path: (file.key, file.digest) for file in lock.files} if lock else None)
    return Compared(lock, here, live, compare(lock, here, live))


def pull(registry: Registry, folder: Path, *, channel: str = "", merging: bool = False) -> Pulled:
    """Bring a folder to what is live on a channel.

    Args:
        registry: a server or a home.
        folder: made if it is not there.
        channel: "" for that of the lock, or the usual one.
        merging: whether texts that changed on both sides are merged where their changes touch different lines.

    Raises:
        SyncConflict: something changed on both sides; nothing was written.
        SourceError: the folder holds what is no source, or links.
        Conflict, InvalidDocument: see `compared`.
    """
    if folder.is_symlink():
        raise InvalidDocument("expected a folder, got a link")
    folder.mkdir(parents=True, exist_ok=True)
    found = compared(registry, folder, channel)
    found.here.require_sound()
    merged = dict(_merged(folder, found)) if merging else {}
    clashes = tuple(one for one in found.status.of("conflicting") if one.key not in merged)
    if clashes:
        raise conflict(folder, found, clashes)
    theirs = {source.key: source for source in found.live.sources}
    behind = found.status.of("behind")
    writes = {one.key: theirs[one.key].text for one in behind if one.theirs} | merged
    at = _where(folder, found, writes)
    gone = [one.path for one in behind if not one.theirs]
    sweep(folder)
    # Ended here or between any two of the next lines: files written are in step with what is live, the others are as
    # they were, and the lock still says what they were pulled from.
    for key, text in writes.items():
        _write(folder, at[key], text)
    for path in gone:
        _remove(folder, path)
    keep_bases(folder, (source.text for source in found.live.sources))
    save_lock(folder, _lock_of(registry, found, at))
    kept = found.status.of("added", "changed", "removed")
    return Pulled(
        found.live.channel,
        found.live.release,
        written=tuple(sorted(at[key] for key in writes if key not in merged)),
        removed=tuple(sorted(gone)),
        merged=tuple(sorted(at[key] for key in merged)),
        kept=tuple(one.path for one in kept),
    )


def conflict(folder: Path, found: Compared, clashes: tuple[Difference, ...]) -> SyncConflict:
    """Return the error that shows both sides of what changed on both."""
    return SyncConflict(clashes, "\n".join(_both_sides(folder, found, one) for one in clashes))


def _both_sides(folder: Path, found: Compared, one: Difference) -> str:
    ours = found.here.files[one.key].data.decode("utf-8", "replace") if one.ours else ""
    other = next((source.text for source in found.live.sources if source.key == one.key), "")
    base = base_text(folder, one.base) if one.base else ""
    sides = [("here", "live", ours, other)]
    if base is not None:
        sides = [("pulled", "here", base, ours), ("pulled", "live", base, other)]
    lines = [f"{one.kind} {one.name} ({one.path})"]
    for old, new, before, after in sides:
        gone = " (gone)" if not after else ""
        diff = unified_diff(before.splitlines(), after.splitlines(), f"{old}/{one.path}", f"{new}/{one.path}", n=1)
        lines += [f"  {new}{gone}:", *(f"    {line.rstrip()}" for line in diff)]
    return "\n".join(lines)


def _merged(folder: Path, found: Compared) -> Iterator[tuple[Key, str]]:
    theirs = {source.key: source.text for source in found.live.sources}
    for one in found.status.of("conflicting"):
        base = base_text(folder, one.base)
        if base is None or not one.ours or not one.theirs:
            continue
        text = merge(base, found.here.files[one.key].data.decode(), theirs[one.key])
        if text is not None:
            yield one.key, text


def _where(folder: Path, found: Compared, writes: Mapping[Key, str]) -> dict[Key, str]:
    """Return where each live source lies in the folder.

    Raises:
        Conflict: a new file would take the place of one that is passed over, or of a folder.
    """
    ignoring = load_ignoring(folder)
    at = places(found.live.sources)
    locked = {file.key: file.path for file in found.lock.files} if found.lock else {}
    at |= {key: locked[key] for key in at if key in locked}
    at |= {key: file.path for key, file in found.here.files.items() if key in at}
    taken = {file.path.casefold(): key for key, file in found.here.files.items()}
    for key in writes:
        path, owner = at[key], taken.get(at[key].casefold(), key)
        if owner != key or ignoring.passes_over(path, folder=False) or (folder / path).is_dir():
            raise Conflict(f"expected {path} to be free for {key[0]} {key[1]}, got something else there")
        if any(ignoring.passes_over(above, folder=True) or (folder / above).is_symlink() for above in _above(path)):
            raise Conflict(f"expected the folder of {path} to be one of sources, got one that is passed over")
    return at


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    yield from ("/".join(parts[:count]) for count in range(1, len(parts)))


def _write(folder: Path, path: str, text: str) -> None:
    write_atomic(folder / path, text.encode())


def _remove(folder: Path, path: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (folder / path).unlink(missing_ok=True)
    for above in reversed(list(_above(path))):
        try:
            (folder / above).rmdir()
        except OSError:
            return


def _lock_of(registry: Registry, found: Compared, at: Mapping[Key, str]) -> Lock:
    live = found.live
    files = (Locked(s.kind, s.name, at[s.key], s.digest, s.epoch) for s in live.sources)
    return Lock(registry.name, live.channel, live.release, live.manifest, tuple(files))
