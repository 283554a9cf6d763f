"""Which published files change under their name, and how long each may be cached.

All but two are immutable: what they hold never changes, so caches keep them for ever. The two say what is in force.
"""

from __future__ import annotations

from edge_runtime.core.release import CHECKPOINT_PATH, TIMESTAMP_PATH

__all__ = ["IMMUTABLE", "cache_control"]

IMMUTABLE = "public, max-age=31536000, immutable"


def cache_control(path: str) -> str:
    """Return what caches are told about a published file.

    >>> cache_control(TIMESTAMP_PATH), cache_control("metadata/2.snapshot.json")
    ('no-cache', 'public, max-age=31536000, immutable')
    """
    return "no-cache" if path in {CHECKPOINT_PATH, TIMESTAMP_PATH} else IMMUTABLE
