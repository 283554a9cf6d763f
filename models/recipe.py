"""The numbers of the recipe: how much is learned, how fast, from which seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from audit.frozen import frozen

__all__ = ["BUILD", "Recipe", "smoke"]

BUILD = Path(__file__).parents[1] / ".venv" / "models" / "build"
"""Where everything lies that is made on the way; `make clean` takes it away with the environment."""


@frozen
class Recipe:
    """How the reader is trained.

    `tokens` is how much is read in all, in as many whole epochs as come nearest, unless `epochs` says how many; two
    and a half million take two idle cores some 30 minutes. `epoch_share` takes that share of every epoch, for a trial.
    `inner_width` is how many inner neurons each layer keeps; `rounded_share` is the share at the end that is learned
    with the rounded numbers of the shipped file.
    `heads` is `all`, `tags` or `labels`, to compare one model with two.
    """

    seed: int = 20260
    tokens: int = 2_700_000
    epochs: int = 0
    epoch_share: float = 1.0
    layers: int = 6
    inner_width: int = 1536
    rounded_share: float = 0.3
    heads: str = "all"
    batch_tokens: int = 1024
    encoder_rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    threads: int = 2

    @property
    def name(self) -> str:
        """Tell recipes apart, so that what one left half-done is not gone on with by another."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def smoke() -> Recipe:
    """Return a recipe that proves the way from end to end in minutes, and learns little."""
    return Recipe(epochs=1, epoch_share=0.02)
