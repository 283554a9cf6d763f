"""Tokens: scopes, expiry, revoking; and machines, which propose and check and never decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from audit.record import LeafObject
from control_plane import db
from control_plane.accounts import passphrases, people, rights, tokens
from control_plane.accounts.rights import Attempt
from control_plane.app import create_app
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.lifecycle import releases, withdrawing
from control_plane.plane import ControlPlane
from control_plane.reviewing import proposals, review
from control_plane.scopes import ALL, OF_MACHINES, Scope, scope_of
from control_plane.settings import Settings
from control_plane.tables.accounts import KeyRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import ROLE, Acts, newest, refused
from tests.server.conftest import Clock
from tests.server.library import CLOSING, script

CHANGED = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}


def issue(acts: Acts, login: str, *scopes: str, **options: object) -> tokens.Issued:
    """Issue a token as a demo person."""
    given = {"name": "for-a-test", "passphrase": acts.passphrase(login), "scopes": scopes, **options}
    return tokens.issue(acts.plane, acts.id(login), **given)  # type: ignore[arg-type]


def behind(plane: ControlPlane, issued: tokens.Issued) -> ControlPlane:
    """Return the control plane as a request with that token has it."""
    digest = tokens.token_digest(issued.text)
    return replace(plane, token=digest, acting=tokens.acting_for(plane, issued.text))


@pytest.fixture
def client(settings: Settings, clock: Clock) -> Iterator[TestClient]:
    """A client of the application, at the test's time."""
    client = TestClient(create_app(settings, clock=clock), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def test_a_token_reads_unless_more_is_asked_for(acts: Acts) -> None:
    """The least is the default: reading, for 90 days."""
    issued = issue(acts, "tom")
    assert issued.token.scopes == ("read",)
    assert (issued.token.expires_at - acts.plane.now()).days == 90
    assert tokens.acting_for(acts.plane, issued.text).scopes == {Scope.READ}
    assert newest(acts.plane).act == "token-issued"
    assert issued.text not in repr(issued)


def test_attack_a_token_does_what_its_scopes_do_not_say(acts: Acts) -> None:
    """Whatever roles tom has, his reading token checks, approves, proposes, withdraws nothing; the log says so."""
    plane = behind(acts.plane, issue(acts, "tom"))
    tom, maya = acts.id("tom"), behind(acts.plane, issue(acts, "maya", "check"))
    with refused(plane, Refused, match="scope check", logged="check"):
        review.check(plane, tom, 2)
    given = {"role": "facilitator", "reason": "x", "passphrase": acts.passphrase("tom"), "manifest": acts.seen()}
    with refused(plane, Refused, match="scope approve", logged="approve"):
        review.approve(plane, tom, 2, **given)
    with refused(plane, Refused, match="scope withdraw", logged="withdraw"):
        withdrawing.withdraw(plane, tom, target="closing", reason="x", passphrase=acts.passphrase("tom"))
    with refused(maya, Refused, match="scope propose", logged="propose"):
        proposals.propose(maya, acts.id("maya"), files=CHANGED, title="x", passphrase=acts.passphrase("maya"))
    review.check(maya, acts.id("maya"), 2)


def test_an_act_without_a_scope_of_its_own_takes_every_scope(acts: Acts) -> None:
    """Whatever word an act is logged by: one that no scope names takes them all, so nothing is forgotten."""
    attempt = Attempt("something-new", LeafObject("person"))
    assert scope_of("something-new") is None
    some = behind(acts.plane, issue(acts, "lena", *(ALL - {Scope.RECORDS})))
    with refused(some, Refused, match="every scope", logged="something-new"):
        rights.require_role(some, acts.id("lena"), ("administrator",), attempt=attempt)
    full = behind(acts.plane, issue(acts, "lena", *ALL))
    assert rights.require_role(full, acts.id("lena"), ("administrator",), attempt=attempt) == "administrator"


def test_attack_a_request_acts_as_somebody_else(acts: Acts) -> None:
    """A use case that is asked to act as another person than the one behind the request refuses."""
    plane = behind(acts.plane, issue(acts, "tom", *ALL))
    with refused(plane, Refused, match="person behind the request", logged="check"):
        review.check(plane, acts.id("ines"), 2)


def test_attack_a_token_issues_one_that_may_more(acts: Acts) -> None:
    """Issuing takes every scope and the passphrase: a stolen token does not make itself stronger or longer."""
    plane = behind(acts.plane, issue(acts, "tom", "admin", "approve"))
    given = {"name": "more", "scopes": ["approve"]}
    with refused(plane, Refused, logged="issue-token"):
        tokens.issue(plane, acts.id("tom"), passphrase=acts.passphrase("tom"), **given)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="passphrase"):
        tokens.issue(acts.plane, acts.id("tom"), passphrase="guess guess", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "Tom's"},
        {"name": ""},
        {"name": "x" * 41},
        {"days": 0},
        {"days": 366},
        {"scopes": ("king",)},
        {"scopes": ("approve",), "machine": "ci"},
        {"scopes": ("admin",), "machine": "ci"},
        {"machine": "CI!"},
    ],
)
def test_what_no_token_may_have_is_refused(acts: Acts, bad: dict[str, object]) -> None:
    """Names, days and scopes outside the closed sets, and scopes that no machine has, issue nothing."""
    with refused(acts.plane, InvalidDocument):
        issue(acts, "maya", **bad)  # type: ignore[arg-type]


