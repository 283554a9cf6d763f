"""Every route and every role: who may, who is refused, who has to sign in, and from whom it is hidden.

The table is `routes_and_roles.txt`.
Each column is a person with that one role. `machine`, `reading` and `expired` are tokens of somebody who holds every
role: what a token is not good for, no role makes good. Signs: `+` is done (or met by what somebody did a moment
before), `-` is refused (403), `?` is not signed in (401), `.` is hidden (404), `=` has nothing of the kind (409), `~`
is not signed as it should be (422), `!` is an identity provider that is not there (503). Whatever is not done changed
nothing but the log, which says at most that it was attempted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from sqlmodel import col, select

from audit.record import Auth
from control_plane import db
from control_plane.accounts import people, sessions, tokens
from control_plane.accounts.people import ROLES, NewPerson
from control_plane.app import create_app
from control_plane.granting import grants
from control_plane.granting.grants import Making
from control_plane.lifecycle import scheduling
from control_plane.overview import batches
from control_plane.plane import ControlPlane
from control_plane.reviewing import drafts, objections, requested, threads
from control_plane.settings import SingleSignOn
from control_plane.tables.registry import LeafRow
from control_plane.webhooks import subscriptions
from tests.server.acts import Acts, newest, state_of
from tests.server.conftest import Clock, Stage
from tests.server.library import CLOSING, OPENER, script

COLUMNS = (
    *("author", "reviewer", "learning-designer", "facilitator", "community-host", "compliance", "safety-owner"),
    *("employee-representative", "release-manager", "auditor", "administrator", "machine", "reading", "expired"),
    "nobody",
)
COLUMNS_SHORT = ("au", "re", "ld", "fa", "co", "cm", "so", "er", "rm", "ad", "aa", "ma", "rd", "ex", "no")
LEFT = "left.json"
APPROVERS = COLUMNS[2:8]

TABLE = (Path(__file__).parent / "routes_and_roles.txt").read_text("utf-8")


@dataclass
class World:
    """A server in which everybody may try something, and what is there by its place-holder."""

    client: TestClient
    plane: ControlPlane
    clock: Clock
    tokens: dict[str, str]
    there: dict[str, Any]

    def ask(self, who: str, method: str, path: str) -> int:
        """Return the status of a plausible request of somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}
        known = self.there | {
            "$role": who if who in APPROVERS else "facilitator",
            "$login": login_of(who),
            "$secret": secret_of(who),
        }
        places, query, body = WITH.get(f"{method} {path}", ({}, {}, None))
        filled = path
        for name in re.findall(r"{(\w+)}", path):
            filled = filled.replace(f"{{{name}}}", str(_filled(places.get(name, USUAL.get(name)), known)))
        given = _filled(body, known)
        self.client.cookies.clear()
        asked = {"params": _filled(query, known), "json": given, "headers": headers, "follow_redirects": False}
        return self.client.request(method, filled, **asked).status_code

    def acts_since(self, seq: int) -> set[str]:
        """Return what the log says that was done after an entry."""
        with db.read(self.plane.engine) as session:
            return set(session.exec(select(LeafRow.act).where(col(LeafRow.seq) > seq)))


def login_of(who: str) -> str:
    return who.replace("-", "_") if who in ROLES else "everything"


def secret_of(who: str) -> str:
    return f"the secret of {login_of(who)}"


def _filled(given: Any, known: dict[str, Any]) -> Any:
    if isinstance(given, dict):
        return {_filled(name, known): _filled(one, known) for name, one in given.items()}
    if isinstance(given, list):
        return [_filled(one, known) for one in given]
    return known.get(given, given) if isinstance(given, str) else given


def deciding(number: int) -> dict[str, str]:
    return {"role": "$role", "reason": "clear", "passphrase": "$secret", "manifest": f"$manifest-{number}"}


