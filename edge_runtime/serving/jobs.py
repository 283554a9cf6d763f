"""Runs in threads, watched from the event loop: so many at once, so many in line, and each can be stopped.

Promises: a run whose client hung up is told to stop, and its place is free once it has; what no place or line is left
for is refused at once; an error of a run comes to whoever waits for it, never to a log.
Does not: know what a run is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from edge_runtime.reply import Reply
from edge_runtime.serving.errors import Refusal

__all__ = ["Job", "Jobs"]

AT_ONCE = 4
IN_LINE = 28


class Job:
    """One run: its texts as they come, and its reply at the end. Made by `Jobs.begin`, in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[str | Reply | Exception] = asyncio.Queue()
        self._lock = threading.Lock()
        self.stopped = False
        self._close: Callable[[], None] = lambda: None
        self.reply: Reply | None = None

    def put(self, made: str | Reply | Exception) -> None:
        """Hand over what the run made; from its thread."""
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, made)

    def closes(self, close: Callable[[], None]) -> None:
        """Say what ends the run from outside; from its thread. It is ended at once if it was stopped before."""
        with self._lock:
            self._close = close
            stopped = self.stopped
        if stopped:
            close()

    def stop(self) -> None:
        """End the run, if it has not ended."""
        with self._lock:
            self.stopped = True
            close = self._close
        close()

    async def texts(self) -> AsyncIterator[str]:
        """Yield what the run says as it comes; `reply` is there after the last.

        Raises:
            Exception: whatever the run raised.
        """
        while self.reply is None:
            made = await self._arrived.get()
            if isinstance(made, str):
                yield made
            elif isinstance(made, Reply):
                self.reply = made
            else:
                raise made


class Jobs:
    """The places where runs run."""

    def __init__(self, *, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self._most = at_once + in_line
        self._taken = 0
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="mentorplane-serve")

    def begin(self, run: Callable[[Job], Reply]) -> Job:
        """Run something in a thread, as soon as one is free.

        Raises:
            Refusal: too many wait already.
        """
        if self._taken >= self._most:
            raise Refusal(
                "expected fewer requests at once", code="rate_limit_exceeded", status=HTTPStatus.TOO_MANY_REQUESTS
            )
        job = Job()
        self._taken += 1
        done = asyncio.wrap_future(self._pool.submit(_carry_out, run, job))
        done.add_done_callback(self._free)
        return job

    def _free(self, _: object) -> None:
        self._taken -= 1


def _carry_out(run: Callable[[Job], Reply], job: Job) -> None:
    try:
        if not job.stopped:  # the client may have hung up while it stood in line
            job.put(run(job))
    except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for the run
        job.put(error)
