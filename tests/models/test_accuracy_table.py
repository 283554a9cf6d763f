"""The table of how often the reader is right: each row counts what it says."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.found import Found
from benchmarks.accuracy.table import Row, label_rows, personal_rows
from models.data.example import Example, Mark


def example(
    text: str,
    *,
    entities: tuple[Mark, ...] | None = None,
    parts: tuple[Mark, ...] | None = None,
    family: str = "f",
    **labels: bool,
) -> Example:
    """Return a test line."""
    return Example(text=text, lang="en", family=family, voice="chat", entities=entities, parts=parts, labels=labels)


def scores(rows: list[Row]) -> dict[tuple[str, str], tuple[float, int]]:
    """Return score and cases by what is measured and how."""
    return {(row.what, row.metric): (pytest.approx(row.score), row.cases) for row in rows}


def test_personal_rows_count_spans_and_clean_texts() -> None:
    """Spans count by overlap whatever their type; a clean text is touched if anything is marked."""
    pairs = [
        (example("Tom and Priya", entities=(Mark("PERSON", 0, 3), Mark("PERSON", 8, 13))), Found(((0, 3), (1, 5)))),
        (example("Nothing here", entities=()), Found()),
        (example("Nor there", entities=()), Found(((0, 3),))),
        (example("nobody looked"), Found(((0, 3),))),
    ]
    assert scores(personal_rows("personal", "ours", ("", ""), pairs)) == {
        ("personal", "F2"): (0.5, 2),
        ("personal", "precision"): (0.5, 2),
        ("personal", "recall"): (0.5, 2),
        ("personal", "clean texts touched"): (0.5, 2),
    }


def test_label_rows_leave_out_what_nobody_judged() -> None:
    """Recall counts what holds, false alarms the harmless of their own family; what nobody judged has no row."""
    self, hard = "held-out-crisis-self", "held-out-crisis-hard-negatives"
    pairs = [
        (example("a", family=self, crisis=True), Found((), frozenset({"crisis"}))),
        (example("b", family=self, crisis=True), Found()),
        (example("c", family=hard, crisis=False), Found((), frozenset({"crisis", "worry"}))),
        (example("d", family=hard, crisis=False), Found()),
        (example("e", family="held-out-injection-plain", injection=True), Found()),
    ]
    assert scores(label_rows(pairs)) == {
        ("crisis", "recall"): (0.5, 2),
        ("crisis, about oneself", "recall"): (0.5, 2),
        ("crisis, hard negatives", "marked"): (0.5, 2),
        ("injection", "recall"): (0.0, 1),
    }


def test_a_commitment_counts_by_its_whole_place() -> None:
    """Its place is from the first part to the last, and topics are the mean over those that occur."""
    parts = (Mark("WHO", 0, 1), Mark("WHAT", 7, 10))
    labels = {"commitment": True, "topic.health": True, "topic.family": False}
    pairs = [
        (
            example("I will run soon", parts=parts, **labels),
            Found((), frozenset({"commitment", "topic.health"}), ((3, 6),)),
        )
    ]
    found = scores(label_rows(pairs))
    assert found["commitment, places", "F1"] == (1.0, 1)
    assert found["commitment", "F1"] == found["topics, macro", "F1"] == (1.0, 1)
