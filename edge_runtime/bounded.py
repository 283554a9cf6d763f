"""Work that may never end and cannot be told to stop: waited for no longer than it may take.

Promises: whoever waits goes on in time. What does not end is left behind in a thread of its own, at most so many of one
kind; while there are as many, no more is begun. An app ends all the same. Does not: end anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["SLICE_S", "Lane"]

_T = TypeVar("_T")
SLICE_S = 0.25
"""How often somebody who waits looks whether that was stopped."""


class Lane:
    """Where work of one kind is waited for. Thread-safe."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()
        self._left: set[_Work[Any]] = set()

    @property
    def left_behind(self) -> int:
        """How much of what nobody waits for any more still goes on."""
        with self._lock:
            self._left = {work for work in self._left if not work.ended.is_set()}
            return len(self._left)

    def call(self, do: Callable[[], _T], within_s: float, *, stopped: Callable[[], bool] = lambda: False) -> _T:
        """Return what `do` returns, or raise what it raises.

        Raises:
            TimeoutError: it takes too long, nobody wants it any more, or too much was left behind to begin it.
        """
        if self.left_behind >= self._at_most:
            raise TimeoutError("too much of its kind has not ended")
        work = _Work(do)
        until = time.monotonic() + within_s
        try:
            threading.Thread(target=work.run, name="mentorplane-bounded", daemon=True).start()
        except RuntimeError as error:  # the system gives no more threads
            raise TimeoutError("no thread to begin it in") from error
        while not work.ended.wait(min(SLICE_S, max(0.0, until - time.monotonic()))):
            if stopped() or time.monotonic() >= until:
                with self._lock:
                    self._left.add(work)
                raise TimeoutError("it has not ended in time")
        return work.outcome()


class _Work(Generic[_T]):
    def __init__(self, do: Callable[[], _T]) -> None:
        self._do = do
        self._result: list[_T] = []
        self._error: BaseException | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._result.append(self._do())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._error = error
        finally:
            self.ended.set()

    def outcome(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._result[0]
