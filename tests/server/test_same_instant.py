"""Two people act on the same thing at the same instant over HTTP: what is left, one after the other explains.

Real threads, a server of its own for each, as if several ran; the database decides who comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from control_plane import ledger
from control_plane.app import create_app
from control_plane.registry import queries
from control_plane.settings import Settings
from tests.server.acts import Acts
from tests.server.conftest import Clock
from tests.server.library import OPENER, script
from tests.server.test_http import by, signing

Asked = tuple[str, str, str, Any]
Race = Callable[..., list[int]]


@pytest.fixture
def race(settings: Settings, acts: Acts, clock: Clock) -> Iterator[Race]:
    """Let requests start together, each to a server of its own; return their statuses."""
    clients = [TestClient(create_app(settings, clock=clock), raise_server_exceptions=False) for _ in range(2)]

    def run(*asked: Asked) -> list[int]:
        barrier, got = Barrier(len(asked)), [0] * len(asked)

        def ask(at: int) -> None:
            who, method, path, body = asked[at]
            barrier.wait()
            got[at] = clients[at].request(method, path, json=body, headers=by(acts, who)).status_code

        threads = [Thread(target=ask, args=(at,)) for at in range(len(asked))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.verify(acts.plane).ok
        return got

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
