"""Counts in a home that hold nothing else: a file is as long as what it counts.

    home/hand-offs         how often somebody was asked to turn to a person
    home/streaks/key       32 random bytes, read by nobody but the owner of the home
    home/streaks/<hex>     exchanges of one person with the assistant alone, named by the key and the host's id

Promises: whoever adds waits for nobody, several processes may add at once, and no addition is lost; nothing says when,
of what or of whom a count is. What could not be counted is told as unknown, never as less. Does not: decide.
"""

from __future__ import annotations

import atexit
import hmac
import threading
from pathlib import Path

from edge_runtime.core.errors import Unavailable
from edge_runtime.home import holding
from edge_runtime.salts import SECRET_BYTES, draw_secret, open_private

__all__ = ["HandOffs", "Streaks", "Tallies", "Tally"]

MOST = 999
"""Where counting ends: no policy asks for more."""
LOCK_TIMEOUT_S = 1
LAST_S = 1.0
"""How long a process that ends waits for what is not counted yet."""


class Tally:
    """One count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self) -> None:
        """Count one more; raises `OSError` where that cannot be written down."""
        with open_private(self._path) as file:
            file.write(b".")

    def count(self) -> int:
        """Return how many were counted; raises `OSError` where nobody can tell."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def clear(self) -> None:
        """Begin anew; raises `OSError` where that cannot be written down."""
        self._path.unlink(missing_ok=True)


class HandOffs:
    """How often a hand-off text was given: counted in a thread of its own, of which there is one, whatever a disk does.

    What cannot be written down now is counted with the next one of this process.
    """

    def __init__(self, path: Path) -> None:
        self._tally = Tally(path)
        self._lock = threading.Lock()
        self._owed = 0
        self._counting: threading.Thread | None = None

    def add_later(self) -> None:
        """Count one more, without waiting for any file."""
        with self._lock:
            self._owed += 1
            if self._counting is not None:
                return
            self._counting = threading.Thread(target=self._count, name="mentorplane-count", daemon=True)
            atexit.register(self._counting.join, LAST_S)
            try:
                self._counting.start()
            except RuntimeError:  # no more threads: counted with the next one
                self._end()

    def settle(self, within_s: float) -> int:
        """Wait no longer than so for what is being counted, and return how many are not."""
        counting = self._counting
        if counting is not None:
            counting.join(within_s)
        return self._owed

    def count(self) -> int:
        """Return how many were counted; raises `OSError` where nobody can tell."""
        return self._tally.count()

    def _count(self) -> None:
        while True:
            with self._lock:
                if not self._owed:
                    self._end()
                    return
            try:
                self._tally.add()
            except OSError:
                with self._lock:
                    self._end()
                return
            with self._lock:
                self._owed -= 1

    def _end(self) -> None:
        if self._counting is not None:
            atexit.unregister(self._counting.join)
        self._counting = None


class Streaks:
    """How many exchanges people had with the assistant alone since they last talked with a person."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "streaks"
        self._uncounted: set[str] = set()

    def of(self, learner: str) -> int | None:
        """Return how many one person had; None if nobody can tell."""
        if learner in self._uncounted:
            return None
        try:
            tally = self._tally(learner)
            return tally.count() if tally else 0
        except (OSError, Unavailable):
            return None

    def add(self, learner: str) -> None:
        """Count one exchange more.

        Raises:
            OSError, Unavailable: it cannot be written down; until `clear` nobody can tell how many there were.
        """
        try:
            tally = self._tally(learner) or self._begun(learner)
            if tally.count() < MOST:
                tally.add()
        except (OSError, Unavailable):
            self._uncounted.add(learner)
            raise

    def clear(self, learner: str) -> None:
        """Begin anew: the person talked with somebody.

        Raises:
            OSError, Unavailable: that cannot be written down.
        """
        if tally := self._tally(learner):
            tally.clear()
        self._uncounted.discard(learner)

    def _tally(self, learner: str) -> Tally | None:
        """Return the count of one person, none where nobody was counted yet."""
        try:
            key = (self._folder / "key").read_bytes()
        except FileNotFoundError:
            return None
        if len(key) != SECRET_BYTES:
            raise Unavailable("expected the key to the counts of this home, got something else")
        return Tally(self._folder / hmac.digest(key, learner.encode("utf-8", "replace"), "sha256").hex())

    def _begun(self, learner: str) -> Tally:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with holding(self._folder / "lock", "counts", timeout_s=LOCK_TIMEOUT_S):
            if self._tally(learner) is None:
                draw_secret(self._folder / "key")
        tally = self._tally(learner)
        assert tally is not None
        return tally


class Tallies:
    """The counts of one home."""

    def __init__(self, home: Path) -> None:
        self.hand_offs = HandOffs(home / "hand-offs")
        self.streaks = Streaks(home)
