"""How good answers are: F-beta, rates, and the interval that a resampled test set gives.

Source: the percentile bootstrap (Efron, 1979), 1,000 resamples of whole texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audit.frozen import frozen

__all__ = ["Counts", "f_beta", "interval", "overlap_counts", "total"]

RESAMPLES = 1000


@frozen
class Counts:
    """Hits, false alarms and misses."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """The share of what was found that is right; 1 when nothing was found."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0

    @property
    def recall(self) -> float:
        """The share of what is there that was found; 1 when nothing is there."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0


def total(counts: Sequence[Counts]) -> Counts:
    """Return the sum."""
    return sum(counts, Counts())


def f_beta(counts: Counts, beta: float = 1.0) -> float:
    """Return the mean of precision and recall in which recall weighs `beta` times as much."""
    weight = beta * beta
    below = (1 + weight) * counts.hits + weight * counts.missed + counts.false
    return (1 + weight) * counts.hits / below if below else 1.0


def overlap_counts(found: Sequence[tuple[int, int]], there: Sequence[tuple[int, int]]) -> Counts:
    """Count spans by overlap: one that is there is a hit if any found one touches it."""
    hits = sum(any(a < end and b > start for a, b in found) for start, end in there)
    false = sum(not any(a < end and b > start for start, end in there) for a, b in found)
    return Counts(hits, false, len(there) - hits)


def interval(
    rows: Sequence[Sequence[Counts]], score: Callable[[Sequence[Counts]], float], seed: int = 1
) -> tuple[float, float]:
    """Return the bounds between which 95 % of the scores of resampled texts lie; each row is one text's counts."""
    if not rows:
        return 0.0, 1.0
    table = np.array([[(one.hits, one.false, one.missed) for one in row] for row in rows])
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(0, len(table), len(table)), minlength=len(table))
        sums = np.tensordot(weights, table, axes=1)
        scores.append(score([Counts(*map(int, row)) for row in sums]))
    scores.sort()
    return scores[int(0.025 * RESAMPLES)], scores[int(0.975 * RESAMPLES) - 1]
