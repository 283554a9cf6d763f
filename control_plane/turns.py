"""Turns: of the threads of one process before Argon2, before the database, before the log and its witnesses.

And many who have the same to do let one of them do it for all (`Together`).

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from control_plane.errors import Busy

__all__ = ["Asking", "Line", "Together"]

_T = TypeVar("_T")

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
class _Wish(Generic[_T]):
    """What one thread wants done, and what came of it; `leads` once it is the one to do it for those who wait."""

    what: _T
    moved: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    outcome: Exception | None = None


class Together(Generic[_T]):
    """What many threads ask for at once is done by one of them at a time, for as many as wait then, up to `most`.

    So those who write little and often take one turn at a time before whatever they share with others.
    """

    def __init__(self, *, most: int = 200) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Wish[_T]] = deque()
        self._led = False

    def do(self, what: _T, carry_out: Callable[[Sequence[_T]], Sequence[Exception | None]]) -> None:
        """Have it done, by this thread or another, and return when it is; raises what came of it.

        `carry_out` gets several and says what came of each, in their order.

        Raises:
            Busy: it was done together with others, and that came to an error.
        """
        mine = _Wish(what)
        with self._lock:
            self._waiting.append(mine)
            if not self._led:
                self._led = mine.leads = True
        if not mine.leads:
            mine.moved.wait()
        if mine.leads:
            self._lead(carry_out)
        if mine.outcome is not None:
            raise mine.outcome

    def _lead(self, carry_out: Callable[[Sequence[_T]], Sequence[Exception | None]]) -> None:
        """Do what the first in line want, this thread the first of them, and let the next one lead."""
        with self._lock:
            some = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        lost = Busy("expected to be done together with others, got an error", retry_after_s=COME_AGAIN_S)
        outcomes: Sequence[Exception | None] = [lost] * len(some)
        try:
            outcomes = carry_out([one.what for one in some])
        finally:
            for one, outcome in zip(some, outcomes, strict=True):
                one.outcome = outcome
            with self._lock:
                self._led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    some.append(self._waiting[0])
            for one in some:
                one.moved.set()


@dataclass(slots=True)
class Asking:
    """A lock for one to ask at a time, and the size of the log that each witness was last seen to know.

    `publishing` is the line of those who publish: one of them at a time looks at the lock that processes share.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[str, int] = field(default_factory=dict)
    publishing: Line = field(default_factory=lambda: Line(at_once=1, waiting=1000, wait_s=30, what="publications"))
