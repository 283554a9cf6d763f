"""Scores by overlap, their intervals, and thresholds that keep what they promise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.scores import Counts, f_beta, interval, overlap_counts, total


def test_spans_count_by_overlap() -> None:
    """A span is found if any finding touches it, and a finding that touches none is false."""
    found = [(0, 5), (4, 8), (20, 25)]
    there = [(3, 6), (10, 12)]
    assert overlap_counts(found, there) == Counts(hits=1, false=1, missed=1)
    assert overlap_counts([(0, 3)], [(3, 6)]) == Counts(hits=0, false=1, missed=1)
    assert overlap_counts([], []) == Counts()


def test_f_beta_weighs_recall() -> None:
    """F2 prefers recall, F1 neither; nothing to find and nothing found is perfect."""
    careful, bold = Counts(hits=6, false=0, missed=4), Counts(hits=10, false=6, missed=0)
    assert f_beta(careful) == pytest.approx(0.75)
    assert f_beta(bold, 2) == pytest.approx(50 / 56)
    assert f_beta(careful, 2) < f_beta(bold, 2)
    assert f_beta(Counts()) == 1.0
    assert f_beta(Counts(false=3)) == 0.0


def test_the_interval_holds_the_score_and_narrows() -> None:
    """The interval lies around the score, is the same each time, and narrows with more texts."""
    few = [[Counts(hits=number % 4 > 0, missed=number % 4 == 0)] for number in range(40)]
    many = few * 10

    def recall(sums: Sequence[Counts]) -> float:
        return sums[0].recall

    low, high = interval(few, recall)
    assert low < recall([total([row[0] for row in few])]) == 0.75 < high
    assert interval(few, recall) == (low, high)
    inner_low, inner_high = interval(many, recall)
    assert low < inner_low < inner_high < high
    assert interval([], recall) == (0.0, 1.0)
