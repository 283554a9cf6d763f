"""Two people act on the same thing at the same instant: what is left, one after the other explains.

Real threads; over HTTP a server of its own for each, as if several ran; the database decides who comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from control_plane import verifying
from control_plane.app import create_app
from control_plane.errors import Refused
from control_plane.overview import queries
from control_plane.reviewing import objections
from control_plane.settings import Settings
from edge_runtime.core.errors import MentorplaneError
from tests.server.acts import Acts
from tests.server.conftest import Clock
from tests.server.library import CLOSING, OPENER, script
from tests.server.test_http import by, signing

Asked = tuple[str, str, str, Any]
Race = Callable[..., list[int]]


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Carry acts out at the same instant and return what came of each: its result, or the error."""
    barrier, results = Barrier(len(acts)), [None] * len(acts)

    def run(index: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[index] = act()
        except MentorplaneError as error:
            results[index] = error

    threads = [Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def race(settings: Settings, acts: Acts, clock: Clock) -> Iterator[Race]:
    """Let requests start together, each to a server of its own; return their statuses."""
    clients = [TestClient(create_app(settings, clock=clock), raise_server_exceptions=False) for _ in range(2)]

    def run(*asked: Asked) -> list[int]:
        def ask(client: TestClient, one: Asked) -> int:
            who, method, path, body = one
            return client.request(method, path, json=body, headers=by(acts, who)).status_code

        got = at_once(*(partial(ask, client, one) for client, one in zip(clients, asked, strict=True)))
        assert verifying.verify(acts.plane).ok
        return [status for status in got if isinstance(status, int)]

    yield run
    for client in clients:
        client.app.state.plane.close()  # type: ignore[attr-defined]


def approval(acts: Acts, login: str) -> Asked:
    return (login, "POST", "/v1/proposals/2/approve", signing(acts, login))


def release(login: str = "remy") -> Asked:
    return (login, "POST", "/v1/proposals/2/release", None)


def valid(acts: Acts) -> list[str]:
    """Return who approves proposal 2 as it is now."""
    shown = queries.show_proposal(acts.plane, 2)
    return sorted(one.person for one in shown.signatures if one.act == "approve" and not one.void)


@pytest.mark.databases
def test_an_approval_and_an_edit(acts: Acts, race: Race) -> None:
    """The edit is done; the approval came before it and is void, or after it and was refused: none counts."""
    acts.check()
    files = {OPENER: script("opener", fill="You did {{ work }} again.")}
    edit = {"files": files, "passphrase": acts.passphrase("maya"), "revision": 1}
    approved, edited = race(approval(acts, "tom"), ("maya", "PUT", "/v1/proposals/2", edit))
    assert edited == 200
    assert approved in {200, 409, 403}
    assert valid(acts) == []
    assert queries.show_proposal(acts.plane, 2).ready is False


@pytest.mark.databases
def test_two_approvals(acts: Acts, race: Race) -> None:
    """Two people's both count; one person's twice counts once."""
    acts.check()
    assert race(approval(acts, "tom"), approval(acts, "ines")) == [200, 200]
    assert valid(acts) == sorted([acts.id("tom"), acts.id("ines")])
    twice = race(approval(acts, "sam"), approval(acts, "sam"))
    assert twice.count(200) <= 1
    assert set(twice) <= {200, 403, 409}
    assert len(valid(acts)) == len(set(valid(acts)))


@pytest.mark.databases
def test_two_releases(acts: Acts, race: Race) -> None:
    """One makes the release, the other is told that it is out."""
    acts.approve_fully()
    got = sorted(race(release(), release()))
    assert got[0] == 201
    assert got[1] in {403, 409}
    assert [one.number for one in queries.list_releases(acts.plane)] == [2, 1]


def test_a_release_and_a_withdrawal(acts: Acts, race: Race) -> None:
    """Both are done, one after the other, and what was withdrawn is not live whichever came first."""
    acts.approve_fully()
    stop = {"target": "closing", "reason": "it hurt", "passphrase": acts.passphrase("ruth")}
    assert race(release(), ("ruth", "POST", "/v1/withdrawals", stop)) == [201, 201]
    assert [one.number for one in queries.list_releases(acts.plane)] == [2, 1]
    assert [one.name for one in queries.list_withdrawals(acts.plane)] == ["closing"]
    assert [one.withdrawn for one in queries.list_prompts(acts.plane) if one.name == "closing"] == [True]


def test_a_schedule_and_a_rejection(acts: Acts, race: Race, clock: Clock) -> None:
    """A rejected proposal does not go out: the schedule was refused, or the rejection took it off."""
    acts.approve_fully()
    at = {"at": (clock.now + timedelta(days=1)).isoformat()}
    scheduled, rejected = race(
        ("remy", "PUT", "/v1/proposals/2/schedule", at),
        ("sam", "POST", "/v1/proposals/2/reject", signing(acts, "sam")),
    )
    state = queries.show_proposal(acts.plane, 2).proposal.state
    serial = {
        (200, 200): {"rejected"},
        (403, 200): {"rejected"},
        (409, 200): {"rejected"},
        (200, 403): {"scheduled"},
        (200, 409): {"scheduled"},
    }
    assert state in serial[scheduled, rejected], (scheduled, rejected, state)


@pytest.mark.databases
def test_two_who_approve_at_the_same_instant_both_count(acts: Acts) -> None:
    """Neither signature is lost, and together they are the quorum."""
    acts.check()
    results = at_once(lambda: acts.approve("tom"), lambda: acts.approve("ines"))
    assert not any(isinstance(one, Exception) for one in results)
    assert acts.release().number == 2


@pytest.mark.databases
def test_an_edit_and_a_release_at_the_same_instant_never_mix(acts: Acts) -> None:
    """Either what was approved is released and the edit refused, or the edit wins and nothing is released."""
    acts.approve_fully()
    approved = acts.seen()
    edit = {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")}
    released, edited = at_once(acts.release, lambda: acts.edit("maya", 2, edit))
    assert isinstance(released, Exception) != isinstance(edited, Exception)
    live = queries.list_releases(acts.plane)[0]
    assert live.manifest == approved if not isinstance(released, Exception) else live.number == 1


def test_one_proposal_released_twice_at_the_same_instant_is_released_once(acts: Acts) -> None:
    """One of two release managers is told that it is released already."""
    acts.approve_fully()
    results = at_once(acts.release, acts.release)
    assert sum(isinstance(one, Refused) for one in results) == 1
    assert [one.number for one in queries.list_releases(acts.plane)] == [2, 1]


def test_an_objection_and_a_release_at_the_same_instant_never_pass_each_other(acts: Acts) -> None:
    """Either the objection comes first and blocks, or it is told that the release was first."""
    acts.approve_fully()
    seen = acts.seen()
    given = {"role": "safety-owner", "reason": "wait", "manifest": seen}
    released, objected = at_once(acts.release, partial(objections.object_to, acts.plane, acts.id("sam"), 2, **given))
    assert isinstance(released, Exception) != isinstance(objected, Exception)
