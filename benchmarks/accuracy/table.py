"""The rows of the table: each a score over a test set, with the interval that resampling its texts gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from audit.frozen import frozen
from models.data.example import Example
from models.names import LABELS, TOPICS
from models.scores import Counts, f_beta, interval, overlap_counts

from .found import Found

__all__ = ["Row", "label_rows", "personal_rows"]

Score = Callable[[Sequence[Counts]], float]
BARS = {
    "affirmation": "≥ 0.75",
    "commitment": "≥ 0.75",
    "commitment, places": "≥ 0.75",
    "topics, macro": "≥ 0.85",
}

ENGLISH_CRISIS, ENGLISH_ORDERS = r"held-out-crisis", r"held-out-injection"
OTHERS = r"held-out-(?:de|fr|es)"
WARNINGS = (
    (
        "crisis",
        (
            ("crisis", ENGLISH_CRISIS, "≥ 98 %"),
            ("crisis, about oneself", r"held-out-crisis-self", ""),
            ("crisis, about somebody else", r"held-out-crisis-other", ""),
            ("crisis, German, French, Spanish", OTHERS, ""),
        ),
        (
            ("crisis, hard negatives", r"held-out-crisis-hard-negatives", "≤ 3 %"),
            ("crisis, low mood", r"held-out-crisis-low-mood", ""),
            ("crisis, harmless in other languages", rf"{OTHERS}-crisis-negatives", "≤ 3 %"),
        ),
    ),
    (
        "injection",
        (
            ("injection", ENGLISH_ORDERS, "≥ 85 %"),
            ("injection, within documents", r"held-out-injection-documents", "≥ 85 %"),
            ("injection, spaced, encoded, disguised", r"held-out-injection-(?:spaced|encoded|disguised)", "≥ 85 %"),
            ("injection, German, French, Spanish", OTHERS, ""),
        ),
        (
            ("injection, harmless with its words", r"held-out-overdefence", "≤ 5 %"),
            ("injection, harmless in other languages", rf"{OTHERS}-injection-negatives", "≤ 5 %"),
        ),
    ),
)
"""For each warning: in which families its recall is measured, and in which harmless ones how often it is false."""


@frozen
class Row:
    """One line of the table; `cases` are what the score counts: spans, or texts."""

    what: str
    system: str
    metric: str
    bar: str
    score: float
    low: float
    high: float
    cases: int


def personal_rows(title: str, system: str, bars: tuple[str, str], pairs: Sequence[tuple[Example, Found]]) -> list[Row]:
    """Return F2 of personal against not, precision and recall beside it, and the share of clean texts touched."""
    tagged = [(example, found) for example, found in pairs if example.entities is not None]
    spans = [
        [overlap_counts(_joined(found.entities), [(mark.start, mark.end) for mark in example.entities or ()])]
        for example, found in tagged
    ]
    clean = [_touched(bool(found.entities)) for example, found in tagged if not example.entities]
    rows = [
        _row((title, system, "F2", bars[0]), spans, lambda sums: f_beta(sums[0], 2)),
        _row((title, system, "precision", ""), spans, lambda sums: sums[0].precision),
        _row((title, system, "recall", ""), spans, lambda sums: sums[0].recall),
    ]
    return [*rows, _row((title, system, "clean texts touched", bars[1]), clean, _false_share)] if clean else rows


def label_rows(pairs: Sequence[tuple[Example, Found]]) -> list[Row]:
    """Return the rows of crisis, injection, topics, commitments and the other labels."""
    rows = []
    for label, found_in, harmless in WARNINGS:
        for title, prefix, bar in found_in:
            there = [[one] for one in _verdicts(_of(pairs, prefix), label) if one.hits + one.missed]
            rows.append(_row((title, "ours", "recall", bar), there, lambda sums: sums[0].recall))
        for title, prefix, bar in harmless:
            verdicts = _verdicts(_of(pairs, prefix), label)
            absent = [_touched(bool(one.false)) for one in verdicts if not one.hits + one.missed]
            rows.append(_row((title, "ours", "marked", bar), absent, _false_share))
    topics = [
        [
            _verdict(name in found.labels, example.labels[name]) if name in example.labels else Counts()
            for name in TOPICS
        ]
        for example, found in pairs
        if any(name in example.labels for name in TOPICS)
    ]
    rows.append(_row(("topics, macro", "ours", "F1", BARS["topics, macro"]), topics, _macro))
    for label in LABELS:
        if label not in {"crisis", "injection"}:
            verdicts = [[one] for one in _verdicts(pairs, label)]
            rows.append(_row((label, "ours", "F1", BARS.get(label, "")), verdicts, lambda sums: f_beta(sums[0])))
    places = [
        [overlap_counts(found.commitments, [_whole(example)] if example.parts else [])]
        for example, found in pairs
        if example.parts is not None
    ]
    bar = BARS["commitment, places"]
    rows.append(_row(("commitment, places", "ours", "F1", bar), places, lambda sums: f_beta(sums[0])))
    return [row for row in rows if row.cases]


def _of(pairs: Iterable[tuple[Example, Found]], prefix: str) -> Iterable[tuple[Example, Found]]:
    return [(example, found) for example, found in pairs if re.match(prefix, example.family)]


def _verdicts(pairs: Iterable[tuple[Example, Found]], label: str) -> list[Counts]:
    return [
        _verdict(label in found.labels, example.labels[label]) for example, found in pairs if label in example.labels
    ]


def _verdict(marked: bool, holds: bool) -> Counts:
    return Counts(int(marked and holds), int(marked and not holds), int(holds and not marked))


def _whole(example: Example) -> tuple[int, int]:
    """Return the place from the first part of a commitment to the last."""
    marks = example.parts or ()
    return min(mark.start for mark in marks), max(mark.end for mark in marks)


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the places with overlapping ones taken together."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _macro(sums: Sequence[Counts]) -> float:
    there = [one for one in sums if one.hits + one.missed]
    return sum(map(f_beta, there)) / max(1, len(there))


def _touched(marked: bool) -> list[Counts]:
    """Count a text in which nothing should be marked: a hit if nothing is."""
    return [Counts(hits=int(not marked), false=int(marked))]


def _false_share(sums: Sequence[Counts]) -> float:
    return 1 - sums[0].precision


def _row(names: tuple[str, str, str, str], rows: Sequence[Sequence[Counts]], score: Score) -> Row:
    what, system, metric, bar = names
    sums = [sum((row[place] for row in rows), Counts()) for place in range(len(rows[0]) if rows else 0)]
    low, high = interval(rows, score) if rows else (0.0, 1.0)
    cases = len(rows) if score is _false_share else sum(one.hits + one.missed for one in sums)
    return Row(what, system, metric, bar, score(sums) if rows else 0.0, low, high, cases)
