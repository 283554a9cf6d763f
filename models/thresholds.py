"""At which score something counts: chosen on the validation side, never on a test.

Promises: crisis is found first and false alarms come second, as far as the lexicon, which counts beside the model, has
not found it already; injection may mark so many harmless texts and no more;
names may touch so many clean texts and no more; the rest is set where its F1 is highest.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np

from audit.frozen import frozen
from edge_runtime.core.reader.crisis import classify_crisis
from models.data.example import Example, Mark
from models.names import ENTITY_TYPES, LABELS, PARTS, PATTERN_TYPES
from models.predict import Predicted, Spans
from models.scores import Counts, f_beta, overlap_counts, total

__all__ = ["Choice", "choose_thresholds", "entity_counts", "label_counts", "rescored", "touched_share"]

CRISIS_RECALL, CRISIS_FALSE, EVERYDAY_FALSE = 0.99, 0.04, 0.004
"""What must be found of crises; how many may be marked at most of the harmless lines beside them, most of which are the
words of a crisis about something else; and how many of everyday lines, since a note has twenty of those."""
INJECTION_FALSE, INJECTION_LEAST, CLEAN_TOUCHED = 0.02, 0.5, 0.07
"""Of harmless prompts, with the least that is enough whatever they say, since everyday lines that look like attacks are
of many more kinds than were written; and of lines without anything personal, most of them written to look as if there
were."""
PART_LIMIT = 0.5
FEW = 5
"""With fewer cases than this nothing is known of an entity or a label, and it gets no threshold: it is not used."""
ALWAYS = ("crisis", "injection", *PARTS)
"""What gets one all the same, a half: to leave these out would be worse than a threshold that nobody measured."""
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
    """Return a threshold for each entity, part and label of which there are enough cases, with its score."""
    pairs = list(zip(examples, predicted, strict=True))
    tagged = [(example, one) for example, one in pairs if example.entities is not None]
    limits = {name: _label_limit(name, pairs) for name in LABELS}
    limits |= dict.fromkeys(ENTITY_TYPES, _entity_limit(tagged)) | dict.fromkeys(PARTS, PART_LIMIT)
    scored = _scored(pairs, limits)
    return [one for one in scored if one.examples >= FEW or one.name in ALWAYS]


def rescored(examples: Sequence[Example], predicted: Sequence[Predicted], choices: Sequence[Choice]) -> list[Choice]:
    """Return the same thresholds with their scores on other predictions."""
    limits = {one.name: one.threshold for one in choices}
    return _scored(list(zip(examples, predicted, strict=True)), limits)


def _scored(pairs: Sequence[tuple[Example, Predicted]], limits: Mapping[str, float]) -> list[Choice]:
    tables = {name: Counts() for name in limits}
    tables |= {name: label_counts(*_known(name, pairs), threshold=limits[name]) for name in LABELS if name in limits}
    for example, one in pairs:
        for kinds, marks, find in (
            (ENTITY_TYPES, example.entities, one.found_entities),
            (PARTS, example.parts, one.found_parts),
        ):
            if marks is not None:
                found = find(limits)
                for kind in tables.keys() & set(kinds):
                    tables[kind] += overlap_counts(_of(kind, found), _places(marks, {kind}))
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
    marked, truth = np.array(scores) >= threshold, np.array(holds, bool)
    return Counts(int((marked & truth).sum()), int((marked & ~truth).sum()), int((truth & ~marked).sum()))


def entity_counts(example: Example, found: Spans) -> Counts:
    """Count what is personal against what is not, by overlap, whatever its type; patterns aside."""
    marks = example.entities or ()
    by_pattern = _places(marks, PATTERN_TYPES)
    kept = [(a, b) for _, a, b in found if not any(a < end and b > start for start, end in by_pattern)]
    return overlap_counts(kept, _places(marks, ENTITY_TYPES))


def touched_share(examples: Sequence[Example], found: Sequence[Spans]) -> float:
    """Return the share of texts without anything personal in which something is marked."""
    clean = [bool(spans) for example, spans in zip(examples, found, strict=True) if not example.entities]
    return sum(clean) / max(len(clean), 1)


def _known(name: str, pairs: Sequence[tuple[Example, Predicted]]) -> tuple[list[float], list[bool]]:
    place = LABELS.index(name)
    known = [(float(one.labels[place]), example.labels[name]) for example, one in pairs if name in example.labels]
    return [score for score, _ in known], [truth for _, truth in known]


def _label_limit(name: str, pairs: Sequence[tuple[Example, Predicted]]) -> float:
    if name == "crisis":
        return _crisis_limit(pairs)
    scores, holds = _known(name, pairs)
    positive = sorted(score for score, truth in zip(scores, holds, strict=True) if truth)
    negative = sorted(score for score, truth in zip(scores, holds, strict=True) if not truth)
    if len(positive) < FEW:
        return 0.5
    if name == "injection":
        return max(INJECTION_LEAST, _marking(negative, INJECTION_FALSE))
    return _best([(f_beta(label_counts(scores, holds, threshold=limit)), limit) for limit in _GRID])


def _crisis_limit(pairs: Sequence[tuple[Example, Predicted]]) -> float:
    """Return the highest threshold that finds enough together with the lexicon, or the lowest that marks few enough."""
    place = LABELS.index("crisis")
    scores = sorted(
        1.0 if classify_crisis(example.text)[0] == "crisis" else float(one.labels[place])
        for example, one in pairs
        if example.labels.get("crisis")
    )
    near, everyday = (
        sorted(
            float(one.labels[place])
            for example, one in pairs
            if example.labels.get("crisis") is False and example.labels.get("low_mood") is judged
        )
        for judged in (False, None)
    )
    if len(scores) < FEW or not (near and everyday):
        return 0.5
    wanted = scores[int((1 - CRISIS_RECALL) * len(scores))]
    allowed = max(_marking(near, CRISIS_FALSE), _marking(everyday, EVERYDAY_FALSE))
    return min(0.5, max(wanted, allowed))


def _marking(negative: Sequence[float], share: float) -> float:
    """Return the least threshold that marks at most a share of harmless lines, whose scores are given in order."""
    return float(np.nextafter(negative[int((1 - share) * len(negative))], 1))


def _best(scored: Sequence[tuple[float, float]]) -> float:
    """Return the middle of the thresholds that are as good as the best, to stay away from the edge."""
    top = max(score for score, _ in scored)
    good = [limit for score, limit in scored if score >= top - 0.005]
    return good[len(good) // 2]


def _entity_limit(pairs: Sequence[tuple[Example, Predicted]]) -> float:
    """Return the limit with the highest F2 among those that touch few enough clean texts."""
    examples = [example for example, _ in pairs]
    allowed = []
    for limit in _GRID[4::2]:
        found = [one.found_entities(dict.fromkeys(ENTITY_TYPES, limit)) for _, one in pairs]
        if touched_share(examples, found) <= CLEAN_TOUCHED:
            counts = total([entity_counts(example, spans) for example, spans in zip(examples, found, strict=True)])
            allowed.append((f_beta(counts, 2), limit))
    return _best(allowed) if allowed else _GRID[-1]


def _of(kind: str, found: Spans) -> list[tuple[int, int]]:
    return [(start, end) for name, start, end in found if name == kind]


def _places(marks: Sequence[Mark], kinds: Container[str]) -> list[tuple[int, int]]:
    return [(mark.start, mark.end) for mark in marks if mark.kind in kinds]
