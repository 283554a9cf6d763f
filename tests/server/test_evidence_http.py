"""Evidence over HTTP: the use cases of the command line, by token, with the same refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from audit.pack.check import check_pack
from audit.pack.container import open_zip
from control_plane import ledger
from control_plane.app import create_app
from control_plane.settings import Settings
from tests.server.acts import Acts


@pytest.fixture
def client(settings: Settings, acts: Acts) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    client = TestClient(create_app(settings), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def by(acts: Acts, login: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {acts.people[login]['token']}"}


def test_compliance_gets_a_pack_that_verifies(client: TestClient, acts: Acts) -> None:
    """The answer is the ZIP file; the log says who asked, by token."""
    answer = client.post("/v1/audit/packs", json={"release": 1, "nonce": "dice"}, headers=by(acts, "ruth"))
    assert answer.status_code == 201
    assert check_pack(open_zip(answer.content), [acts.plane.keys.log.verifier]).ok
    [said] = ledger.search(acts.plane, act="exported")
    assert (said.actor, said.digest) == (acts.id("ruth"), answer.headers["X-Pack-Digest"])


def test_others_get_no_pack_and_the_log_says_that_they_tried(client: TestClient, acts: Acts) -> None:
    """Names and reasons are for those who keep them."""
    answer = client.post("/v1/audit/packs", json={"release": 1}, headers=by(acts, "maya"))
    assert answer.status_code == 403
    assert ledger.search(acts.plane, limit=1)[0].act == "refused"
    assert client.post("/v1/audit/packs", json={"release": 1}).status_code == 401
    for body in ({}, {"release": 1, "since": "2026-01-01T00:00:00Z"}, {"release": 99}, {"release": 1, "nonce": "a\nb"}):
        assert client.post("/v1/audit/packs", json=body, headers=by(acts, "ruth")).status_code in {404, 422}


def test_reports_gaps_and_documents(client: TestClient, acts: Acts) -> None:
    """A document is filed, the report knows it, the gaps are listed, and each reading is an entry."""
    body = {"kind": "dpia", "document": "text", "reason": "due", "passphrase": acts.passphrase("ruth")}
    filed = client.post("/v1/audit/evidence", json=body, headers=by(acts, "ruth"))
    assert filed.status_code == 201
    report = client.get("/v1/audit/report/works-council", headers=by(acts, "ruth")).json()
    [found] = [one for one in report["controls"] if one["reference"] == "GDPR Art. 35"]
    assert (found["gaps"], found["evidence"][0]["entries"]) == ([], [filed.json()["logged"]])
    page = client.get("/v1/audit/report/soc2/page", headers=by(acts, "ruth"))
    assert page.headers["content-type"].startswith("text/html")
    gaps = client.get("/v1/audit/gaps", headers=by(acts, "ruth")).json()
    assert [gap["kind"] for gap in gaps] == ["witness"]
    assert len(ledger.search(acts.plane, act="audit-read")) == 3
    assert client.get("/v1/audit/report/everything", headers=by(acts, "ruth")).status_code == 404