USUAL = {"number": 2, "name": "opener", "kind": "prompt", "thread": 1, "index": 1, "rules": "soc2", "person": "tom"}
USUAL["day"] = "2026-01-31"
BYE = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
FAREWELL = {CLOSING: script("closing", tier="R1", fill="Farewell, {{ work }}.")}
AGAIN = {OPENER: script("opener", fill="You did {{ work }} again.")}
DECIDED = {"role": "$role", "reason": "clear", "passphrase": "$secret", "manifest": "$manifest-2"}
SIGNED = {"reason": "it is due", "passphrase": "$secret"}
LINES = {"kind": "prompt", "name": "closing", "first": 1, "last": 1}
ENVELOPE = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "e30="}]}
#: Places in the path that are not the usual, the query, the body: of each route that needs any.
WITH: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "POST /v1/census": (
        {},
        {},
        {"channel": "production", "day": "$today", "format": "mentorplane-census/1", "fresh": "fresh", "newest": 1}
        | {"package": "0.3.0", "refresh": "ok", "release": 1, "stage": 1, "withdrawals": 0},
    ),
    "PUT /v1/proposals/{number}/schedule": ({"number": 11}, {}, {"at": "$soon"}),
    "DELETE /v1/proposals/{number}/schedule": ({"number": 12}, {}, None),
    "POST /v1/channels/{name}/withdrawal": ({"name": "production"}, {}, SIGNED),
    "GET /v1/channels/{name}/rollout": ({"name": "production"}, {}, None),
    "POST /v1/channels/{name}/rollout": (
        {"name": "production"},
        {},
        {"release": 1, "stage": 2, "passphrase": "$secret"},
    ),
    "POST /v1/channels/{name}/halt": ({"name": "production"}, {}, {"release": 1, **SIGNED}),
    "POST /v1/promotions": ({}, {}, {"source": "production", "target": "pilot", "passphrase": "$secret"}),
    "POST /v1/rollbacks": ({}, {}, {"to": 1, "passphrase": "$secret"}),
    "POST /v1/returns": ({}, {}, {"channel": "pilot", "passphrase": "$secret"}),
    "POST /v1/releases/{number}/review": ({"number": 1}, {}, DECIDED),
    "POST /v1/proposals/{number}/release": ({"number": 3}, {}, None),
    "POST /v1/withdrawals": ({}, {}, {"target": "closing", **SIGNED}),
    "POST /v1/proposals": ({}, {}, {"title": "x", "files": BYE, "passphrase": "$secret"}),
    "PUT /v1/proposals/{number}": ({"number": 5}, {}, {"files": AGAIN, "passphrase": "$secret", "revision": 1}),
    "POST /v1/proposals/{number}/approve": ({"number": 6}, {}, deciding(6)),
    "POST /v1/proposals/{number}/reject": ({"number": 7}, {}, deciding(7)),
    "POST /v1/approvals": (
        {},
        {},
        {"items": [{"number": 8, "manifest": "$manifest-8", "role": "$role", "reason": "x"}], "passphrase": "$secret"},
    ),
    "POST /v1/proposals/{number}/statements": ({}, {}, {"envelope": ENVELOPE, "reason": "x", "salt": "AAAA"}),
    "POST /v1/proposals/{number}/rebase": ({"number": 10}, {}, {"passphrase": "$secret"}),
    "POST /v1/proposals/{number}/close": ({"number": 9}, {}, {"reason": "x"}),
    "POST /v1/proposals/{number}/duplicate": ({}, {}, {"title": "x", "passphrase": "$secret"}),
    "POST /v1/drafts": ({}, {}, {"title": "x", "files": BYE}),
    "PUT /v1/drafts/{number}": ({"number": 1}, {}, {"revision": 1, "files": BYE}),
    "GET /v1/drafts/{number}": ({"number": 1}, {}, None),
    "DELETE /v1/drafts/{number}": ({"number": 2}, {}, None),
    "POST /v1/drafts/{number}/invite": ({"number": 1}, {}, {"people": ["tom"]}),
    "POST /v1/drafts/{number}/uninvite": ({"number": 1}, {}, {"people": ["tom"]}),
    "POST /v1/drafts/{number}/propose": ({"number": 1}, {}, {"passphrase": "$secret"}),
    "POST /v1/unsigned/proposals": ({}, {}, {"title": "x", "files": FAREWELL}),
    "POST /v1/unsigned/proposals/{number}": ({"number": 4}, {}, {"files": AGAIN}),
    "POST /v1/unsigned/drafts/{number}": ({"number": 1}, {}, {}),
    "POST /v1/unsigned/proposals/{number}/rebase": ({"number": 10}, {}, {}),
    "POST /v1/unsigned/proposals/{number}/duplicate": ({}, {}, {"title": "x"}),
    "POST /v1/unsigned/promotions": ({}, {}, {"source": "production", "target": "pilot"}),
    "POST /v1/unsigned/rollbacks": ({}, {}, {"to": 1}),
    "POST /v1/unsigned/returns": ({}, {}, {"channel": "pilot"}),
    "POST /v1/unsigned/releases/{number}/review": (
        {"number": 1},
        {},
        {"role": "$role", "reason": "clear", "manifest": "$manifest-2"},
    ),
    "POST /v1/unsigned/withdrawals": ({}, {}, {"target": "closing", "reason": "it is due"}),
    "POST /v1/unsigned/channels/{name}/withdrawal": ({"name": "production"}, {}, {"reason": "it is due"}),
    "POST /v1/unsigned/channels/{name}/rollout": ({"name": "production"}, {}, {"release": 1, "stage": 2}),
    "POST /v1/unsigned/channels/{name}/halt": ({"name": "production"}, {}, {"release": 1, "reason": "it is due"}),
    "POST /v1/unsigned/grants": (
        {},
        {},
        {"person": "maya", "role": "learning-designer", "days": 7, "reason": "it is due"},
    ),
    "POST /v1/unsigned/grants/{identity}/sign": (
        {"identity": "$grant"},
        {},
        {"digest": "$terms", "reason": "it is due"},
    ),
    "POST /v1/unsigned/delegations": (
        {},
        {},
        {"person": "everything", "role": "$role", "until": "$soon", "reason": "away"},
    ),
    "POST /v1/proposals/{number}/threads": ({}, {}, {"text": "why?"}),
    "POST /v1/proposals/{number}/threads/{thread}/comments": ({}, {}, {"text": "so"}),
    "POST /v1/proposals/{number}/threads/{thread}/reopen": ({"thread": 2}, {}, None),
    "POST /v1/proposals/{number}/objections": (
        {"number": 10},
        {},
        {"role": "$role", "reason": "no", "manifest": "$manifest-10", "lines": LINES},
    ),
    "POST /v1/proposals/{number}/objections/take-back": (
        {"number": 4},
        {},
        {"reason": "resolved", "passphrase": "$secret"},
    ),
    "POST /v1/proposals/{number}/requests": ({}, {}, {"roles": ["compliance"]}),
    "POST /v1/proposals/{number}/requests/end": ({"number": 3}, {}, {"role": "compliance"}),
    "POST /v1/compatibility": ({}, {}, {"files": BYE}),
    "POST /v1/session": ({}, {}, {"login": "$login", "passphrase": "$secret"}),
    "POST /v1/people": (
        {},
        {},
        {"login": "new_one", "name": "N", "roles": ["author"]},
    ),
    "PUT /v1/people/me/address": ({}, {}, {"address": "somebody@example.org"}),
    "POST /v1/tokens": ({}, {}, {"name": "x", "passphrase": "$secret"}),
    "POST /v1/tokens/login": ({}, {}, {"person": "$login", "passphrase": "$secret"}),
    "DELETE /v1/sessions/{identity}": ({"identity": "$session"}, {}, None),
    "DELETE /v1/tokens/{identity}": ({"identity": "$token"}, {}, None),
    "GET /v1/session/oidc/callback": ({}, {"code": "x", "state": "y"}, None),
    "POST /v1/people/{person}/invitations": ({}, {}, {"purpose": "sign-on", "passphrase": "$secret"}),  # for another
    "POST /v1/people/{person}/retired-key": ({"person": "sam"}, {}, SIGNED),
    "POST /v1/people/{person}/retirement": ({"person": "ines"}, {}, SIGNED),
    "POST /v1/keys": ({}, {}, {"code": "guessed", "passphrase": "a new secret"}),
    "POST /v1/keys/own": ({}, {}, {"code": "guessed", "public": "00", "held": "00"}),
    "PUT /v1/people/{person}/address": ({}, {}, {"address": "tom@example.org", "passphrase": "$secret"}),
    "POST /v1/people/me/own-key": ({}, {}, {"public": "00", "held": "00", "passphrase": "$secret"}),
    "POST /v1/grants": ({}, {}, {"person": "maya", "role": "learning-designer", "days": 7, **SIGNED}),
    "POST /v1/grants/{identity}/sign": ({"identity": "$grant"}, {}, {"digest": "$terms", **SIGNED}),
    "POST /v1/grants/{identity}/end": ({"identity": "$ending"}, {}, SIGNED),
    "GET /v1/grants/{identity}/open": ({"identity": "$grant"}, {}, None),
    "POST /v1/grants/{identity}/take-over": (
        {"identity": "$succession"},
        {},
        {"digest": "$list", "passphrase": "$secret"},
    ),
    "POST /v1/delegations": ({}, {}, {"person": "everything", "role": "$role", "until": "$soon", **SIGNED}),
    "GET /v1/audit/as-of": ({}, {"at": "$now"}, None),
    "POST /v1/audit/packs": ({}, {}, {"release": 1}),
    "POST /v1/audit/evidence": ({}, {}, {"kind": "dpia", "document": "text", **SIGNED}),
    "GET /v1/people/{person}/erasure": ({"person": "sam"}, {}, None),
    "POST /v1/people/{person}/erasure": ({"person": "sam"}, {}, SIGNED),
    "POST /v1/holds": ({}, {}, {"person": "ines", **SIGNED}),
    "POST /v1/holds/{identity}/lift": ({"identity": "hold-1"}, {}, SIGNED),
    "PUT /v1/retention/{name}": ({"name": "reading-log"}, {}, {"value": "on", **SIGNED}),
    "POST /v1/webhooks": ({}, {}, {"url": "https://example.org/hook", "events": ["commented"]}),
    "POST /v1/webhooks/deliveries/{identity}/replay": ({"identity": "$delivery"}, {}, None),
    "POST /v1/webhooks/{identity}/rotate": ({"identity": "$hook"}, {}, None),
    "DELETE /v1/webhooks/{identity}": ({"identity": "$old-hook"}, {}, None),
}


