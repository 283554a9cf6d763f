"""What every request meets: ids, tags, idempotency keys, pages, limits, problems, and the document that says so."""

from __future__ import annotations

import base64
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from control_plane import db
from control_plane.app import create_app
from control_plane.requests.etags import tag_of
from control_plane.requests.limits import Buckets
from control_plane.requests.problems import TYPES, type_uri
from control_plane.settings import Settings
from control_plane.tables.requests import ClaimRow
from tests.server.acts import Acts, newest
from tests.server.conftest import Clock
from tests.server.library import CLOSING, script
from tests.server.test_http import by, signing

KEY = {"Idempotency-Key": "a-key-of-one-request"}


@pytest.fixture
def client(settings: Settings, acts: Acts, clock: Clock) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    client = TestClient(create_app(settings, clock=clock), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def proposal(acts: Acts, fill: str = "Bye, {{ work }}.") -> dict[str, Any]:
    """Return the body of a proposal."""
    files = {CLOSING: script("closing", tier="R1", fill=fill)}
    return {"title": "Shorter", "files": files, "passphrase": acts.passphrase("maya")}


def test_each_request_has_an_id_in_answer_problem_and_log(
    client: TestClient, acts: Acts, caplog: pytest.LogCaptureFixture
) -> None:
    """A sane id is taken, any other replaced; problems and the log's lines name it, also when nobody expected them."""
    given = client.get("/v1/nothing", headers={"X-Request-Id": "from-the-caller"})
    assert given.headers["X-Request-Id"] == given.json()["request"] == "from-the-caller"
    for insane in ("short", "with spaces in it", "x" * 65, "new\tline-in-it"):
        made = client.get("/v1/health", headers={"X-Request-Id": insane}).headers["X-Request-Id"]
        assert made != insane
        assert len(made) == 16
    client.app.add_api_route("/v1/broken", lambda: logging.getLogger("x").warning("here") or 1 / 0)  # type: ignore[attr-defined]
    broken = client.get("/v1/broken", headers={"X-Request-Id": "one-that-breaks"})
    assert (broken.status_code, broken.headers["X-Request-Id"]) == (500, "one-that-breaks")
    assert "here [request one-that-breaks]" in caplog.messages


def test_a_resource_that_is_as_it_was_is_not_sent_again(client: TestClient, acts: Acts) -> None:
    """`If-None-Match` with the tag is answered 304 without a body, until something in the resource changes."""
    headers = by(acts, "tom")
    first = client.get("/v1/proposals/2", headers=headers)
    tag = first.headers["ETag"]
    assert tag == tag_of(first.content)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get("/v1/proposals/2", headers=headers | {"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert client.get("/v1/proposals/2", headers={"If-None-Match": tag}).status_code == 401
    client.post("/v1/proposals/2/check", headers=by(acts, "maya"))
    changed = client.get("/v1/proposals/2", headers=headers | {"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)


def test_a_write_meets_what_its_writer_saw_or_nothing_happens(client: TestClient, acts: Acts) -> None:
    """Without a revision or a tag an edit is refused (428), with a tag that is old too (412), also for an approval."""
    body = {"files": proposal(acts)["files"], "passphrase": acts.passphrase("maya")}
    at, before = "/v1/proposals/2", newest(acts.plane)
    tag = client.get(at, headers=by(acts, "maya")).headers["ETag"]
    assert client.put(at, json=body, headers=by(acts, "maya")).status_code == 428
    client.post(f"{at}/check", headers=by(acts, "maya"))
    checked = newest(acts.plane)
    assert checked != before
    old = {"If-Match": tag}
    assert client.put(at, json=body, headers=by(acts, "maya") | old).status_code == 412
    assert client.post(f"{at}/approve", json=signing(acts, "tom"), headers=by(acts, "tom") | old).status_code == 412
    assert newest(acts.plane) == checked
    now = {"If-Match": client.get(at, headers=by(acts, "maya")).headers["ETag"]}
    assert client.put(at, json=body, headers=by(acts, "maya") | now).status_code == 200
    assert client.put(at, json=body | {"revision": 1}, headers=by(acts, "maya")).status_code == 409


def test_attack_a_tag_of_what_one_may_not_read(client: TestClient, acts: Acts) -> None:
    """Whoever is not signed in learns nothing about a resource by guessing its tag, and changes nothing."""
    tag, before = client.get("/v1/proposals/2", headers=by(acts, "tom")).headers["ETag"], newest(acts.plane)
    for value in (tag, '"no"', "*"):
        assert client.post("/v1/proposals/2/check", headers={"If-Match": value}).status_code in {401, 404}
    assert newest(acts.plane) == before


def test_one_key_is_one_act_and_one_answer(client: TestClient, acts: Acts, clock: Clock) -> None:
    """The same request again gets the same answer and does nothing; another body is refused; a day later it is new."""
    headers = by(acts, "maya") | KEY
    first = client.post("/v1/proposals", json=proposal(acts), headers=headers)
    done = newest(acts.plane)
    again = client.post("/v1/proposals", json=proposal(acts), headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert (again.headers["Idempotency-Replayed"], newest(acts.plane)) == ("true", done)
    other = client.post("/v1/proposals", json=proposal(acts, fill="Other"), headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, type_uri("idempotency-key-reused"))
    assert (
        client.post(
            "/v1/proposals", json=proposal(acts), headers=by(acts, "maya") | {"Idempotency-Key": "short"}
        ).status_code
        == 422
    )
    assert newest(acts.plane) == done
    clock.advance(hours=25)
    assert (
        client.post("/v1/proposals", json=proposal(acts), headers=headers).status_code != 201
        or newest(acts.plane) != done
    )


def test_attack_the_key_of_somebody_else(client: TestClient, acts: Acts) -> None:
    """A key is one person's: another who uses it neither gets the answer nor stands in the way; nobody gets nothing."""
    client.post("/v1/proposals", json=proposal(acts), headers=by(acts, "maya") | KEY)
    assert client.post("/v1/proposals", json=proposal(acts), headers=KEY).status_code == 401
    got = client.post("/v1/proposals/2/check", headers=by(acts, "tom") | KEY)
    assert "Idempotency-Replayed" not in got.headers


def test_attack_the_stored_requests_are_read_by_whoever_has_the_database(client: TestClient, acts: Acts) -> None:
    """Neither key, token, passphrase, title nor answer stands there, and no plain digest to guess a passphrase by."""
    import hashlib

    body = proposal(acts)
    made = client.post("/v1/proposals", json=body, headers=by(acts, "maya") | KEY)
    with db.read(acts.plane.engine) as session:
        [row] = session.exec(select(ClaimRow)).all()
    seen = repr(row.model_dump()).encode() + row.answer
    secrets = [KEY["Idempotency-Key"], acts.passphrase("maya"), "Shorter", made.json()["manifest"]]
    secrets += [by(acts, "maya")["Authorization"].split()[1]]
    assert [secret for secret in secrets if secret.encode() in seen] == []
    assert hashlib.sha256(made.request.content).hexdigest() not in repr(row.request)


@pytest.mark.databases
def test_the_same_key_at_the_same_instant_is_carried_out_once(client: TestClient, acts: Acts) -> None:
    """Of several at once one acts; the others are told to wait (409 with `Retry-After`) or get its answer."""
    barrier, got = Barrier(4), []

    def ask() -> None:
        barrier.wait()
        got.append(client.post("/v1/proposals", json=proposal(acts), headers=by(acts, "maya") | KEY))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [one for one in got if one.status_code == 201]
    assert len({one.json()["number"] for one in made}) == 1
    waiting = [one for one in got if one.status_code == 409]
    assert len(made) + len(waiting) == 4
    assert all(int(one.headers["Retry-After"]) > 0 for one in waiting)
    with db.read(acts.plane.engine) as session:
        [row] = session.exec(select(ClaimRow)).all()
    assert row.leaf is not None


CHILD = """
import os, signal, sys
from fastapi.testclient import TestClient
from pathlib import Path
from control_plane.app import create_app
from control_plane.settings import Argon2, Settings
app = create_app(Settings(home=Path(sys.argv[1]), argon2=Argon2(8, 1, 1), database_url=sys.argv[2]))
class Killed:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send):
        async def dead(message): os.kill(os.getpid(), signal.SIGKILL)
        await self.app(scope, receive, dead)
Router = type(app.router)
class Late(Router):
    async def __call__(self, scope, receive, send): await Killed(super().__call__)(scope, receive, send)
if sys.argv[3] == "after":
    app.router.__class__ = Late
else:
    class Early(type(app.router)):
        async def __call__(self, scope, receive, send): os.kill(os.getpid(), signal.SIGKILL)
    app.router.__class__ = Early
import json
given = json.load(sys.stdin)
TestClient(app).post("/v1/proposals", json=given["body"], headers=given["headers"])
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_around_the_act_never_makes_it_happen_twice(settings: Settings, acts: Acts, when: str) -> None:
    """Killed before the act: asked again, it is done. Killed after it: asked again, the log's entry is named."""
    import json

    headers, body = by(acts, "maya") | KEY, proposal(acts)
    before = newest(acts.plane)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(settings.home), settings.database_url, when],
        input=json.dumps({"headers": headers, "body": body}).encode(),
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert (newest(acts.plane) == before) == (when == "before")
    done = newest(acts.plane)
    client = TestClient(create_app(settings))
    again = client.post("/v1/proposals", json=body, headers=headers)
    if when == "before":
        assert again.status_code == 201
    else:
        assert (again.status_code, again.json()["type"]) == (409, type_uri("answer-lost"))
        assert "entry " in again.json()["detail"]
        assert newest(acts.plane) == done
    client.app.state.plane.close()  # type: ignore[attr-defined]


def test_lists_are_cut_into_pages_that_inserts_do_not_move(client: TestClient, acts: Acts) -> None:
    """Following `Link` from page to page shows each item once, also if something is added meanwhile."""
    headers = by(acts, "tom")
    whole = [one["number"] for one in client.get("/v1/proposals", headers=headers).json()]
    first = client.get("/v1/proposals?limit=1", headers=headers)
    assert first.status_code == 200, first.text
    assert client.post("/v1/proposals", json=proposal(acts), headers=by(acts, "maya")).status_code == 201
    seen, answer = [one["number"] for one in first.json()], first
    while "next" in answer.links:
        answer = client.get(answer.links["next"]["url"], headers=headers)
        seen += [one["number"] for one in answer.json()]
    assert seen == whole
    logins = [one["login"] for one in client.get("/v1/people?limit=500", headers=headers).json()]
    pages = client.get("/v1/people?limit=2", headers=headers)
    assert [one["login"] for one in pages.json()] == logins[:2]
    deep = base64.urlsafe_b64encode(b"[" * 1400).decode()
    for wrong in ("AAAA", "!", deep, first.links["next"]["url"].partition("cursor=")[2]):
        assert client.get("/v1/people", params={"cursor": wrong}, headers=headers).status_code == 422


def test_a_person_and_an_address_have_limits(settings: Settings, acts: Acts, clock: Clock) -> None:
    """Beyond a minute's worth: 429 with `Retry-After`, for one person by whichever token; a minute later it goes on."""
    from dataclasses import replace

    app = create_app(
        replace(settings, requests_per_minute_of_person=3, requests_per_minute_of_address=210), clock=clock
    )
    client = TestClient(app)
    got = [client.get("/v1/people/me", headers=by(acts, "tom")) for _ in range(4)]
    assert [one.status_code for one in got] == [200, 200, 200, 429]
    assert got[2].headers["RateLimit"].startswith('"person";r=0')
    assert got[3].headers["RateLimit-Policy"] == '"person";q=3;w=60'
    assert (got[3].headers["Retry-After"], got[3].json()["type"]) == ("20", type_uri("too-many-requests"))
    assert client.get("/v1/people/me", headers=by(acts, "ruth")).status_code == 200
    clock.advance(seconds=60)
    assert client.get("/v1/people/me", headers=by(acts, "tom")).status_code == 200
    guesses = [client.get("/v1/people/me", headers={"Authorization": "Bearer no"}).status_code for _ in range(4)]
    assert guesses == [401, 401, 401, 429]
    app.state.plane.close()


def test_a_bucket_never_gives_more_than_it_holds_and_forgets_old_keys(clock: Clock) -> None:
    """However time is cut up, a key gets at most its rate and a minute's worth; the memory it takes is bounded."""
    buckets, given = Buckets(60, clock=clock), 0
    for _ in range(300):
        clock.advance(seconds=1)
        given += sum(not buckets.take("a")[1] for _ in range(3))
    assert given <= 60 + 300
    for key in range(20_000):
        buckets.take(str(key))
    assert len(buckets._levels) == 10_000


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/proposals/0", "/v1/people/me"])
def test_every_no_is_a_problem_of_a_documented_type(client: TestClient, acts: Acts, path: str) -> None:
    """The type is a URI of the table; status and title agree with the status line."""
    got = client.get(path)
    body = got.json()
    assert got.headers["content-type"] == "application/problem+json"
    assert body["type"] == type_uri(TYPES[got.status_code])
    assert body["status"] == got.status_code


def test_the_document_says_what_requests_meet(client: TestClient) -> None:
    """OpenAPI 3.1: ids are names and unique; each operation has its problems, headers and who must be signed in."""
    document = client.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations: list[tuple[str, str, Callable[..., Any] | Any]] = [
        (path, method, one) for path, item in document["paths"].items() for method, one in item.items()
    ]
    ids = [one["operationId"] for _, _, one in operations]
    assert len(set(ids)) == len(ids)
    assert all(name.isidentifier() for name in ids)
    for path, method, one in operations:
        names = {parameter["name"] for parameter in one["parameters"]}
        assert ("If-None-Match" if method == "get" else "Idempotency-Key") in names, path
        assert "application/problem+json" in one["responses"]["429"]["content"], path
        assert "security" in one, path
