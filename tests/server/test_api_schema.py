"""The API against its own document: requests drawn from it, from many people, never meet what it does not say.

Requests come from the schemas of the OpenAPI document, half of them right and half wrong somewhere, and many of their
members are then replaced by what is there: numbers, names, passphrases, digests, roles. `make fuzz` draws many more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from control_plane.accounts import tokens
from control_plane.app import create_app
from tests.conftest import examples
from tests.server.acts import ROLE, Acts
from tests.server.conftest import Clock, Stage, withdrawn
from tests.server.library import CLOSING, OPENER, script

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SAID = "what somebody said of the learner"
"""Stands where people write freely: no problem repeats it."""
LEAKS = (SAID, "Traceback", 'File "', "sqlalchemy", "sqlite3", "control_plane", "pydantic")
FREE = ("title", "reason", "text", "words", "name", "subject", "document", "passphrase", "code", "error", "nonce")
EXAMPLES = 2
SOME_HEADERS = frozenset({"if-match", "if-none-match", "idempotency-key"})
"""Headers that most requests come without: their answer would say nothing of the route."""


@dataclass
class World:
    """A server with its people, and what is there: values by the name of the member or parameter."""

    client: TestClient
    headers: dict[str, dict[str, str]]
    known: dict[str, list[Any]]
    clock: Clock


@pytest.fixture
def world(after: Callable[[Stage], Acts], clock: Clock) -> Iterator[World]:
    """A server with an open proposal, two releases and a withdrawal, without limits of requests."""
    acts = after(withdrawn)
    acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="So long, {{ work }}.")})
    free = replace(acts.plane.settings, requests_per_minute_of_person=0, requests_per_minute_of_address=0)
    app = create_app(free, clock=clock)
    yield World(TestClient(app, raise_server_exceptions=False), people(acts), values(acts), clock)
    app.state.plane.close()


def people(acts: Acts) -> dict[str, dict[str, str]]:
    """Return the header by which each comes: demo people, a machine, nobody."""
    [maya, word] = [acts.id("maya"), acts.passphrase("maya")]
    scopes = ("propose", "check", "comment")
    machine = tokens.issue(acts.plane, maya, name="ci", passphrase=word, scopes=scopes, machine="ci").text
    found = {login: str(acts.people[login]["token"]) for login in (*ROLE, "nora")} | {"machine": machine}
    return {"nobody": {}} | {who: {"Authorization": f"Bearer {token}"} for who, token in found.items()}


def values(acts: Acts) -> dict[str, list[Any]]:
    """Return what is there, and beside it what is not."""
    logins = [*ROLE, acts.id("tom"), "nobody"]
    issued = [token.id for token in tokens.list_tokens(acts.plane)]
    roles = [*ROLE.values(), "author", "auditor", "emperor"]
    known: dict[str, list[Any]] = {name: [SAID] for name in FREE} | {
        "number": [1, 2, 3, 99],
        "thread": [1, 2],
        "revision": [1, 2],
        "index": [0, 5, 10_000],
        "release": [1, 2, 9],
        "name": ["opener", "closing", "stance", "organisation", "nothing"],
        "target": ["opener", "closing", "nothing"],
        "kind": ["prompt", "include", "policy", "approval-rules", "nothing"],
        "channel": ["production", "pilot", "", "nowhere"],
        "manifest": [acts.seen(3), acts.seen(), "sha256:" + "0" * 64],
        "person": logins,
        "login": logins,
        "people": [logins[:2]],
        "role": roles,
        "roles": [roles[:2], ["author"]],
        "rules": ["eu-ai-act", "nothing"],
        "identity": [*issued[:2], "t-nothing"],
        "passphrase": [acts.passphrase(login) for login in ROLE] + [SAID],
        "scopes": [["read", "propose"], ["approve"], ["everything"]],
        "files": [{CLOSING: script("closing", tier="R1", fill="Bye.")}, {OPENER: SAID}, {SAID: SAID}],
        "purpose": ["link", "enrol", "identity", "key"],
        "state": ["open", "released", ""],
        "events": [["*"], ["released"]],
        "url": ["https://example.org/hook"],
    }
    return known


@st.composite
def requests(draw: DrawFn, cases: st.SearchStrategy[Case], world: World) -> tuple[str, Case]:
    """Draw who asks, and for what."""
    case = draw(cases)
    for given_ in (case.path_parameters, case.query, case.body):
        if isinstance(given_, dict):
            for name in sorted(world.known.keys() & given_.keys()):
                if draw(st.integers(0, 3)):
                    given_[name] = draw(st.sampled_from(world.known[name]))
    if draw(st.integers(0, 3)):
        case.headers = {name: one for name, one in (case.headers or {}).items() if name.lower() not in SOME_HEADERS}
    return draw(st.sampled_from(sorted(world.headers))), case


def ask(world: World, who: str, case: Case) -> Any:
    """Return the answer to a request of somebody."""
    given_ = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
    case.headers = given_
    case.cookies = {}
    return case.call(session=world.client, headers=world.headers[who])


@pytest.mark.hypothesis
def test_whatever_is_asked_is_answered_as_documented(world: World) -> None:
    """No 5xx, nothing that the document lacks; in a no, nothing of its cause and nothing that a person wrote."""
    app: Any = world.client.app
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    problems: dict[str, str] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        world.clock.advance(hours=1)  # whoever was locked out is no longer

        @settings(examples(EXAMPLES), phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
        @given(asked=requests(st.one_of(right, wrong), world))
        def holds(asked: tuple[str, Case]) -> None:
            who, case = asked
            answer = ask(world, who, case)
            case.validate_response(answer, checks=CHECKS)
            if answer.status_code >= 400:
                assert not [leak for leak in LEAKS if leak in answer.text], answer.text

        try:
            holds()
        except BaseException as error:  # noqa: BLE001 - every operation is tried, and then all is said
            problems[operation.label] = f"{type(error).__name__}: {error}"[:1500]
    assert not problems, "\n\n".join(f"{label}\n{what}" for label, what in problems.items())
