"""What a writer of a log asks of a file system, below one folder: each step on its own, so that each can be lost.

Promises: nothing is durable before `sync` (a file's content) and `sync_folder` (the names in a folder) have returned;
`replace` changes a name at once, for whoever looks; only one holder at a time has the `lock`, which ends with its
process. A path that leads out of the folder is refused.

It decides nothing: which steps in which order leave a log that can be opened again is `audit.writer`'s to know. A test
passes another object of the same methods, which fails, forgets or ends the process at a step.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Protocol

from audit.folder import folder_reader

__all__ = ["Disk", "Files"]

LOCK = ".lock"


class Files(Protocol):
    """The steps that a writer takes; paths are relative, with forward slashes; "" is the folder itself."""

    def read(self, path: str) -> bytes:
        """Return a file's content; `FileNotFoundError` if there is none."""

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if it is not there."""

    def write(self, path: str, data: bytes) -> None:
        """Give a file this content, making it and its folders if needed; nothing is durable yet."""

    def sync(self, path: str) -> None:
        """Make durable the content of a file that was written before."""

    def sync_folder(self, folder: str) -> None:
        """Make durable which names are in a folder."""

    def replace(self, old: str, new: str) -> None:
        """Rename a file over another one, at once."""

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder; it may be gone already."""

    def lock(self) -> None:
        """Become the only writer, or raise `BlockingIOError` if there is one."""

    def close(self) -> None:
        """Give up the lock and whatever is still open."""


class Disk:
    """The steps on a real folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read = folder_reader(folder)
        self._open: dict[str, int] = {}
        self._lock: int | None = None

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if it is not there."""
        try:
            return sorted(place.name for place in self._at(folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, path: str, data: bytes) -> None:
        """Give a file this content; its descriptor stays open, so that `sync` sees every error of writing."""
        place = self._at(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(place, flags, 0o644)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, flags, 0o644)
        self._forget(path)
        self._open[path] = handle
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def sync(self, path: str) -> None:
        """Make durable the content of a file, written by us or found here."""
        if path not in self._open:
            self._open[path] = os.open(self._at(path), os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(self._open[path])
        finally:
            self._forget(path)

    def sync_folder(self, folder: str) -> None:
        """Make durable which names are in a folder."""
        _sync_folder(self._at(folder))

    def replace(self, old: str, new: str) -> None:
        """Rename a file over another one, at once."""
        self._at(old).replace(self._at(new))

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder; it may be gone already."""
        place = self._at(path)
        try:
            place.rmdir() if place.is_dir() else place.unlink()
        except FileNotFoundError:
            return

    def lock(self) -> None:
        """Become the only writer, or raise `BlockingIOError` if there is one."""
        made = [self.folder, *self.folder.parents]
        made = [place for place in made if not place.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        for place in made:
            _sync_folder(place.parent)
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle)
        except OSError as error:
            os.close(handle)
            raise BlockingIOError("expected to be the only writer of this log, got another one") from error
        # The file stays when the lock goes: removing it would let two writers hold a lock on two files of one name.
        self._lock = handle

    def close(self) -> None:
        """Give up the lock and whatever is still open."""
        for path in list(self._open):
            self._forget(path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _forget(self, path: str) -> None:
        if path in self._open:
            os.close(self._open.pop(path))

    def _at(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts:
            raise ValueError("expected a path below the log's folder, got another")
        return self.folder.joinpath(*parts)


def _sync_folder(place: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and renames are durable by the file system's journal
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Lock a file for this process, without waiting; the system gives it up when the process ends."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
