"""What one system found in one text."""

from __future__ import annotations

from audit.frozen import frozen

__all__ = ["Found", "Places"]

Places = tuple[tuple[int, int], ...]


@frozen
class Found:
    """Places of what is personal, labels of the text, and places of commitments."""

    entities: Places = ()
    labels: frozenset[str] = frozenset()
    commitments: Places = ()
