"""When something in a folder of sources was saved: names, times and sizes of its files, compared a few times a second.

Promises: a file that is still being written counts when it is whole: two looks in a row must be alike. It works
wherever files have times: in shared folders and containers, too, where notices of the operating system get lost; and
looking at a thousand files takes a few milliseconds. Does not: read files, or wait (the caller does).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Watch"]

Seen = tuple[tuple[str, int, int, int], ...]


class Watch:
    """Watches one folder, from when it is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = self._handled = _seen(folder)

    def saved(self) -> bool:
        """Return whether something changed since this last said so, and was the same at two looks in a row."""
        now = _seen(self._folder)
        is_settled, self._last = now == self._last, now
        if not is_settled or now == self._handled:
            return False
        self._handled = now
        return True


def _seen(folder: Path) -> Seen:
    return tuple(sorted(_files(str(folder))))


def _files(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, time, size and number of each source; a folder that goes meanwhile has none."""
    try:
        with os.scandir(folder) as members:
            for member in members:
                if member.is_dir() and not member.name.startswith((".", "__")):
                    yield from _files(member.path)
                elif member.name.endswith((".yaml", ".yml")):
                    at = member.stat()
                    yield member.path, at.st_mtime_ns, at.st_size, at.st_ino
    except OSError:  # the next look sees what became of it
        return
