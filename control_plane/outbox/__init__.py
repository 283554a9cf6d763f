"""What waits to be sent: written in the transaction of the act that it tells of, so that a crash loses neither.

Does not: send anything (see `mail`, `webhooks` and the thread of `sending`).
"""

from __future__ import annotations

__all__ = ["pause_s"]

_FIRST_S, _LONGEST_S = 5.0, 21_600.0


def pause_s(tries: int, fraction: float) -> float:
    """Return how long to wait after so many tries: twice as long each time, half to all of it by chance.

    >>> [pause_s(tries, 1.0) for tries in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 21600.0]
    """
    return float(min(_LONGEST_S, _FIRST_S * 2 ** (tries - 1)) * (0.5 + fraction / 2))
