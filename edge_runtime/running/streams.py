"""Streams: what a person may read of a run as it comes, for a thread or for an event loop.

Promises: a stream may be closed from any thread; the run then ends at its next piece and is counted as `stopped`.
"""

from __future__ import annotations

import threading
from typing import Self

from edge_runtime.reply import Reply
from edge_runtime.running.course import Course

__all__ = ["AsyncStream", "Stream"]


class Stream:
    """Texts as they come; after the last, `reply` is the whole reply. Its text counts if it differs from what came."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._pieces = course.pieces()
        self._turn = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        with self._turn:
            if self._course.is_stopped:
                self._end()
            return next(self._pieces)

    def close(self) -> None:
        """Want no more: end the run, now or at its next piece."""
        self._course.stop()
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()

    def _end(self) -> None:
        self._pieces.close()
        self._course.end()

    @property
    def reply(self) -> Reply:
        """The reply, once the stream has ended.

        Raises:
            ValueError: it has not.
        """
        if self._course.reply is None:
            raise ValueError("expected a stream that was read to its end, got one that goes on")
        return self._course.reply


class AsyncStream:
    """The same for `async for`: each piece is waited for in a thread, so that the event loop goes on."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        import asyncio

        piece = await asyncio.to_thread(next, self._stream, None)
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Want no more: end the run, now or at its next piece."""
        self._stream.close()

    @property
    def reply(self) -> Reply:
        """The reply, once the stream has ended."""
        return self._stream.reply
