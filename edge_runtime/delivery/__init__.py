"""Delivery: V1 to V3 by `tuf`, and the way to every byte that a source publishes.

V1  root chain from the root that the app shipped
V2  targets, snapshot, timestamp and the delegated `releases`: thresholds, no rollback, not expired
V3  length and digest of each target file

`online` brings a staged generation up to a source, over `web`; `cached` verifies a generation again without a network.
A timestamp that is byte for byte the one that this device has ends a look: whoever adds a root signs a timestamp, and
whoever holds both back could hold the root back as well. No other room imports `tuf`.
Does not: judge what the files say (see `core.trust`). Source: docs/adr/0002; TUF 1.0.34.
"""

from edge_runtime.core.release import release_path, withdrawals_path
from edge_runtime.core.trustfile import TRUST_PATH

__all__ = ["RELEASES_ROLE", "TRUST_PATH", "target_paths"]

RELEASES_ROLE = "releases"


def target_paths(channel: str) -> tuple[str, ...]:
    """Return the paths of the target files that a device on `channel` reads, but for what is said about stages."""
    return TRUST_PATH, release_path(channel), withdrawals_path(channel)
