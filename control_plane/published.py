"""Which published files change under their name, and how long each may be cached.

All but two are immutable: what they hold never changes, so caches keep them for ever. The two say what is in force.
"""

from __future__ import annotations

__all__ = ["CHECKPOINT_PATH", "IMMUTABLE", "TIMESTAMP_PATH", "cache_control"]

CHECKPOINT_PATH = "log/checkpoint"
TIMESTAMP_PATH = "metadata/timestamp.json"
IMMUTABLE = "public, max-age=31536000, immutable"


def cache_control(path: str) -> str:
    """Return what caches are told about a published file.

    >>> cache_control(TIMESTAMP_PATH), cache_control("metadata/2.snapshot.json")
    ('no-cache', 'public, max-age=31536000, immutable')
    """
    return "no-cache" if path in {CHECKPOINT_PATH, TIMESTAMP_PATH} else IMMUTABLE