def organisation(acts: Acts, clock: Clock) -> None:
    """Enrol somebody for each role and one for all; leave something for everybody to act on."""
    plane, maya = acts.plane, acts.id("maya")
    new = [(NewPerson(login_of(role), role, (role,)), secret_of(role)) for role in ROLES]
    people.enrol_all(plane, [*new, (NewPerson("everything", "All", tuple(ROLES)), secret_of("everything"))])
    admin, author = (people.find_person(plane, login).id for login in ("administrator", "author"))
    for url in ("https://example.org/old", "https://example.org/hook"):
        subscriptions.add(plane, admin, url=url, events=["commented"])
    acts.check(2)
    for text in ("why?", "why not?"):
        threads.comment(plane, maya, 2, text=text)
    threads.resolve(plane, maya, 2, thread=2)
    for number in range(3, 13):
        acts.propose("maya", {CLOSING: script("closing", tier="R1", fill=f"Bye number {number}, {{{{ work }}}}.")})
        acts.check(number)
    for number in (3, 11, 12):
        acts.approve_fully(number)
    scheduling.schedule(plane, acts.id("remy"), 12, at=clock.now + timedelta(days=9))
    requested.request(plane, maya, 3, persons=[], roles=["compliance"])
    for role in APPROVERS:
        who = people.find_person(plane, login_of(role)).id
        batches.open_proposal(plane, who, 8)
        objections.object_to(plane, who, 4, role=role, reason="no", manifest=acts.seen(4))
    for title in ("Mine", "Also mine"):
        drafts.save_draft(plane, author, files=BYE, title=title)
    issued = {who: _token(acts, who, clock) for who in COLUMNS if who != "nobody"}
    (plane.settings.home / LEFT).write_text(json.dumps({"tokens": issued, "there": _there(acts, clock)}))


