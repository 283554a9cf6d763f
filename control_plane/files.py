"""Files: written so that a crash leaves the old one or the new one, never half of either; read with a cap, no links.

Promises: after `write_atomic` or `write_all` returns, contents and names are on the disk. Does not: lock (the
database's log-head row does).
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge_runtime.core.errors import InvalidDocument

__all__ = ["copy_published", "read_own", "write_all", "write_atomic"]

_AT_ONCE = 16
"""How many files are synced at once: a file system commits what is asked for together in one go."""


def write_atomic(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` by a temporary file, fsync and rename; `private` files are 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, data, private=private)
    _sync_folder(path.parent)


def write_all(files: Mapping[Path, bytes], *, as_made: Callable[[bytes], bytes] = bytes) -> None:
    """Write many files, each as `write_atomic` does; a crash leaves any of them old and any new.

    Args:
        files: contents by path.
        as_made: makes of a content what is written; several are made at once.
    """
    folders = {path.parent for path in files}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    paths = list(files)

    def write_some(first: int) -> None:
        for path in paths[first::_AT_ONCE]:
            _write(path, as_made(files[path]))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        # A task for each file would cost as much as the file.
        list(threads.map(write_some, range(min(_AT_ONCE, len(paths)))))
    for folder in folders:
        _sync_folder(folder)


def copy_published(source: Path, target: Path) -> None:
    """Copy a folder that others write to meanwhile: what is half written, under a hidden name, is left out."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*"))


def _write(path: Path, data: bytes, *, private: bool = False) -> None:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}")  # noqa: PTH118 - a thousand at once
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # A crash up to here leaves a hidden temporary file and the old content under the old name.
        os.replace(temporary, path)  # noqa: PTH105 - as above
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and renames are durable by the file system's journal
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_own(path: Path, *, max_bytes: int) -> bytes | None:
    """Return a file of ours in somebody's folder, or its first `max_bytes` and one more; None if it is not there.

    Raises:
        InvalidDocument: it is a link, which may lead anywhere.
    """
    if path.is_symlink():
        raise InvalidDocument(f"expected {path.name} to be a file, got a link")
    try:
        with path.open("rb") as stream:
            return stream.read(max_bytes + 1)
    except FileNotFoundError:
        return None
