"""At which score something counts: chosen on the validation side, never on a test.

Promises: crisis is found first and false alarms come second; injection may mark so many harmless texts and no more;
names may touch so many clean texts and no more; the rest is set where its F1 is highest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audit.frozen import frozen
from models.data.example import Example
from models.names import ENTITY_TYPES, LABELS, PARTS
from models.predict import Predicted
from models.scores import Counts, f_beta, overlap_counts, total

__all__ = ["Choice", "choose_thresholds", "entity_counts", "label_counts", "rescored", "touched_share"]

CRISIS_RECALL, CRISIS_MARGIN = 0.98, 0.5
"""What must be found of crises, and by which factor the threshold then stays below the least of them."""
INJECTION_FALSE, CLEAN_TOUCHED = 0.02, 0.02
PART_LIMIT = 0.5
FEW = 5
"""With fewer cases than this a threshold is not chosen; it is a half."""
_GRID = tuple(round(0.02 * step, 2) for step in range(2, 49))


@frozen
class Choice:
    """A threshold with the score it had where it was chosen."""

    name: str
    threshold: float
    metric: str
    score: float
    examples: int


def choose_thresholds(examples: Sequence[Example], predicted: Sequence[Predicted]) -> list[Choice]:
    """Return a threshold for each entity, part and label, with its score."""
    pairs = list(zip(examples, predicted, strict=True))
    tagged = [(example, one) for example, one in pairs if example.entities is not None]
    limits = {name: _label_limit(name, pairs) for name in LABELS}
    limits |= dict.fromkeys(ENTITY_TYPES, _entity_limit(tagged)) | dict.fromkeys(PARTS, PART_LIMIT)
    return _scored(pairs, limits)


def rescored(examples: Sequence[Example], predicted: Sequence[Predicted], choices: Sequence[Choice]) -> list[Choice]:
    """Return the same thresholds with their scores on other predictions."""
    return _scored(list(zip(examples, predicted, strict=True)), {one.name: one.threshold for one in choices})


def _scored(pairs: Sequence[tuple[Example, Predicted]], limits: Mapping[str, float]) -> list[Choice]:
    tables = {
        **{name: _label_table(name, pairs, limits[name]) for name in LABELS},
        **{
            kind: total([_kind_counts(example, one, kind, limits=limits) for example, one in pairs])
            for kind in ENTITY_TYPES
        },
        **{kind: total([_part_counts(example, one, kind) for example, one in pairs]) for kind in PARTS},
    }
    return [
        Choice(
            name=name,
            threshold=limits[name],
            metric="recall" if name == "crisis" else "f1",
            score=counts.recall if name == "crisis" else f_beta(counts),
            examples=counts.hits + counts.missed,
        )
        for name, counts in tables.items()
    ]


def label_counts(scores: Sequence[float], holds: Sequence[bool], *, threshold: float) -> Counts:
    """Count the right and the wrong answers at a threshold."""
    marked = [score >= threshold for score in scores]
    hits = sum(one and truth for one, truth in zip(marked, holds, strict=True))
    return Counts(hits, sum(marked) - hits, sum(holds) - hits)


def entity_counts(example: Example, predicted: Predicted, thresholds: Mapping[str, float]) -> Counts:
    """Count what is personal against what is not, by overlap, whatever its type; patterns aside."""
    found = [(start, end) for _, start, end in predicted.found(thresholds)[0]]
    there = [(mark.start, mark.end) for mark in example.entities or () if mark.kind in ENTITY_TYPES]
    other = [(mark.start, mark.end) for mark in example.entities or () if mark.kind not in ENTITY_TYPES]
    found = [(a, b) for a, b in found if not any(a < end and b > start for start, end in other)]
    return overlap_counts(found, there)


def touched_share(pairs: Sequence[tuple[Example, Predicted]], thresholds: Mapping[str, float]) -> float:
    """Return the share of texts without anything personal in which something is marked."""
    clean = [(example, one) for example, one in pairs if not example.entities]
    return sum(bool(one.found(thresholds)[0]) for _, one in clean) / max(len(clean), 1)


def _known(name: str, pairs: Sequence[tuple[Example, Predicted]]) -> tuple[list[float], list[bool]]:
    place = LABELS.index(name)
    known = [(float(one.labels[place]), example.labels[name]) for example, one in pairs if name in example.labels]
    return [score for score, _ in known], [truth for _, truth in known]


def _label_table(name: str, pairs: Sequence[tuple[Example, Predicted]], limit: float) -> Counts:
    return label_counts(*_known(name, pairs), threshold=limit)


def _label_limit(name: str, pairs: Sequence[tuple[Example, Predicted]]) -> float:
    scores, holds = _known(name, pairs)
    positive = sorted(score for score, truth in zip(scores, holds, strict=True) if truth)
    negative = sorted(score for score, truth in zip(scores, holds, strict=True) if not truth)
    if len(positive) < FEW:
        return 0.5
    if name == "crisis":
        least = positive[int((1 - CRISIS_RECALL) * len(positive))]
        return min(0.5, max(0.02, CRISIS_MARGIN * least))
    if name == "injection":
        return max(_GRID[0], float(np.nextafter(negative[int((1 - INJECTION_FALSE) * len(negative))], 1)))
    return _best([(f_beta(label_counts(scores, holds, threshold=limit)), limit) for limit in _GRID])


def _best(scored: Sequence[tuple[float, float]]) -> float:
    """Return the middle of the thresholds that are as good as the best, to stay away from the edge."""
    top = max(score for score, _ in scored)
    good = [limit for score, limit in scored if score >= top - 0.005]
    return good[len(good) // 2]


def _entity_limit(pairs: Sequence[tuple[Example, Predicted]]) -> float:
    """Return the limit with the highest F2 among those that touch few enough clean texts."""
    scored = []
    for limit in _GRID[4::2]:
        same = dict.fromkeys(ENTITY_TYPES, limit)
        f2 = f_beta(total([entity_counts(example, one, same) for example, one in pairs]), 2)
        scored.append((f2, limit, touched_share(pairs, same)))
    allowed = [(f2, limit) for f2, limit, touched in scored if touched <= CLEAN_TOUCHED]
    return _best(allowed) if allowed else _GRID[-1]


def _kind_counts(example: Example, predicted: Predicted, kind: str, *, limits: Mapping[str, float]) -> Counts:
    if example.entities is None:
        return Counts()
    found = [(start, end) for name, start, end in predicted.found(limits)[0] if name == kind]
    return overlap_counts(found, [(mark.start, mark.end) for mark in example.entities if mark.kind == kind])


def _part_counts(example: Example, predicted: Predicted, kind: str) -> Counts:
    if example.parts is None:
        return Counts()
    found = [(start, end) for name, start, end in predicted.found({})[1] if name == kind]
    return overlap_counts(found, [(mark.start, mark.end) for mark in example.parts if mark.kind == kind])
