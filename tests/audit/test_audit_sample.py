"""The sample: reproducible, unbiased, and whole for a small population."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from audit.pack.sample import CHANGES, SAMPLE_SIZE, draw, seed_of
from audit.record import Outcome

TEXT = "log.example/x\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


def test_the_draw_is_the_documented_one() -> None:
    """An independent, literal reading of the documentation draws the same entries."""
    seed = hashlib.sha256(TEXT.encode() + b"a nonce").digest()
    assert seed_of(TEXT, "a nonce") == seed
    population = list(range(7, 4007, 4))
    left, drawn, k = list(population), [], 0
    while len(drawn) < SAMPLE_SIZE:
        number = int.from_bytes(hashlib.sha256(seed + k.to_bytes(8, "big")).digest()[:8], "big")
        k += 1
        if number >= 2**64 // len(left) * len(left):
            continue
        at = number % len(left)
        drawn.append(left[at])
        left[at] = left[0]
        left.pop(0)
    assert draw(seed, population) == tuple(drawn)


def test_a_golden_draw() -> None:
    """The draw never changes: an auditor in ten years gets the same entries."""
    assert draw(seed_of(TEXT, "2026-03"), range(1000))[:8] == GOLDEN


GOLDEN = (800, 776, 845, 633, 726, 915, 968, 533)


def test_nothing_is_drawn_twice_and_order_of_the_population_does_not_matter() -> None:
    """Without replacement; the same set gives the same sample however it is listed."""
    seed = seed_of(TEXT, "x")
    drawn = draw(seed, range(500))
    assert len(set(drawn)) == SAMPLE_SIZE
    assert draw(seed, reversed(range(500))) == drawn


def test_a_small_population_is_taken_whole() -> None:
    """Twenty-five changes or fewer: all of them."""
    for count in (0, 1, 24, 25):
        assert draw(seed_of(TEXT, "x"), range(count)) == tuple(range(count))
    assert len(draw(seed_of(TEXT, "x"), range(26))) == SAMPLE_SIZE


def test_no_entry_is_favoured() -> None:
    """Over many nonces each of forty entries is drawn about as often: within five standard deviations."""
    times = 2000
    counts = Counter(index for nonce in range(times) for index in draw(seed_of(TEXT, str(nonce)), range(40), size=10))
    expected, deviation = times / 4, (times * 0.25 * 0.75) ** 0.5
    assert all(abs(counts[index] - expected) < 5 * deviation for index in range(40))


def test_a_nonce_is_one_short_line() -> None:
    """A line break could stand for a longer checkpoint."""
    for nonce in ("a\nb", "x" * 201):
        with pytest.raises(ValueError, match="nonce"):
            seed_of(TEXT, nonce)


def test_the_population_is_what_changes_something() -> None:
    """Proposing, checking, approving and reading change nothing that devices run; what was refused changed nothing."""
    assert "released" in CHANGES
    assert not {"proposed", "checked", "approved", "rejected", "audit-read", "exported", "signed-in"} & set(CHANGES)
    assert Outcome.DONE == "done"
