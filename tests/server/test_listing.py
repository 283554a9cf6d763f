"""Lists of proposals and inboxes: however short the page, nothing is missing and nothing comes twice."""

from __future__ import annotations

import pytest

from benchmarks.test_proposals import fill
from control_plane.overview.listing import Search, find_proposals, inbox
from tests.server.acts import Acts


@pytest.fixture
def crowded(acts: Acts) -> Acts:
    """The home with twelve more proposals of several states, on both channels."""
    acts.check(2)
    fill(acts.plane, 12)
    return acts


def numbers(acts: Acts, **wanted: str | int) -> list[int]:
    """Return the numbers of the proposals that are found."""
    return [one.number for one in find_proposals(acts.plane, Search(**wanted))]  # type: ignore[arg-type]


@pytest.mark.parametrize("login", ["tom", "maya", "ines"])
def test_what_waits_for_somebody_is_the_same_in_pages_of_any_length(crowded: Acts, login: str) -> None:
    """Page by page, newest first, the list holds what the inbox holds; a short inbox is the start of a long one."""
    person = crowded.id(login)
    tasks, everything = inbox(crowded.plane, person), numbers(crowded, waiting_for=person)
    assert everything == sorted((task.proposal.number for task in tasks), reverse=True)
    assert everything
    for limit in (1, 2, 3, 50):
        paged: list[int] = []
        while page := numbers(crowded, waiting_for=person, limit=limit, before=min(paged, default=1000)):
            paged += page
        assert paged == everything
        assert inbox(crowded.plane, person, limit=limit) == tasks[:limit]
