"""The seam to a model: what an encoder says of a sentence, and what it says of itself.

Promises: nothing here loads a model. Does not: decide whether a score counts (see `joining`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from audit.frozen import frozen
from edge_runtime.core.reader.decode import Found
from edge_runtime.core.reader.records import Entity

__all__ = ["Encoder", "SentenceFindings"]


@frozen
class SentenceFindings:
    """What an encoder says of one sentence: entities and parts of commitments within it, and a score per label."""

    entities: tuple[Entity, ...]
    scores_bp: Mapping[str, int]
    parts: tuple[Found, ...] = ()


class Encoder(Protocol):
    """A model that reads sentences.

    Labels are `topic.<name>`, `crisis`, `low_mood`, `about_other`, `injection` and those of `records.ACTS`. A label
    counts at or above its threshold; one without a threshold is not assessed.
    """

    @property
    def entity_types(self) -> frozenset[str]:
        """The entity types that this model looks for."""

    @property
    def thresholds_bp(self) -> Mapping[str, int]:
        """The least score, in basis points, at which each label counts."""

    @property
    def locales(self) -> frozenset[str]:
        """The languages in which what it does not find counts as absent."""

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Return the findings of each sentence, in the same order."""
