"""Freshness: counted from what was signed, and whatever a clock does only ever makes it staler."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.freshness import DRIFT_S, TIMESTAMP_LIFETIME_S, Heard, hear, staleness_of
from tests.simulator import Organisation

MANIFEST = (made := Organisation()).build(made.base_documents(), fresh_for_s=86_400, valid_for_s=1_209_600)
DAY = 86_400
T = 1_800_000_000
GOOD_UNTIL = T + TIMESTAMP_LIFETIME_S
LEVELS = ("fresh", "stale", "expired")


def level(heard: Heard, now: int) -> int:
    return LEVELS.index(staleness_of(MANIFEST, heard, now=now))


@pytest.mark.parametrize(
    ("after_s", "said"),
    [(0, "fresh"), (DAY, "fresh"), (DAY + 1, "stale"), (14 * DAY, "stale"), (14 * DAY + 1, "expired")],
)
def test_it_counts_from_when_the_timestamp_was_signed(after_s: int, said: str) -> None:
    """The hours are those of the release."""
    assert staleness_of(MANIFEST, hear(now=T, good_until=GOOD_UNTIL), now=T + after_s) == said


def test_never_heard_is_expired() -> None:
    """A home without a memory of time is no fresher for it."""
    assert staleness_of(MANIFEST, Heard(), now=T) == "expired"


def test_attack_indefinite_freeze() -> None:
    """A mirror that hands out what was signed days ago makes a device stale, though it answered just now."""
    assert staleness_of(MANIFEST, hear(now=T + 3 * DAY, good_until=GOOD_UNTIL), now=T + 3 * DAY) == "stale"


def test_attack_clock_set_back() -> None:
    """A clock behind the latest time seen is expired; one that drifts is not, and gains nothing."""
    heard = Heard(T, T + DAY)
    assert staleness_of(MANIFEST, heard, now=T + DAY - DRIFT_S - 1) == "expired"
    assert staleness_of(MANIFEST, heard, now=T + DAY - DRIFT_S) == "fresh"
    assert staleness_of(MANIFEST, Heard(T, T + DAY + 1), now=T + DAY) == "stale"


def test_attack_clock_forward_while_refreshing() -> None:
    """Refreshed with a clock five days ahead, then set right: expired, and later no fresher than it is."""
    heard = hear(now=T + 5 * DAY, good_until=GOOD_UNTIL)
    assert staleness_of(MANIFEST, heard, now=T + DAY // 2) == "expired"
    assert staleness_of(MANIFEST, heard, now=T + 5 * DAY) == "stale"


def test_attack_clock_back_while_refreshing() -> None:
    """What is signed proves that the clock is behind: expired."""
    assert staleness_of(MANIFEST, hear(now=T - DAY, good_until=GOOD_UNTIL), now=T - DAY) == "expired"


@given(
    st.integers(-30 * DAY, 30 * DAY),
    st.lists(st.integers(-30 * DAY, 30 * DAY), max_size=5),
    st.integers(0, 30 * DAY),
)
def test_no_trick_with_the_clock_makes_it_fresher(at_refresh: int, shown: list[int], truth: int) -> None:
    """Whatever the clock showed at the refresh and since, at the true time it is no fresher than an honest device."""
    honest = hear(now=T, good_until=GOOD_UNTIL)
    heard = hear(now=T + at_refresh, good_until=GOOD_UNTIL)
    for moment in shown:
        heard = Heard(heard.at, max(heard.latest, T + moment))
    assert level(heard, T + truth) >= level(honest, T + truth)


@given(st.integers(0, 40 * DAY), st.integers(0, 40 * DAY))
def test_later_is_never_fresher(one: int, other: int) -> None:
    """Of two readings of a clock that only advances the later one is as stale or staler."""
    heard = hear(now=T, good_until=GOOD_UNTIL)
    assert level(heard, T + min(one, other)) <= level(heard, T + max(one, other))


@pytest.mark.parametrize(
    ("witnessed", "before", "counted"),
    [(T - 5, 0, T - 5), (T + 5, 0, T), (0, 0, 0), (0, T - 9, T - 9), (T - 5, T - 9, T - 5), (T - 9, T - 5, T - 5)],
)
def test_where_witnesses_are_asked_it_counts_from_when_they_last_cosigned(
    witnessed: int, before: int, counted: int
) -> None:
    """The earlier of what was signed and what was witnessed, which is never forgotten; nobody ever: never."""
    heard = hear(now=T + DAY, good_until=GOOD_UNTIL, witnessed=witnessed, before=before)
    assert heard == Heard(counted, T + DAY)


def test_attack_signed_times_ahead_of_what_witnesses_saw() -> None:
    """A timestamp of next year moves no floor of the clock where witnesses say what time it is; elsewhere it does."""
    ahead = GOOD_UNTIL + 365 * DAY
    assert staleness_of(MANIFEST, hear(now=T, good_until=ahead, witnessed=T), now=T + 60) == "fresh"
    assert staleness_of(MANIFEST, hear(now=T, good_until=ahead), now=T + 60) == "expired"
