"""How stale the adopted release is: a separate question from whether to trust it.

Counts from when what was heard last was *signed*, so that a source which hands out old files keeps nobody fresh; where
the trust file names witnesses, from when a quorum of them last cosigned the log if that is earlier, so that no online
key alone keeps anybody fresh, or says that it is later than it is. The device's clock counts only as far as it makes
things staler than what the device has seen.

Promises: a later clock is never fresher; a clock that is behind the latest time seen, by more than clocks drift, counts
as expired; one within that counts as the latest time seen.
Does not: decide what a stale device does, which is policy; know what time it is, if somebody sets the clock back to
when the device was last used while it is off. Source: DESIGN section 6; docs/threat-model.md.
"""

from __future__ import annotations

from audit.frozen import frozen
from edge_runtime.core.manifest import Manifest

__all__ = ["TIMESTAMP_LIFETIME_S", "Heard", "hear", "signed_at", "staleness_of"]

TIMESTAMP_LIFETIME_S = 7 * 24 * 3600
"""How long the signed timestamp is good for: so its end says when it was signed. One with less counts as older."""
DRIFT_S = 600
"""How far a clock may be behind what the device has seen: clocks are set right by some seconds all the time."""


@frozen
class Heard:
    """When what a source said last was signed, 0 for never, and the latest time that this device has seen."""

    at: int = 0
    latest: int = 0

    def is_ahead_of(self, now: int) -> bool:
        """Return whether a clock that shows `now` was set back: it is behind by more than clocks drift."""
        return self.latest - now > DRIFT_S


def signed_at(good_until: int) -> int:
    """Return when a timestamp that is good until then was signed, or later than that."""
    return good_until - TIMESTAMP_LIFETIME_S


def hear(*, now: int, good_until: int, witnessed: int | None = None, before: int = 0) -> Heard:
    """Return what is known once a source answered well at `now`, with a timestamp that is good until then.

    Args:
        now: the device's clock, in POSIX seconds.
        good_until: when that timestamp ends.
        witnessed: when a quorum of witnesses cosigned the newest checkpoint at hand that they did, 0 if none; None
            where no witness is asked, and the signed time is all there is.
        before: what was counted from until now: what was witnessed once stays so, also while a newer checkpoint waits.
    """
    signed = signed_at(good_until)
    if witnessed is None:
        return Heard(min(now, signed), max(now, signed))
    return Heard(min(now, signed, max(witnessed, before)), max(now, witnessed))


def staleness_of(manifest: Manifest, heard: Heard, *, now: int) -> str:
    """Return `fresh`, `stale` (older than `fresh_for_s`) or `expired` (older than `valid_for_s`, or a clock set back).

    Args:
        manifest: the release in use.
        heard: what the device knows.
        now: the device's clock, in POSIX seconds.
    """
    age_s = max(now, heard.latest) - heard.at
    if heard.at <= 0 or heard.is_ahead_of(now) or age_s > manifest.valid_for_s:
        return "expired"
    return "stale" if age_s > manifest.fresh_for_s else "fresh"
