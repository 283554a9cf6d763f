"""Keeping a bucket up with the published folder: seen each second, tried again after every failure, and told.

The folder is looked at, not those who write to it: whatever changes it, of this process or another, an act, a witness,
a ceremony or the hourly timestamp, is copied within a second or two. No act waits for the store, and none fails because
of it: an outage leaves the bucket at an older state, whole, until the store answers again.

Promises: one copy at a time for each home, of all processes; what failed is tried again, at the latest each minute;
once an hour the bucket itself is listed, so that objects that somebody removed come back. Does not: keep anything on
the disk; what is in the bucket is asked of the bucket.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from control_plane import db
from control_plane.bucket.copying import Shown, Step, Store, copy, lag, shown
from control_plane.errors import Busy, NotFound
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import MentorplaneError, Unavailable
from edge_runtime.core.release import CHECKPOINT_PATH, TIMESTAMP_PATH

__all__ = ["Keeper", "keeper_of", "keeping"]

EVERY_S = 1.0
MOST_S = 60.0
LISTED_EVERY = 3600
STOP_TIMEOUT_S = 15.0
_TURN_TIMEOUT_S = 30.0
_TRIES = 5
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Keeper:
    """Copies the folder of an installation to a store, and remembers what is there already.

    lags_since, error   when copying first failed since it last went well, and what was said last; None and ""
    """

    plane: ControlPlane
    store: Store = field(repr=False)
    lags_since: datetime | None = None
    error: str = ""
    _known: set[str] | None = field(default=None, repr=False)
    _seen: tuple[int, ...] = ()
    _turns: int = 0

    def keep_up(self, step: Step | None = None) -> int:
        """Copy what the folder gained, and return how many objects were written.

        Raises:
            Unavailable: the store does not take it, or another process is copying and does not end.
        """
        from filelock import FileLock, Timeout  # it brings asyncio: only where something is copied

        lock = FileLock(self.plane.settings.home / "bucket.lock", timeout=_TURN_TIMEOUT_S)
        try:
            lock.acquire()
        except Timeout as error:
            raise Busy("expected to copy to the bucket, got another copy that does not end") from error
        try:
            return self._copy(step)
        finally:
            lock.release()

    def turn(self) -> float:
        """Keep up if there is anything to do, and return after how many seconds to look again; says what fails."""
        seen, self._turns = self._look(), self._turns + 1
        if self._turns % LISTED_EVERY == 0:
            self._known, self._seen = None, ()
        if seen == self._seen:
            return EVERY_S
        try:
            self.keep_up()
        except (MentorplaneError, OSError) as error:
            self.error = str(error)
            self.lags_since = self.lags_since or self.plane.now()
            failed_s = (self.plane.now() - self.lags_since).total_seconds()
            wait_s = min(max(2 * EVERY_S, failed_s), MOST_S)
            _LOG.warning("the bucket lags since %s, and is tried again in %d s: %s", self.lags_since, wait_s, error)
            return wait_s
        if self.lags_since is not None:
            _LOG.warning("the bucket has caught up; it lagged since %s", self.lags_since)
        # What changed while this was being copied is seen at the next turn.
        self._seen, self.lags_since, self.error = seen, None, ""
        return EVERY_S

    def warnings(self) -> tuple[str, ...]:
        """Return what people should know: that the bucket lags."""
        since = self.lags_since
        return (f"the bucket that devices read lags since {since:%Y-%m-%d %H:%M} UTC: {self.error}",) if since else ()

    def here(self) -> Shown:
        """Return what the folder shows, while nobody writes to the repository in it.

        Raises:
            NotFound: nothing is published yet.
        """
        with db.write(self.plane.engine, next_one=True):
            found = shown(self.plane.site)
        if found is None:
            raise NotFound("expected something published, got nothing yet")
        return found

    def lag(self) -> Shown | None:
        """Return what the bucket shows if it lags behind the folder, else None.

        Raises:
            Unavailable: the store does not answer, or the bucket is another's.
            NotFound: nothing is published yet.
        """
        return lag(self.plane.site, self.store, self.here())

    def _copy(self, step: Step | None) -> int:
        for _ in range(_TRIES):
            here = self.here()
            if self._known is None:
                self._known = self.store.paths()
            try:
                return copy(self.plane.site, self.store, here=here, known=self._known, step=step)
            except FileNotFoundError:
                continue  # the log grew, and files of its edge made way for full ones
        raise Unavailable("expected the published files as they were left, got fewer")

    def _look(self) -> tuple[int, ...]:
        """Return what changes whenever something is published: it costs three looks at the file system."""
        site = self.plane.site
        found = [site / CHECKPOINT_PATH, site / TIMESTAMP_PATH, site / "metadata"]
        return tuple(path.stat().st_mtime_ns for path in found if path.exists())


def keeper_of(plane: ControlPlane) -> Keeper | None:
    """Return what copies to the bucket of an installation; None if it has none."""
    from control_plane.bucket.s3 import S3

    bucket = plane.settings.bucket
    return Keeper(plane, S3(bucket)) if bucket else None


@contextmanager
def keeping(keeper: Keeper | None) -> Iterator[None]:
    """Keep the bucket up in the background, until the end of the block."""
    if keeper is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(keeper, stop), name="bucket", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_TIMEOUT_S)


def _run(keeper: Keeper, stop: threading.Event) -> None:
    wait_s = 0.0
    try:
        while not stop.wait(wait_s):
            wait_s = keeper.turn()
    finally:
        if not stop.is_set():  # a mistake of ours ends the thread, and must not do so unseen
            keeper.lags_since = keeper.lags_since or keeper.plane.now()
            keeper.error = "copying ended by an error of its own: start the server again"
