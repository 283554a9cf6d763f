"""Attacks by people without the right: every route and act with every role, floods of refusals, ways around a hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from audit.grammar import MAX_HOLDS
from audit.record import Auth, LeafRecord, parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts.rights import MOST_PER_MINUTE
from control_plane.app import create_app
from control_plane.cli.audit import app as audit_app
from control_plane.errors import Conflict, Refused
from control_plane.evidence import search
from control_plane.evidence.filed import file_evidence
from control_plane.keeping.erasing import erase, expire
from control_plane.keeping.holding import hold, lift_hold
from control_plane.keeping.keepers import Asking
from control_plane.keeping.retention import change_setting
from control_plane.plane import ControlPlane
from control_plane.settings import Settings
from control_plane.tables.registry import LeafRow
from control_plane.texts import display_names, reasons
from tests.server.acts import ROLE, Acts, newest, refused, state_of
from tests.server.conftest import Clock

KEEPERS = {"ruth", "lena"}
OTHERS = sorted(set(ROLE) - KEEPERS)
OPEN = {
    "/v1/health",
    "/v1/session/oidc",
    "/v1/session/oidc/callback",
    "/v1/audit/checkpoint",
    "/v1/audit/keys",
    "/v1/openapi.json",
    "/v1/docs",
    "/v1/docs/oauth2-redirect",
}


@pytest.fixture
def client(settings: Settings, acts: Acts) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    free = replace(settings, requests_per_minute_of_person=0, requests_per_minute_of_address=0)
    client = TestClient(create_app(free), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def by(acts: Acts, login: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {acts.people[login]['token']}"}


def keeping(acts: Acts, login: str) -> list[tuple[str, Callable[[], object]]]:
    """Everything that only compliance and administrators may do, as somebody, with their own right passphrase."""
    plane, who, secret = acts.plane, acts.id(login), acts.passphrase(login)
    said = Asking(who, "because", secret)
    return [
        ("erase", lambda: erase(plane, "tom", asking=said)),
        ("hold", lambda: hold(plane, "tom", asking=said)),
        ("hold", lambda: hold(plane, "", asking=said)),
        ("lift-hold", lambda: lift_hold(plane, "hold-1", asking=said)),
        ("change-setting", lambda: change_setting(plane, "reading-log", "off", asking=said)),
        ("file-evidence", lambda: file_evidence(plane, "dpia", b"text", asking=Asking(who, "due", secret))),
        ("search-words", lambda: search.read(plane, who, search.Query(words="clearer"))),
    ]


@pytest.mark.parametrize("login", OTHERS)
def test_nobody_else_erases_holds_lifts_switches_files_or_searches_by_words(acts: Acts, login: str) -> None:
    """Each act with each other role: refused, an entry says so, and nothing else changed."""
    hold(acts.plane, "maya", asking=Asking(by=acts.id("ruth"), reason="a case", passphrase=acts.passphrase("ruth")))
    for code, attempt in keeping(acts, login):
        with refused(acts.plane, Refused, match="compliance or administrator", logged=code):
            attempt()
        said = newest(acts.plane)
        assert said.actor.id == acts.id(login)
        assert said.actor.auth is not Auth.PASSPHRASE, "none was asked for yet"


def routes(client: TestClient) -> list[tuple[str, str]]:
    """Every route of the HTTP interface, with something in place of what a path leaves open."""
    found = []
    for path, methods in client.get("/v1/openapi.json").json()["paths"].items():
        filled = path.replace("{number}", "2").replace("{name}", "opener").replace("{rules}", "soc2")
        found += [(method.upper(), filled.replace("{index}", "1")) for method in methods]
    return found


@pytest.mark.no_cover
def test_no_route_answers_without_a_token_or_with_a_strangers(client: TestClient, acts: Acts) -> None:
    """All but the health and the public checkpoint: 401 whatever the body, and nothing changes."""
    before = state_of(acts.plane)
    asked = 0
    for method, path in routes(client):
        if path in OPEN:
            continue
        for headers in ({}, {"Authorization": "Bearer mp_stranger"}, {"Authorization": "Basic cnV0aDp4"}):
            assert client.request(method, path, headers=headers, json={}).status_code in {401, 422}, path
            if method == "GET":
                params = {"at": "2026-01-01T00:00:00Z"} if path.endswith("as-of") else {}
                assert client.get(path, headers=headers, params=params).status_code == 401, path
            asked += 1
    assert asked > 60
    assert state_of(acts.plane) == before


@pytest.mark.parametrize("login", sorted(ROLE))
def test_what_each_role_gets_over_http(client: TestClient, acts: Acts, login: str) -> None:
    """Packs, documents and searches by words for compliance and administrators alone; the public log for all."""
    header, good = by(acts, login), login in KEEPERS
    pack = client.post("/v1/audit/packs", json={"release": 1}, headers=header)
    assert pack.status_code == (201 if good else 403)
    words = client.get("/v1/audit/search", params={"words": "library"}, headers=header)
    assert words.status_code == (200 if good else 403)
    body = {"kind": "dpia", "document": "x", "reason": "due", "passphrase": acts.passphrase(login)}
    assert client.post("/v1/audit/evidence", json=body, headers=header).status_code == (201 if good else 403)
    assert client.get("/v1/audit/search", params={"act": "released"}, headers=header).status_code == 200
    refusals = [entry(acts.plane, one.index) for one in ledger.search(acts.plane, act="refused")]
    assert [one.reason.code for one in refusals] == ([] if good else ["file-evidence", "search-words", "make-pack"])
    assert {str(one.actor.auth) for one in refusals} <= {"token"}
    assert all(one.actor.client == "api" and one.actor.session for one in refusals)


def entry(plane: ControlPlane, index: int) -> LeafRecord:
    """An entry of the log."""
    with db.read(plane.engine) as session:
        row = session.get(LeafRow, index)
        assert row is not None
        return parse_leaf(row.data)


def test_attack_filling_the_log_with_refused_attempts(client: TestClient, acts: Acts, clock: Clock) -> None:
    """The same attempt is logged once a minute, different ones at most ten times; each is refused all the same."""
    start = newest(acts.plane).seq
    for _ in range(30):
        with pytest.raises(Refused):
            acts.release(2, "maya")
    assert newest(acts.plane).seq == start + 1
    for number in range(3, 40):
        with pytest.raises(Refused):
            acts.release(number, "maya")
    assert newest(acts.plane).seq == start + MOST_PER_MINUTE
    with pytest.raises(Refused):
        acts.release(2, "tom")
    assert newest(acts.plane).seq == start + MOST_PER_MINUTE + 1, "nobody is hidden behind somebody else"
    clock.advance(minutes=1)
    with pytest.raises(Refused):
        acts.release(2, "maya")
    assert newest(acts.plane).seq == start + MOST_PER_MINUTE + 2
    assert verifying.verify(acts.plane).ok


def test_attack_filling_the_log_by_reviewing_ones_own_work(acts: Acts) -> None:
    """The entry about it is written once a minute too."""
    start = newest(acts.plane).seq
    for _ in range(5):
        with pytest.raises(Refused):
            acts.reject("maya", role="learning-designer")
    assert newest(acts.plane).seq == start + 1


def test_attack_erasing_what_one_person_wrote_about_another_who_is_held(acts: Acts, clock: Clock) -> None:
    """What ruth wrote when she was refused to erase maya is evidence about maya: it outlives ruth's own erasure."""
    plane = acts.plane
    said = Asking(acts.id("lena"), "a matter of record", acts.passphrase("lena"))
    written = erase(
        plane, "maya", asking=Asking(by=acts.id("ruth"), reason="she asked", passphrase=acts.passphrase("ruth"))
    ).entries
    held = hold(plane, "maya", asking=said)
    with refused(plane, Refused, match=held.id, logged="erase-under-hold"):
        erase(plane, "ruth", asking=said)
    assert newest(plane).actor.auth is Auth.PASSPHRASE
    clock.advance(days=365 * 12)
    expire(plane)
    with db.read(plane.engine) as session:
        assert reasons(session, plane, written) == dict.fromkeys(written, "she asked")
        assert display_names(session, plane, [acts.id("ruth")])[acts.id("ruth")] == acts.people["ruth"]["name"]
    lift_hold(plane, held.id, asking=said)
    assert erase(plane, "ruth", asking=said).keys


