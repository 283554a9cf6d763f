"""Sessions: their cookie, how they end, and that no other site's page writes with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from control_plane import db
from control_plane.accounts import sessions
from control_plane.app import create_app
from control_plane.errors import Refused
from control_plane.settings import Settings
from control_plane.tables.accounts import SessionRow
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock

HERE = "http://testserver"


@pytest.fixture
def browser(settings: Settings, acts: Acts, clock: Clock) -> Iterator[TestClient]:
    """A browser that looks at the server; it keeps cookies."""
    client = TestClient(create_app(settings, clock=clock), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def sign_in(browser: TestClient, acts: Acts, login: str = "tom", **headers: str) -> str:
    """Sign in, and return what pages send with each write."""
    body = {"login": login, "passphrase": acts.passphrase(login)}
    answer = browser.post("/v1/session", json=body, headers={"Origin": HERE, **headers})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["csrf_token"])


def test_a_session_is_a_cookie_that_no_script_reads(browser: TestClient, acts: Acts) -> None:
    """Signing in sets a cookie for this site alone; reading works with it; its value is not in the database."""
    body = {"login": "tom", "passphrase": acts.passphrase("tom")}
    answer = browser.post("/v1/session", json=body)
    said = answer.headers["Set-Cookie"]
    assert all(word in said for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200")), said
    assert "Secure" not in said, "plain http on the loopback address"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (newest(acts.plane).act, newest(acts.plane).actor.auth) == ("signed-in", "passphrase")
    assert browser.get("/v1/people/me").json()["login"] == "tom"
    cookie = browser.cookies["mentorplane"]
    with db.read(acts.plane.engine) as session:
        assert session.get(SessionRow, cookie) is None
    assert not any(cookie.encode() in path.read_bytes() for path in acts.plane.settings.home.glob("registry.db*"))


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(settings: Settings, acts: Acts) -> None:
    """With an https address the cookie has the prefix that browsers hold to Secure, the path and the host."""
    app = create_app(replace(settings, public_url="https://prompts.example.org"))
    client = TestClient(app, base_url="https://prompts.example.org")
    answer = client.post("/v1/session", json={"login": "tom", "passphrase": acts.passphrase("tom")})
    assert answer.headers["Set-Cookie"].startswith("__Host-mentorplane=")
    assert "Secure" in answer.headers["Set-Cookie"]
    app.state.plane.close()


def test_attack_a_write_without_the_token_of_the_session(browser: TestClient, acts: Acts) -> None:
    """A cookie alone writes nothing: without the token, or with another session's, the request is refused."""
    mine = sign_in(browser, acts)
    other = sessions.csrf_token("another cookie")
    for given in ({}, {"X-CSRF-Token": other}, {"X-CSRF-Token": mine.upper()}, {"X-CSRF-Token": "é"}):
        with_it = {name: value.encode() for name, value in given.items()}
        before = newest(acts.plane).seq
        assert browser.post("/v1/proposals/2/check", headers={"Origin": HERE, **with_it}).status_code == 403
        assert newest(acts.plane).seq == before
    assert browser.post("/v1/proposals/2/check", headers={"Origin": HERE, "X-CSRF-Token": mine}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_attack_a_page_of_another_site_writes(browser: TestClient, acts: Acts, headers: dict[str, str]) -> None:
    """Even with the right token, a request that says it comes from elsewhere is refused; so is signing in."""
    mine = sign_in(browser, acts)
    before = newest(acts.plane).seq
    for method, path in (("POST", "/v1/proposals/2/check"), ("DELETE", "/v1/session"), ("POST", "/v1/session")):
        body = {"login": "tom", "passphrase": acts.passphrase("tom")} if path.endswith("session") else None
        answer = browser.request(method, path, headers={**headers, "X-CSRF-Token": mine}, json=body)
        assert answer.status_code == 403, (method, path)
    assert newest(acts.plane).seq == before
    assert browser.get("/v1/people/me").status_code == 200


def test_bearer_tokens_need_no_token_of_a_page(browser: TestClient, acts: Acts) -> None:
    """No browser adds a bearer token by itself, so it is enough; it goes before the cookie."""
    sign_in(browser, acts, "tom")
    headers = {"Authorization": f"Bearer {acts.people['maya']['token']}", "Origin": "https://anywhere.example"}
    assert browser.post("/v1/proposals/2/check", headers=headers).status_code == 200
    assert browser.get("/v1/people/me", headers=headers).json()["login"] == "maya"


def test_attack_fixing_the_session_of_somebody_who_signs_in(browser: TestClient, acts: Acts) -> None:
    """Signing in never takes over the cookie that was there: it makes another one, and that one is over."""
    sign_in(browser, acts, "maya")
    planted = browser.cookies["mentorplane"]
    sign_in(browser, acts, "tom")
    assert browser.cookies["mentorplane"] != planted
    with pytest.raises(Refused):
        sessions.acting_for(acts.plane, planted)
    assert browser.get("/v1/people/me").json()["login"] == "tom"


def test_an_unused_session_ends_and_a_used_one_ends_too(browser: TestClient, acts: Acts, clock: Clock) -> None:
    """An hour without a request ends it; with requests it lasts a working day, and not longer."""
    sign_in(browser, acts)
    clock.advance(seconds=3599)
    assert browser.get("/v1/people/me").status_code == 200
    clock.advance(seconds=3600)
    assert browser.get("/v1/people/me").status_code == 401
    sign_in(browser, acts)
    for _ in range(23):
        clock.advance(seconds=1800)
        assert browser.get("/v1/people/me").status_code == 200
    clock.advance(seconds=1800)
    assert browser.get("/v1/people/me").status_code == 401


def test_signing_out_here_and_everywhere(browser: TestClient, acts: Acts) -> None:
    """Signing out ends this session, everywhere each of this person's; nobody else's; the log says so."""
    elsewhere = sessions.sign_in(acts.plane, "tom", acts.passphrase("tom")).cookie
    somebody = sessions.sign_in(acts.plane, "ines", acts.passphrase("ines")).cookie
    mine = {"X-CSRF-Token": sign_in(browser, acts), "Origin": HERE}
    cookie = browser.cookies["mentorplane"]
    answer = browser.delete("/v1/session", headers=mine)
    assert (answer.status_code, browser.cookies.get("mentorplane")) == (204, None)
    assert newest(acts.plane).reason.code == "here"
    with pytest.raises(Refused):
        sessions.acting_for(acts.plane, cookie)
    assert sessions.acting_for(acts.plane, elsewhere).person == acts.id("tom")
    mine = {"X-CSRF-Token": sign_in(browser, acts), "Origin": HERE}
    assert browser.delete("/v1/session", params={"everywhere": True}, headers=mine).status_code == 204
    assert newest(acts.plane).reason.code == "everywhere"
    with pytest.raises(Refused):
        sessions.acting_for(acts.plane, elsewhere)
    assert sessions.acting_for(acts.plane, somebody).person == acts.id("ines")


def test_a_wrong_sign_in_is_401_and_sets_nothing(browser: TestClient, acts: Acts) -> None:
    """No login and a wrong passphrase get the same answer, without a cookie."""
    said = set()
    for login in ("tom", "nobody"):
        answer = browser.post("/v1/session", json={"login": login, "passphrase": "guess guess"})
        assert "Set-Cookie" not in answer.headers
        problem = answer.json()
        problem.pop("request", None)
        said.add((answer.status_code, str(problem)))
    assert [status for status, _ in said] == [401]


def test_local_accounts_can_be_switched_off(acts: Acts) -> None:
    """Where people sign in at an identity provider, a passphrase starts no session."""
    plane = replace(acts.plane, settings=replace(acts.plane.settings, local_sign_in=False))
    with refused(plane, Refused, match="identity provider"):
        sessions.sign_in(plane, "tom", acts.passphrase("tom"))
