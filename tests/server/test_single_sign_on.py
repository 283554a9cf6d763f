"""Single sign-on against a provider that runs as its own process, and what a hostile answer gets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from control_plane import db, ledger
from control_plane.accounts import addresses, invitations, oidc, passphrases, retiring, sessions
from control_plane.accounts.presence import prove
from control_plane.app import create_app
from control_plane.custody.keyfile import open_key
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.purposes import LINKING
from control_plane.settings import Settings, SingleSignOn
from control_plane.tables.accounts import IdentityRow
from tests.server import keyholders
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock
from tests.server.oidc_provider import CLIENT, SECRET

ROOT = Path(__file__).parents[2]
SUBJECT = "248289761001"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider in a process of its own."""
    command = [sys.executable, "-m", "tests.server.oidc_provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def sso(issuer: str, settings: Settings) -> SingleSignOn:
    """How the provider is set up here."""
    path = settings.home / "oidc-secret"
    path.write_text(SECRET + "\n")
    return SingleSignOn(issuer, CLIENT, path)


def browser_of(settings: Settings, sso: SingleSignOn) -> TestClient:
    """Return a browser that looks at a server with that provider."""
    return TestClient(create_app(replace(settings, sso=sso)), raise_server_exceptions=True, follow_redirects=False)


@pytest.fixture
def browser(settings: Settings, sso: SingleSignOn) -> Iterator[TestClient]:
    """A browser; it keeps cookies."""
    client = browser_of(settings, sso)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


@pytest.fixture
def plane(plane: ControlPlane, sso: SingleSignOn) -> ControlPlane:
    """The control plane with that provider."""
    return replace(plane, settings=replace(plane.settings, sso=sso))


def at_provider(url: str, **user: str) -> str:
    """Sign in at the provider as somebody, and return the path and query that it sends the browser back to."""
    answer = httpx.get(url, cookies={"sub": SUBJECT, **user})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def sign_on(browser: TestClient, invitation: str = "", **user: str) -> httpx.Response:
    """Go the whole way, and return what the server answers at its end."""
    begun = browser.get("/v1/session/oidc", params={"then": "/inbox", "invitation": invitation})
    assert begun.status_code == 303, begun.text
    return browser.get(at_provider(begun.headers["Location"], **user))


def link(plane: ControlPlane, acts: Acts, login: str = "tom", subject: str = SUBJECT) -> None:
    """Link the subject to somebody, as if they had done so."""
    with db.write(plane.engine) as session:
        issuer = plane.settings.sso.issuer  # type: ignore[union-attr]
        session.add(IdentityRow(issuer=issuer, subject=subject, person=acts.id(login), at=plane.now()))


def test_somebody_who_is_linked_signs_in(browser: TestClient, plane: ControlPlane, acts: Acts) -> None:
    """The way there asks for a code with PKCE, state and nonce; back here it is a session, logged as what it is."""
    link(plane, acts)
    asked = parse_qs(urlsplit(browser.get("/v1/session/oidc").headers["Location"]).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["scope"] == ["openid"]
    answer = sign_on(browser)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/inbox")
    assert browser.get("/v1/people/me").json()["login"] == "tom"
    assert (newest(plane).act, newest(plane).actor.auth) == ("signed-in", "single-sign-on")


def test_signing_on_signs_nothing(browser: TestClient, plane: ControlPlane, acts: Acts) -> None:
    """With a session of the provider's, an approval still takes the passphrase."""
    link(plane, acts)
    acts.check()
    sign_on(browser)
    csrf = {"X-CSRF-Token": sessions.csrf_token(browser.cookies["mentorplane"])}
    body = {"role": "facilitator", "reason": "x", "passphrase": "guess guess", "manifest": acts.seen()}
    answer = browser.post("/v1/proposals/2/approve", json=body, headers=csrf)
    assert (answer.status_code, "passphrase" in answer.text) == (403, True)


def code_of(plane: ControlPlane, acts: Acts, login: str, person: str = "") -> str:
    """Return the code with which somebody links an account, as they make it for themselves or try for another."""
    given = {"purpose": invitations.SIGN_ON, "present": acts.passphrase(login)}
    return invitations.invite(plane, acts.id(login), person or login, **given)


def test_people_link_their_own_account_once(browser: TestClient, plane: ControlPlane, acts: Acts, clock: Clock) -> None:
    """A code that they made with their passphrase links whoever signs in with it, once, within ten minutes."""
    code = code_of(plane, acts, "ines")
    assert (newest(plane).act, newest(plane).actor.id) == ("invited", acts.id("ines"))
    assert sign_on(browser).status_code == 401
    assert sign_on(browser, invitation=code).status_code == 303
    assert browser.get("/v1/people/me").json()["login"] == "ines"
    assert sign_on(browser).status_code == 303
    assert sign_on(browser, invitation=code, sub="another").status_code == 401
    again = code_of(plane, acts, "ines")
    clock.advance(minutes=11)
    with refused(plane, Refused, match="still good"), ledger.act(plane) as session:
        invitations.redeem(plane, session, again, purpose=invitations.SIGN_ON)


def test_attack_an_administrator_links_their_account_to_somebody_elses_person(
    browser: TestClient, plane: ControlPlane, acts: Acts, tmp_path: Path
) -> None:
    """No code for somebody else, not with their own passphrase either, nor an address set for them: nobody comes in."""
    with refused(plane, Refused, match="whose account it is", logged="link-identity"):
        code_of(plane, acts, "lena", "remy")
    noor = keyholders.fresh(acts, tmp_path)
    key, now = open_key(noor, keyholders.SECRET), plane.now()
    stolen = prove(key, person=noor.person, purpose="log in", at=now, nonce=keyholders.SALT)
    for given in ("a guess of a passphrase", stolen):
        with pytest.raises(Refused):
            invitations.invite(plane, noor.person, "noor", purpose=invitations.SIGN_ON, present=given)
    passphrase = acts.passphrase("lena")
    addresses.set_address(plane, acts.id("lena"), "remy", address="evil@example.org", passphrase=passphrase)
    assert sign_on(browser, email="evil@example.org", verified="yes").status_code == 401
    assert browser.get("/v1/people/me").status_code == 401
    with db.read(plane.engine) as session:
        assert session.exec(select(IdentityRow)).all() == []
    good = prove(key, person=noor.person, purpose=LINKING, at=now, nonce=keyholders.SALT)
    assert invitations.invite(plane, noor.person, "noor", purpose=invitations.SIGN_ON, present=good)


def test_attack_a_thief_of_a_passphrase_links_an_account_after_the_key_was_retired(
    browser: TestClient, plane: ControlPlane, acts: Acts
) -> None:
    """The code that was made with it is good no more, so that retiring a key ends all that it could do."""
    code = code_of(plane, acts, "remy")
    given = {"reason": "Stolen.", "passphrase": acts.passphrase("lena")}
    retiring.retire_key(plane, acts.id("lena"), acts.id("remy"), **given)
    assert sign_on(browser, invitation=code).status_code == 401
    assert browser.get("/v1/people/me").status_code == 401
    with db.read(plane.engine) as session:
        assert session.exec(select(IdentityRow)).all() == []


@pytest.mark.parametrize("wrong", ["nonce", "no-nonce", "audience", "issuer", "expired", "old", "key", "unsigned"])
def test_attack_a_token_that_is_wrong_in_one_way(
    browser: TestClient, plane: ControlPlane, acts: Acts, wrong: str
) -> None:
    """Another nonce, audience, issuer, time or key, or no signature at all: nobody is signed in."""
    link(plane, acts)
    before = newest(plane).seq
    answer = sign_on(browser, wrong=wrong)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False), answer.text
    assert browser.get("/v1/people/me").status_code == 401
    assert newest(plane).seq == before


def test_attack_an_answer_that_this_browser_did_not_ask_for(
    settings: Settings, sso: SingleSignOn, browser: TestClient, plane: ControlPlane, acts: Acts
) -> None:
    """An attacker's code in a victim's browser, another state, an answer twice, another issuer: all are refused."""
    link(plane, acts)
    attacker = browser_of(settings, sso)
    theirs = at_provider(attacker.get("/v1/session/oidc").headers["Location"])
    assert browser.get(theirs).status_code == 401, "no cookie at all"
    mine = at_provider(browser.get("/v1/session/oidc").headers["Location"])
    assert browser.get(theirs).status_code == 401, "another's state"
    assert browser.get(mine + "&iss=https://evil.example").status_code == 401
    assert browser.get(mine).status_code == 303
    assert browser.get(mine).status_code == 401, "a code is good once, and the cookie is gone"
    attacker.app.state.plane.close()  # type: ignore[attr-defined]


def test_attack_being_sent_to_another_site_after(browser: TestClient, plane: ControlPlane, acts: Acts) -> None:
    """The page to show after is a path of this server's, whatever the link says."""
    link(plane, acts)
    for then in ("https://evil.example", "/\\evil.example"):
        begun = browser.get("/v1/session/oidc", params={"then": then})
        assert browser.get(at_provider(begun.headers["Location"])).headers["Location"] == "/"


def test_a_subject_is_one_person(browser: TestClient, plane: ControlPlane, acts: Acts) -> None:
    """A subject that is tom's is not linked to ines as well."""
    link(plane, acts)
    assert sign_on(browser, invitation=code_of(plane, acts, "ines")).status_code == 409
    with db.read(plane.engine) as session:
        row = session.get(IdentityRow, (plane.settings.sso.issuer, SUBJECT))  # type: ignore[union-attr]
        assert row is not None
        assert row.person == acts.id("tom")


def test_a_provider_that_is_away_is_unavailable(settings: Settings, sso: SingleSignOn) -> None:
    """Nothing listens there: 503, and local accounts go on."""
    client = browser_of(settings, replace(sso, issuer="http://127.0.0.1:9"))
    assert client.get("/v1/session/oidc").status_code == 503
    client.app.state.plane.close()  # type: ignore[attr-defined]


def test_attack_a_provider_in_clear_text_on_another_machine(plane: ControlPlane, sso: SingleSignOn) -> None:
    """Only https is trusted beyond this machine."""
    assert not oidc._is_safe("http://provider.example")
    assert oidc._is_safe("https://provider.example")
    assert oidc._is_safe(sso.issuer)


def test_without_a_provider_there_is_nothing(settings: Settings) -> None:
    """The routes say that none is set up."""
    app = create_app(settings)
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    assert client.get("/v1/session/oidc").status_code == 404
    app.state.plane.close()


def test_the_key_still_opens_for_the_linked(plane: ControlPlane, acts: Acts) -> None:
    """Linking changes nothing about signing."""
    link(plane, acts)
    assert passphrases.open_key(plane, acts.id("tom"), acts.passphrase("tom"))