@pytest.mark.no_cover
def test_attack_more_holds_than_an_entry_can_name(acts: Acts) -> None:
    """No hold is placed that entries would silently leave out: one too many is refused, and nothing changes."""
    plane = acts.plane
    said = Asking(acts.id("ruth"), "a case", acts.passphrase("ruth"))
    for _ in range(MAX_HOLDS // 4):
        for who in ("maya", "ruth", "tom", ""):
            hold(plane, who, asking=said)
    for who in ("maya", ""):
        with refused(plane, Conflict):
            hold(plane, who, asking=said)
    with pytest.raises(Refused, match="hold-1,"):
        erase(plane, "maya", asking=said)
    assert len(newest(plane).holds) == 3 * (MAX_HOLDS // 4), "on ruth, on maya, on everybody"
    lift_hold(plane, "hold-1", asking=said)
    hold(plane, "maya", asking=said)


def test_whoever_is_named_on_the_command_line_is_logged_as_not_authenticated(acts: Acts, settings: Settings) -> None:
    """`--as` says for whom the operator acts; the entry says that nobody checked it, through the command line."""
    home = str(settings.home)
    for command in (
        ["search", "--as", "ruth"],
        ["as-of", "--at", f"{acts.plane.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "--as", "ruth"],
        ["pack", "--release", "1", "--out", f"{home}/r.pack", "--as", "ruth", "--json"],
    ):
        done = CliRunner().invoke(audit_app, [*command, "--home", home], env={"DATABASE_URL": settings.database_url})
        assert done.exit_code == 0, done.output
        said = newest(acts.plane)
        assert (said.actor.id, said.actor.auth, said.actor.client) == (acts.id("ruth"), "none", "cli")
    assert json.loads(done.output)["ok"]
