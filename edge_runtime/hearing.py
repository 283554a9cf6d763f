"""What a device remembers of time: when it last heard from its source, and the latest time that its clock has shown.

    home/checked    when what a source said last, and was found good, was signed and witnessed (POSIX seconds)
    home/clock      the latest time seen, to the minute: what a clock that is set back is held against

Promises: what is damaged or gone counts as never; a home that cannot be written costs no answer.
Does not: judge (see `core.freshness`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from edge_runtime.core.freshness import Heard, hear, staleness_of

if TYPE_CHECKING:
    from edge_runtime.core.manifest import Manifest
    from edge_runtime.home import Home

__all__ = ["Hearing"]

CHECKED, CLOCK = "checked", "clock"
EVERY_S = 60


class Hearing:
    """The memory of one home; several processes may share it, and none makes another's fresher."""

    def __init__(self, home: Home) -> None:
        self._home = home
        at = home.load_time(CHECKED)
        self._kept = home.load_time(CLOCK)
        self._heard = Heard(at, max(at, self._kept))

    def hear(self, *, now: int, good_until: int, witnessed: int | None) -> None:
        """Remember that a source answered well: see `core.freshness.hear`.

        What cannot be written is remembered by this process alone: the device grows stale sooner, no later.
        """
        before = self._heard
        self._heard = hear(now=now, good_until=good_until, witnessed=witnessed, before=before.at)
        with suppress(OSError):
            if self._heard.at != before.at:
                self._home.save_time(CHECKED, self._heard.at)
            # What another process kept counts, too: a clock that was ahead is forgotten now.
            if not 0 <= self._heard.latest - self._home.load_time(CLOCK) < EVERY_S:
                self._keep(self._heard.latest)

    def staleness(self, manifest: Manifest, *, now: int) -> str:
        """Return how stale the release in use is, and remember the time."""
        heard = self._heard
        said = staleness_of(manifest, heard, now=now)
        if now > heard.latest:
            self._heard = Heard(heard.at, now)
            if now - self._kept >= EVERY_S:
                with suppress(OSError):
                    self._keep(now)
        return said

    @property
    def at(self) -> int:
        """When what a source said last was signed and witnessed, in POSIX seconds; 0 for never."""
        return self._heard.at

    def is_ahead_of(self, now: int) -> bool:
        """Return whether the clock shows a time before one that it has shown."""
        return self._heard.is_ahead_of(now)

    def _keep(self, latest: int) -> None:
        self._home.save_time(CLOCK, latest)
        self._kept = latest
