"""Live reload while an app is developed: a thread that sees when the draft is published anew, and adopts it.

It asks for the newest timestamp a few times a second and refreshes only when that changed, through the same checks as
ever. Promises: a refused draft is asked for once, a source that is away again and again; the last known good stays.
Does not: serve the channels of an organisation, whose devices look when their app is open (see `EdgeRuntime.refresh`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from edge_runtime.core.errors import MentorplaneError

if TYPE_CHECKING:
    from edge_runtime.reply import Refresh

__all__ = ["Following"]

MAX_TIMESTAMP_BYTES = 16_384


class Following:
    """A thread that follows one source, until `stop` or the end of the program; usable in a `with` statement."""

    def __init__(self, source: str, refresh: Callable[[], Refresh], *, every_s: float) -> None:
        self._source = source
        self._refresh = refresh
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mentorplane-follow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns once a refresh under way has ended."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        from edge_runtime.delivery.online import Source

        source = Source(self._source)
        handled = b""
        while True:
            try:
                newest = source.fetch("metadata/timestamp.json", max_bytes=MAX_TIMESTAMP_BYTES)
            except (MentorplaneError, OSError):  # not there yet, or no more: the next look tells
                newest = handled
            if newest != handled:
                done = self._refresh()
                if done.ok or done.check:  # else it was out of reach in the middle: try again
                    handled = newest
            if self._stop.wait(self._every_s):
                return
