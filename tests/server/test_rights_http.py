"""Grants, delegations and drafts over HTTP: what each route does, and whom it refuses without a change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from control_plane.accounts import retiring
from control_plane.app import create_app
from control_plane.settings import Settings
from tests.server.acts import Acts, state_of
from tests.server.library import CLOSING, script

BYE = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}


class Asking:
    """Requests of the demo people."""

    def __init__(self, client: TestClient, acts: Acts) -> None:
        self.client, self.acts = client, acts

    def __call__(self, login: str, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Return status and answer."""
        headers = {"Authorization": f"Bearer {self.acts.people[login]['token']}"}
        answer = self.client.request(method, f"/v1/{path}", json=body, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    def signed(self, login: str, **body: object) -> dict[str, object]:
        """Return a body with a reason and somebody's passphrase."""
        return {"reason": "it is due", "passphrase": self.acts.passphrase(login), **body}

    def refused(self, login: str, method: str, path: str, body: dict[str, Any]) -> int:
        """Return the status of a request that changes nothing."""
        before = state_of(self.acts.plane, log=False)
        status, _ = self(login, method, path, body)
        assert state_of(self.acts.plane, log=False) == before
        return status


@pytest.fixture
def ask(settings: Settings, acts: Acts) -> Iterator[Asking]:
    """The demo people over HTTP, without background work."""
    client = TestClient(create_app(settings), raise_server_exceptions=False)
    yield Asking(client, acts)
    client.app.state.plane.close()  # type: ignore[attr-defined]


def test_a_grant_takes_two_people_and_ends_by_one(ask: Asking) -> None:
    """Proposed, signed by another, listed, ended; not by the grantee, the same person again, or on another digest."""
    body = ask.signed("lena", person="tom", role="facilitator", days=7)
    assert ask.refused("tom", "POST", "grants", ask.signed("tom", person="tom", role="facilitator")) == 403
    assert ask.refused("lena", "POST", "grants", body | {"role": "author"}) == 422
    assert ask.refused("lena", "POST", "grants", body | {"person": "nobody"}) == 404
    status, made = ask("lena", "POST", "grants", body)
    assert (status, made["state"]) == (201, "proposed")
    at, other = f"grants/{made['id']}", "sha256:" + "0" * 64
    assert ask.refused("ruth", "POST", f"{at}/sign", ask.signed("ruth", digest=other)) == 409
    assert ask.refused("lena", "POST", f"{at}/sign", ask.signed("lena", digest=made["digest"])) == 403
    status, granted = ask("ruth", "POST", f"{at}/sign", ask.signed("ruth", digest=made["digest"]))
    assert (status, granted["state"], len(granted["signers"])) == (200, "in-force", 2)
    assert made["id"] in {one["id"] for one in ask("sam", "GET", "grants?person=tom&in_force=true")[1]}
    assert ask("ruth", "GET", f"{at}/open")[0] == 200
    assert ask.refused("remy", "POST", f"{at}/end", ask.signed("remy")) == 403
    assert ask("ruth", "POST", f"{at}/end", ask.signed("ruth"))[1]["state"] == "ended"
    assert ask.refused("ruth", "POST", f"{at}/end", ask.signed("ruth")) == 409


def test_a_delegation_is_ones_own_to_give(ask: Asking) -> None:
    """Somebody lets another, eligible person act for them until a time; not in a role they lack, nor themselves."""
    status, enrolled = ask("lena", "POST", "people", {"login": "kim", "name": "Kim", "roles": ["facilitator"]})
    assert status == 201
    retiring.enrol_key(ask.acts.plane, enrolled["code"], "kim has a secret")
    until = (ask.acts.plane.now() + timedelta(days=3)).isoformat()
    body = ask.signed("tom", person="kim", role="facilitator", until=until)
    assert ask.refused("tom", "POST", "delegations", body | {"role": "compliance"}) == 403
    assert ask.refused("tom", "POST", "delegations", body | {"person": "maya"}) == 403
    assert ask.refused("ines", "POST", "delegations", body | ask.signed("ines")) == 403
    status, made = ask("tom", "POST", "delegations", body)
    assert (status, made["state"], made["behalf"]) == (201, "in-force", ask.acts.id("tom"))


def test_a_draft_is_its_authors_until_it_is_proposed(ask: Asking) -> None:
    """Saved, saved again, shown to whom is invited, proposed; to others it is not there, and it is over afterwards."""
    status, made = ask("maya", "POST", "drafts", {"title": "A word", "files": BYE})
    at = f"drafts/{made['id']}"
    assert (status, made["revision"]) == (201, 1)
    assert ask("lena", "GET", at)[0] == 404
    assert ask.refused("tom", "POST", "drafts", {"title": "x", "files": BYE}) == 403
    assert ask("maya", "POST", f"{at}/invite", {"people": ["lena"]})[0] == 200
    assert ask("lena", "GET", at)[1]["files"] == BYE
    assert ask.refused("lena", "PUT", at, {"revision": 2, "files": BYE}) == 409
    assert ask("lena", "PUT", at, {"revision": 1, "files": BYE})[1]["revision"] == 2
    assert ask.refused("lena", "POST", f"{at}/propose", {"passphrase": ask.acts.passphrase("lena")}) == 403
    status, proposed = ask("maya", "POST", f"{at}/propose", {"passphrase": ask.acts.passphrase("maya")})
    assert (status, proposed["state"], proposed["title"]) == (201, "open", "A word")
    assert ask.refused("maya", "PUT", at, {"revision": 2, "files": BYE}) == 409