def test_expired_and_revoked_tokens_are_nobodys(acts: Acts, clock: Clock, client: TestClient) -> None:
    """A token ends with its last day, or at once when it is revoked; whose it was makes no difference."""
    short, long = issue(acts, "tom", days=1), issue(acts, "tom", days=365)
    clock.advance(days=1)
    for text, status in ((short.text, 401), (long.text, 200)):
        assert client.get("/v1/people/me", headers={"Authorization": f"Bearer {text}"}).status_code == status
    tokens.revoke(acts.plane, acts.id("tom"), long.token.id)
    assert newest(acts.plane).act == "token-revoked"
    assert client.get("/v1/people/me", headers={"Authorization": f"Bearer {long.text}"}).status_code == 401


def test_only_an_administrator_revokes_for_others(acts: Acts) -> None:
    """Tom's token is tom's to revoke, and lena's as an administrator; ines may not; an unknown id is not found."""
    made = issue(acts, "tom").token
    with refused(acts.plane, Refused, logged="revoke-token"):
        tokens.revoke(acts.plane, acts.id("ines"), made.id)
    with refused(acts.plane, NotFound):
        tokens.revoke(acts.plane, acts.id("lena"), "t-nope")
    assert tokens.revoke(acts.plane, acts.id("lena"), made.id).revoked_at == acts.plane.now()


def test_the_list_says_about_when_a_token_was_used(acts: Acts, clock: Clock) -> None:
    """Never at first; then the first use of an hour; the text is nowhere."""
    issued = issue(acts, "tom")
    shown = tokens.list_tokens(acts.plane, person="tom")
    assert [one.used_at for one in shown if one.id == issued.token.id] == [None]
    clock.advance(hours=2)
    used = acts.plane.now()
    tokens.acting_for(acts.plane, issued.text)
    clock.advance(minutes=59)
    tokens.acting_for(acts.plane, issued.text)
    [row] = [one for one in tokens.list_tokens(acts.plane, person="tom") if one.id == issued.token.id]
    assert row.used_at == used