def _token(acts: Acts, who: str, clock: Clock) -> str:
    person = people.find_person(acts.plane, login_of(who)).id
    if who in ROLES:
        return tokens.issue_token(acts.plane, person)
    scopes = ("propose", "check", "comment") if who == "machine" else ("read",)
    machine, days = "ci" if who == "machine" else "", 1 if who == "expired" else 30
    text = tokens.issue(
        acts.plane, person, name=who, passphrase=secret_of(who), scopes=scopes, days=days, machine=machine
    ).text
    if who == "expired":
        clock.advance(days=1)
    return text


def _there(acts: Acts, clock: Clock) -> dict[str, Any]:
    plane = acts.plane
    admin, secret = people.find_person(plane, "administrator").id, secret_of("administrator")
    grant, ending = (
        grants.propose(plane, admin, Making("everything", role, days=7), reason="due", passphrase=secret)
        for role in ("facilitator", "compliance")
    )
    hook, old = subscriptions.list_webhooks(plane, admin)
    token = next(one for one in tokens.list_tokens(plane) if one.person == acts.id("tom"))
    sessions.start(plane, acts.id("tom"), auth=Auth.PASSPHRASE)
    return {f"$manifest-{number}": acts.seen(number) for number in range(2, 13)} | {
        "$grant": grant.id,
        "$terms": grant.digest,
        "$ending": ending.id,
        "$succession": grant.id,
        "$list": "sha256:" + "0" * 64,
        "$hook": hook.id,
        "$old-hook": old.id,
        "$delivery": subscriptions.deliveries(plane, admin)[0].id,
        "$token": token.id,
        "$session": sessions.list_sessions(plane)[0].id,
        "$now": clock.now.isoformat(),
        "$today": clock.now.date().isoformat(),
        "$soon": (clock.now + timedelta(days=3)).isoformat(),
    }


