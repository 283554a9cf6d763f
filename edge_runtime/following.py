"""Looking again and again, in a thread, while an app is open: for what was published anew, and for withdrawals.

Promises: one look at a time; pauses are never longer than asked for while looks succeed, and differ from device to
device and from look to look, so that a fleet does not come at once; after a failed look they double, up to four times
as long. `stop` ends it, and so does the end of the program. A draft that was refused is asked for once.
Does not: look by itself unless asked to (see `EdgeRuntime.poll` and `EdgeRuntime.follow`), keep what a look found.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from edge_runtime.core.errors import MentorplaneError

if TYPE_CHECKING:
    from edge_runtime.delivery.online import Source
    from edge_runtime.reply import Refresh

__all__ = ["Drafts", "Following", "pause_s"]

LONGEST = 4
"""The longest pause after failures, in multiples of the one that was asked for."""
SHORTEST = 0.75
"""The shortest pause, in parts of the one that was asked for."""
MAX_TIMESTAMP_BYTES = 16_384
_DRAW = random.SystemRandom().random


def pause_s(every_s: float, failures: int, *, drawn: float) -> float:
    """Return how long to wait after so many failures in a row; `drawn` is a random number from 0 to 1.

    >>> pause_s(300, 0, drawn=1.0), pause_s(300, 0, drawn=0.0), pause_s(300, 1, drawn=1.0), pause_s(300, 99, drawn=1.0)
    (300.0, 225.0, 600.0, 1200.0)
    """
    return every_s * min(1 << min(failures, 10), LONGEST) * (SHORTEST + (1 - SHORTEST) * drawn)


class Following:
    """A thread that looks at once and then every `every_s` seconds, until `stop`; usable in a `with` statement."""

    def __init__(self, look: Callable[[], bool], *, every_s: float, draw: Callable[[], float] = _DRAW) -> None:
        """Begin to look; `look` says whether it succeeded, and `draw` gives a random number from 0 to 1."""
        self._look = look
        self._every_s = every_s
        self._draw = draw
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mentorplane-follow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns once a look under way has ended."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        failures = 0
        while True:
            failures = 0 if self._look() else failures + 1
            if self._stop.wait(pause_s(self._every_s, failures, drawn=self._draw())):
                return


class Drafts:
    """Looks at a developer's source a few times a second, and refreshes only when its timestamp changed."""

    def __init__(self, source: str, refresh: Callable[[], Refresh]) -> None:
        self._address = source
        self._source: Source | None = None
        self._refresh = refresh
        self._handled = b""

    def look(self) -> bool:
        """Adopt a draft that is new; being away is no failure here: the next look tells."""
        from edge_runtime.core.release import TIMESTAMP_PATH
        from edge_runtime.delivery.online import Source

        try:
            self._source = self._source or Source(self._address)
            newest = self._source.fetch(TIMESTAMP_PATH, max_bytes=MAX_TIMESTAMP_BYTES)
        except (MentorplaneError, OSError):  # not there yet, or no more
            return True
        if newest != self._handled:
            done = self._refresh()
            if done.ok or done.check:  # else it was out of reach in the middle: try again
                self._handled = newest
        return True
