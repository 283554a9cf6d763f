"""Turns: of the threads of one process before Argon2, before the database, before the log and its witnesses.

So many derivations at once, so many waiting, and no more. Each takes tens of megabytes for a while, so a flood of
sign-ins could take all memory: beyond the line, a request is told to come again. Who writes to the database waits
likewise.
Promises: never more than `at_once` run and `waiting` wait; first come, first served, but for those whom others wait for
(`next_one`). Does not: count wrong passphrases (see `accounts.passphrases`), or outlive the process: nothing here is
needed after a crash.
Source: OWASP Password Storage Cheat Sheet (denial of service by expensive hashes).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from control_plane.errors import Busy

__all__ = ["Asking", "Line"]

COME_AGAIN_S = 2
WAIT_S = 20.0


class Line:
    """A line that threads wait in."""

    def __init__(
        self, *, at_once: int = 2, waiting: int = 56, wait_s: float = WAIT_S, what: str = "passphrases"
    ) -> None:
        self._free = at_once
        self._most = waiting
        self._wait_s = wait_s
        self._what = what
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, *, next_one: bool = False) -> Iterator[None]:
        """Wait for a turn, and have it; `next_one` goes before all who wait: for those whom others wait for.

        Raises:
            Busy: the line is full, or did not move.
        """
        self._enter(next_one=next_one)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, *, next_one: bool) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._waiting) >= self._most:
                raise self._busy()
            mine = threading.Event()
            (self._waiting.appendleft if next_one else self._waiting.append)(mine)
        if mine.wait(self._wait_s):
            return
        with self._lock:
            if not mine.is_set():  # else it was handed over just now
                self._waiting.remove(mine)
                raise self._busy()

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()  # the turn is handed over: `_free` stays
            else:
                self._free += 1

    def _busy(self) -> Busy:
        said = f"expected fewer {self._what} at once, got a full line"
        return Busy(said, hint="try again", retry_after_s=COME_AGAIN_S)


@dataclass(slots=True)
class Asking:
    """A lock for one to ask at a time, and the size of the log that each witness was last seen to know.

    `publishing` is the line of those who publish: one of them at a time looks at the lock that processes share.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[str, int] = field(default_factory=dict)
    publishing: Line = field(default_factory=lambda: Line(at_once=1, waiting=1000, wait_s=30, what="publications"))