@pytest.fixture
def world(after: Callable[[Stage], Acts], clock: Clock) -> Iterator[World]:
    """A server over what the stage left, without limits of requests, with an identity provider that does not answer."""
    plane = after(organisation).plane
    secret = plane.settings.home / "secret"
    secret.write_text("a secret of the provider")
    sso = SingleSignOn("http://127.0.0.1:9", "mentorplane", secret)
    free = replace(plane.settings, requests_per_minute_of_address=0, requests_per_minute_of_person=0, sso=sso)
    app = create_app(free, clock=clock)
    left = json.loads((free.home / LEFT).read_bytes())
    client = TestClient(app, raise_server_exceptions=False)
    with start_blocking_portal() as client.portal:  # one event loop for all requests
        yield World(client, plane, clock, left["tokens"], left["there"])
    app.state.plane.close()


SIGNS = {422: "~", 401: "?", 403: "-", 404: ".", 409: "=", 503: "!"}
DONE = "+"


def rows_of(table: str) -> dict[str, str]:
    """Return the signs of each route, in the order of the columns."""
    lines = [line.split() for line in table.splitlines()[1:]]
    return {f"{method} {path}": "".join(signs) for method, path, *signs in lines}


def table_of(rows: dict[str, str]) -> str:
    """Return a table as it is written here."""
    widest = max(len(path) for path in (route.split()[1] for route in rows))
    lines = [
        f"{method:6} {path:{widest}} {'  '.join(signs[: len(COLUMNS)])}{signs[len(COLUMNS) :]}"
        for (method, path), signs in ((route.split(), signs) for route, signs in rows.items())
    ]
    return "\n".join([" " * (widest + 8) + " ".join(COLUMNS_SHORT), *lines])


def tried(world: World, route: str, expected: str) -> str:
    """Return the signs of a route: first of those who may not, which must change nothing, then of those who may."""
    method, path = route.split()
    got, writes = {}, method != "GET"
    before, seq = state_of(world.plane, log=False) if writes else {}, newest(world.plane).seq
    for who, sign in zip(COLUMNS, expected, strict=True):
        if sign != DONE:
            got[who] = world.ask(who, method, path)
    changed = writes and set(expected) != {DONE} and state_of(world.plane, log=False) != before
    changed |= writes and not world.acts_since(seq) <= {"refused"}
    may = [who for who, sign in zip(COLUMNS, expected, strict=True) if sign == DONE]
    done = {who: world.ask(who, method, path) for who in may}
    if any(status < 400 for status in done.values()):  # what one did, another cannot do again
        done = {who: 200 if status in {403, 404, 409} else status for who, status in done.items()}
    said = got | done
    signs = "".join(DONE if said[who] < 400 else SIGNS.get(said[who], f"({said[who]})") for who in COLUMNS)
    return signs + " and changed something" * changed


def test_every_route_has_its_row(world: World) -> None:
    """A route that the document names and the table does not, or the other way round, is found."""
    document = world.client.get("/v1/openapi.json").json()
    routes = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert set(rows_of(TABLE)) == routes


@pytest.mark.no_cover
@pytest.mark.timeout(600)  # some eight hundred questions, one after the other
def test_every_route_answers_each_role_as_the_table_says(world: World) -> None:
    """Real requests of everybody to every route; whoever may not changes nothing."""
    expected, got = rows_of(TABLE), {}
    for route, signs in expected.items():
        world.clock.advance(seconds=25)  # all of it within the hour in which a token notes no further use
        got[route] = tried(world, route, signs)
    other = {route: signs for route, signs in got.items() if signs != expected[route]}
    assert not other, f"got\n{table_of(other)}\nexpected\n{table_of({route: expected[route] for route in other})}"
