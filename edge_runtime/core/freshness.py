"""How stale the adopted release is: a separate question from whether to trust it.

Counts from the last time a source answered well. A clock below that moment cannot be right, and counts as expired.
"""

from __future__ import annotations

from edge_runtime.core.manifest import Manifest

__all__ = ["staleness_of"]


def staleness_of(manifest: Manifest, *, checked_at: int, now: int) -> str:
    """Return `fresh`, `stale` (older than `fresh_for_s`) or `expired` (older than `valid_for_s`, or a clock set back).

    Args:
        manifest: the release in use.
        checked_at: when a source last answered well, in POSIX seconds; 0 if never.
        now: the device's clock, in POSIX seconds.
    """
    age_s = now - checked_at
    if checked_at <= 0 or age_s < 0 or age_s > manifest.valid_for_s:
        return "expired"
    return "stale" if age_s > manifest.fresh_for_s else "fresh"
