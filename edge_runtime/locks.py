"""A lock between processes: the system's own on a file, which ends with whoever holds it, however that ends.

Promises: threads of one process exclude one another, too; nothing is written, here or anywhere else.
Does not: work across machines; a home lies on a local disk.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

__all__ = ["give_back", "take"]

_PAUSE_S = 0.02

if sys.platform == "win32":
    import msvcrt

    def _taken(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def take(path: Path, *, timeout_s: float) -> int | None:
    """Take the lock of a file, which is made if it is not there, and stays; none if somebody held it for longer.

    Raises:
        OSError: the file cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    until = time.monotonic() + timeout_s
    while not _taken(handle):
        if time.monotonic() >= until:
            os.close(handle)
            return None
        time.sleep(_PAUSE_S)
    return handle


def give_back(handle: int) -> None:
    """Give a lock back."""
    os.close(handle)