def test_nobody_has_tokens_without_end(acts: Acts, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more token than somebody may have is refused until one is revoked."""
    made = [issue(acts, "tom") for _ in range(tokens.MAX_TOKENS - 1)]
    with refused(acts.plane, Conflict):
        issue(acts, "tom")
    tokens.revoke(acts.plane, acts.id("tom"), made[0].token.id)
    issue(acts, "tom")


def test_tokens_over_http(client: TestClient, acts: Acts) -> None:
    """Issued, listed, used within its scopes, revoked: the text is shown once and never again."""
    by = {"Authorization": f"Bearer {acts.people['maya']['token']}"}
    body = {"name": "ci", "scopes": ["check"], "days": 7, "passphrase": acts.passphrase("maya")}
    made = client.post("/v1/tokens", json=body, headers=by)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    text, identity = made.json()["text"], made.json()["token"]["id"]
    mine = {"Authorization": f"Bearer {text}"}
    assert client.get("/v1/people/me", headers=mine).json()["scopes"] == ["check", "read"]
    assert client.post("/v1/proposals/2/check", headers=mine).status_code == 200
    assert client.post("/v1/tokens", json=body, headers=mine).status_code == 403
    listed = client.get("/v1/tokens", headers=by)
    assert text not in listed.text
    assert identity in listed.text
    assert client.delete(f"/v1/tokens/{identity}", headers=by).status_code == 200
    assert client.get("/v1/people/me", headers=mine).status_code == 401


def machine(acts: Acts, login: str = "maya", **options: object) -> tokens.Issued:
    """Issue the token of a machine that maya answers for, with all that it may have."""
    return issue(acts, login, *OF_MACHINES, machine="content-sync", **options)


def test_attack_a_machine_decides(acts: Acts) -> None:
    """A machine approves, rejects, releases, withdraws, enrols and issues nothing, whatever its person may do."""
    for login, role in (("maya", ROLE["maya"]), ("lena", ROLE["lena"])):
        plane, who = behind(acts.plane, machine(acts, login)), acts.id(login)
        given = {"role": role, "reason": "x", "passphrase": acts.passphrase(login), "manifest": acts.seen()}
        with refused(plane, Refused, match="got a machine", logged="approve"):
            review.approve(plane, who, 2, **given)
        with refused(plane, Refused, match="got a machine", logged="reject"):
            review.reject(plane, who, 2, **given)
        with refused(plane, Refused, match="got a machine", logged="release"):
            releases.release(plane, who, 2)
        with refused(plane, Refused, match="got a machine", logged="withdraw"):
            withdrawing.withdraw(plane, who, target="closing", reason="x", passphrase=acts.passphrase(login))
        with refused(plane, Refused, match="got a machine", logged="enrol"):
            people.enrol(plane, people.NewPerson("kim", "Kim", ("author",)), actor=who)
        with refused(plane, Refused, match="got a machine", logged="issue-token"):
            tokens.issue(plane, who, name="more", passphrase=acts.passphrase(login))


def test_attack_a_row_gives_a_machine_every_scope(acts: Acts) -> None:
    """Even with scopes that no machine's token is issued with, what decides is refused."""
    plane = behind(acts.plane, machine(acts))
    assert plane.acting is not None
    plane = replace(plane, acting=replace(plane.acting, scopes=ALL))
    with refused(plane, Refused, match="got a machine", logged="withdraw"):
        withdrawing.withdraw(plane, acts.id("maya"), target="closing", reason="x", passphrase=acts.passphrase("maya"))


def test_a_machine_needs_somebody_who_answers_for_it(acts: Acts) -> None:
    """Only an author answers for a machine, since what it proposes is theirs."""
    with refused(acts.plane, Refused, logged="issue-token"):
        machine(acts, "tom")


def test_a_machines_key_lies_under_its_token(acts: Acts) -> None:
    """The key opens with the token alone, not with the person's passphrase, and is gone once it is revoked."""
    issued = machine(acts)
    plane = behind(acts.plane, issued)
    assert plane.acting is not None
    assert passphrases.open_author_key(plane, acts.id("maya"), "")
    with refused(plane, Refused, match="got a machine"):
        passphrases.open_key(plane, acts.id("maya"), acts.passphrase("maya"))
    stolen = replace(plane, acting=replace(plane.acting, secret="mp_another"))
    with refused(stolen, Refused):
        passphrases.open_author_key(stolen, acts.id("maya"), acts.passphrase("maya"))
    with refused(plane, Refused):
        passphrases.open_author_key(plane, acts.id("tom"), "")
    tokens.revoke(acts.plane, acts.id("maya"), issued.token.id)
    assert newest(acts.plane).act == "key-revoked"
    with refused(plane, Refused):
        passphrases.open_author_key(plane, acts.id("maya"), "")
    with db.read(acts.plane.engine) as session:
        row = session.get(KeyRow, plane.acting.key)
        assert row is not None
        assert row.sealed_key == {}
