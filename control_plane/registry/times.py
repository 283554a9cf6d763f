"""How the log says a time that somebody set: by a digest.

Does not: know whose time it is.
"""

from __future__ import annotations

from datetime import datetime

from edge_runtime.core import canonical

__all__ = ["time_digest"]


def time_digest(name: str, at: datetime, **more: str) -> str:
    """Return how the log says a time: the digest of the document that states it under a name."""
    return canonical.digest(canonical.encode({name: f"{at:%Y-%m-%dT%H:%M:%SZ}", **more}))
