"""HTTP: one use case a route, one status a kind of error, nothing said that is nobody's business."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from control_plane import db
from control_plane.accounts import tokens
from control_plane.app import STATUS_OF, create_app
from control_plane.errors import Conflict, NotFound, NotSignedIn, Refused, TooMany, Unguarded
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted, Unavailable
from tests.server.acts import ROLE, Acts, but_log, newest, state_of
from tests.server.library import CLOSING, script

PROBLEM = "application/problem+json"


@pytest.fixture
def client(settings: Settings, acts: Acts) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    client = TestClient(create_app(settings), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def by(acts: Acts, login: str) -> dict[str, str]:
    """Return the header that says who asks."""
    return {"Authorization": f"Bearer {acts.people[login]['token']}"}


def signing(acts: Acts, login: str, **changes: str) -> dict[str, str]:
    """Return the body of an approval of proposal 2."""
    given = {"role": ROLE[login], "reason": "clearer", "passphrase": acts.passphrase(login), "manifest": acts.seen()}
    return given | changes


def test_every_kind_of_error_has_a_status() -> None:
    """The table names every error that use cases raise, each once."""
    kinds = {Conflict, InvalidDocument, NotFound, NotSignedIn, NotTrusted, Refused, TooMany, Unavailable, Unguarded}
    assert set(STATUS_OF) == kinds
    assert all(issubclass(kind, MentorplaneError) for kind in STATUS_OF)


def test_the_whole_workflow_over_http(client: TestClient, acts: Acts) -> None:
    """Propose, check, approve, release, withdraw: each answers with the record of the use case."""
    files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    body = {"title": "Shorter", "files": files, "passphrase": acts.passphrase("maya")}
    made = client.post("/v1/proposals", json=body, headers=by(acts, "maya"))
    assert (made.status_code, made.json()["state"]) == (201, "open")
    number = made.json()["number"]
    at = f"/v1/proposals/{number}"
    seen = signing(acts, "tom", manifest=made.json()["manifest"])
    assert {check["status"] for check in client.post(f"{at}/check", headers=by(acts, "maya")).json()} >= {"passed"}
    assert client.post(f"{at}/approve", json=seen, headers=by(acts, "tom")).status_code == 200
    assert client.get("/v1/inbox", headers=by(acts, "remy")).json()[0]["why"] == "release"
    assert client.get(at, headers=by(acts, "remy")).json()["ready"] is True
    assert client.post(f"{at}/release", headers=by(acts, "remy")).json()["number"] == 2
    stop = {"target": "closing", "reason": "no", "passphrase": acts.passphrase("ruth")}
    assert client.post("/v1/withdrawals", json=stop, headers=by(acts, "ruth")).status_code == 201
    assert client.get("/v1/audit/verify", headers=by(acts, "ruth")).json()["ok"] is True
    found = client.get("/v1/audit/search", params={"act": "withdrawn"}, headers=by(acts, "ruth")).json()
    assert [leaf["name"] for leaf in found] == ["closing"]


def test_everything_that_is_read_answers(client: TestClient, acts: Acts) -> None:
    """Each reading route answers a person; what is public answers everybody; the rest nobody."""
    private = ["people/me", "people", "inbox", "prompts", "prompts/opener", "prompts/opener/diff", "proposals"]
    private += ["proposals/2", "releases", "withdrawals", "audit/search", "audit/verify"]
    for path in private:
        assert client.get(f"/v1/{path}", headers=by(acts, "tom")).status_code == 200, path
        assert client.get(f"/v1/{path}").status_code == 401, path
    for path in ("health", "audit/checkpoint", "openapi.json"):
        assert client.get(f"/v1/{path}").status_code == 200, path


def test_errors_are_problems_with_their_status(client: TestClient, acts: Acts) -> None:
    """Each kind of refusal has its status and the problem form, and changes nothing; the log has who lacked a role."""
    before, size = state_of(acts.plane), newest(acts.plane).seq
    stale = {"title": "x", "files": {CLOSING: script("closing")}, "passphrase": acts.passphrase("maya"), "base": "x"}
    broken = {"title": "x", "files": {"x.yaml": "kind: prompt"}, "passphrase": acts.passphrase("maya")}
    wanted = [
        (client.get("/v1/people/me", headers={"Authorization": "Bearer nope"}), 401),
        (client.post("/v1/proposals/2/approve", json=signing(acts, "tom"), headers=by(acts, "tom")), 403),
        (client.post("/v1/proposals/2/release", headers=by(acts, "tom")), 403),
        (client.get("/v1/prompts/nothing", headers=by(acts, "tom")), 404),
        (client.get("/v1/nothing"), 404),
        (client.post("/v1/proposals", json=stale, headers=by(acts, "maya")), 409),
        (client.post("/v1/proposals", content=b"x" * 1_000_001, headers=by(acts, "maya")), 413),
        (client.post("/v1/proposals", json=broken, headers=by(acts, "maya")), 422),
        (client.post("/v1/proposals", json={"secret": "my diary"}, headers=by(acts, "maya")), 422),
    ]
    for response, status in wanted:
        assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
        assert response.json()["status"] == status
        assert "diary" not in response.text
    assert but_log(state_of(acts.plane)) == but_log(before)
    last = newest(acts.plane)
    assert (last.seq, last.act, last.reason.code, last.actor.client) == (size + 1, "refused", "release", "api")
    assert last.actor.session == tokens.token_digest(acts.people["tom"]["token"])


def test_a_body_without_a_length_is_capped_too(client: TestClient, acts: Acts) -> None:
    """A body sent in pieces is counted as it comes."""
    pieces = (b"x" * 100_000 for _ in range(20))
    response = client.post("/v1/proposals", content=pieces, headers=by(acts, "maya"))
    assert response.status_code in {400, 413}


def test_an_unexpected_error_says_nothing(settings: Settings, acts: Acts) -> None:
    """What went wrong inside stays inside: 500, the problem form, no detail of the cause."""

    def broken_clock() -> object:
        raise RuntimeError("the secret of the clock")

    app = create_app(settings, clock=broken_clock)  # type: ignore[arg-type]
    response = TestClient(app, raise_server_exceptions=False).get("/v1/people/me", headers=by(acts, "tom"))
    assert (response.status_code, response.headers["content-type"]) == (500, PROBLEM)
    assert "secret" not in response.text
    app.state.plane.close()


def test_published_files_say_how_long_they_may_be_kept(client: TestClient, acts: Acts) -> None:
    """Only the timestamp and the checkpoint move, and are known by their SHA-256; everything else never changes."""
    for path in ("metadata/timestamp.json", "log/checkpoint"):
        whole = client.get(f"/edge/{path}")
        tag = f'"{hashlib.sha256(whole.content).hexdigest()}"'
        assert (whole.headers["cache-control"], whole.headers["etag"]) == ("no-cache", tag)
        assert client.get(f"/edge/{path}", headers={"If-None-Match": f'{tag}, "other"'}).status_code == 304
        assert client.get(f"/edge/{path}", headers={"If-None-Match": '"other"'}).content == whole.content
    [trust] = (acts.plane.site / "targets").glob("*.trust.json")
    for path in ("metadata/1.root.json", f"targets/{trust.name}"):
        assert "immutable" in client.get(f"/edge/{path}").headers["cache-control"]
    assert client.get("/edge/metadata/99.root.json").status_code == 404
    assert client.get("/edge/%2e%2e/%2e%2e/keys/log.pem").status_code == 404
    assert client.get("/forged/metadata/timestamp.json").status_code == 404


def test_the_start_finishes_and_renews(settings: Settings, acts: Acts) -> None:
    """A started application publishes a fresh timestamp, and ends its background work when it stops."""
    path = settings.site / "metadata" / "timestamp.json"
    before = path.read_bytes()
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/health").json() == {"status": "ok", "release": 1, "warnings": []}
        while path.read_bytes() == before:  # the time limit of a test ends it
            client.get("/v1/health")


HUGE = 99_999_999_999_999_999_999


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"proposals/{HUGE}"),
        ("GET", "proposals/0"),
        ("PUT", f"proposals/{HUGE}"),
        ("POST", f"proposals/{HUGE}/check"),
        ("POST", f"proposals/{HUGE}/release"),
        ("GET", f"audit/search?before={HUGE}"),
        ("GET", f"audit/search?limit={HUGE}"),
        ("GET", "audit/search?name=a%00b"),
        ("GET", "prompts/a%00b"),
        ("GET", "proposals?state=%00"),
    ],
)
def test_what_no_database_holds_is_malformed(client: TestClient, acts: Acts, method: str, path: str) -> None:
    """Numbers beyond a column's range and text with NUL are 422, not an error of the driver."""
    answer = client.request(method, f"/v1/{path}", headers=by(acts, "maya"), json={"files": {}, "passphrase": "x"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


@pytest.mark.parametrize("member", ["title", "passphrase", "reason", "target", "role", "manifest", "files", "name"])
def test_a_lone_surrogate_is_malformed(client: TestClient, acts: Acts, member: str) -> None:
    """Text that UTF-8 cannot hold is 422 wherever a person's text goes."""
    at = {"title": "proposals", "files": "proposals", "name": "proposals", "target": "withdrawals"}.get(member)
    body: dict[str, object] = {"title": "x", "files": {"x.yaml": "kind: prompt"}, "passphrase": "x"}
    if at == "withdrawals":
        body = {"target": "opener", "reason": "x", "passphrase": "x"}
    elif at is None:
        body = dict(signing(acts, "tom"))
    if member in {"files", "name"}:
        body["files"] = {"x\ud800": "x"} if member == "name" else {"x.yaml": "x\udfff"}
    else:
        body[member] = "x\ud800"
    headers = {**by(acts, "maya"), "Content-Type": "application/json"}
    answer = client.post(f"/v1/{at or 'proposals/2/approve'}", content=json.dumps(body), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_verdict_names_what_was_looked_at(client: TestClient, acts: Acts, verdict: str) -> None:
    """Without the manifest digest a verdict is malformed; with that of an earlier revision it is a conflict."""
    acts.check()
    seen = signing(acts, "tom")
    blind = {name: value for name, value in seen.items() if name != "manifest"}
    before = state_of(acts.plane)
    assert client.post(f"/v1/proposals/2/{verdict}", json=blind, headers=by(acts, "tom")).status_code == 422
    assert state_of(acts.plane) == before
    acts.edit("lena", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check()
    answer = client.post(f"/v1/proposals/2/{verdict}", json=seen, headers=by(acts, "tom"))
    assert (answer.status_code, "manifest digest" in answer.json()["hint"]) == (409, True)
    part = {**seen, "manifest": acts.seen()[:30]}
    assert client.post(f"/v1/proposals/2/{verdict}", json=part, headers=by(acts, "tom")).status_code == 409


def test_the_checkpoint_is_read_while_somebody_writes(client: TestClient, acts: Acts) -> None:
    """Whoever polls the public checkpoint neither waits for a writer nor makes one wait."""
    with db.write(acts.plane.engine):
        answer = client.get("/v1/audit/checkpoint")
    assert answer.content == (acts.plane.site / "log" / "checkpoint").read_bytes()
