"""The line before Argon2: so many derivations at once, so many waiting, and no more.

Each derivation takes tens of megabytes for a while, so a flood of sign-ins could take all memory: beyond the line, a
request is told to come again. Promises: never more than `at_once` run and `waiting` wait; first come, first
served. Does not: count wrong passphrases (see `passphrases`).
Source: OWASP Password Storage Cheat Sheet (denial of service by expensive hashes).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from control_plane.errors import Busy

__all__ = ["Line"]

COME_AGAIN_S = 2
WAIT_S = 20.0


class Line:
    """A line that threads wait in."""

    def __init__(self, *, at_once: int = 2, waiting: int = 24) -> None:
        self._free = at_once
        self._most = waiting
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it.

        Raises:
            Busy: the line is full, or did not move.
        """
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._waiting) >= self._most:
                raise _busy()
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(WAIT_S):
            return
        with self._lock:
            if not mine.is_set():  # else it was handed over just now
                self._waiting.remove(mine)
                raise _busy()

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()  # the turn is handed over: `_free` stays
            else:
                self._free += 1


def _busy() -> Busy:
    return Busy("expected fewer passphrases at once, got a full line", hint="try again", retry_after_s=COME_AGAIN_S)
