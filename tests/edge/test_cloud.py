"""The way to a cloud model on its own: what a request holds, what it may not hold, and which way it takes."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from edge_runtime import CloudModel
from edge_runtime.core.disclosure import Disclosure, disclose
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable
from edge_runtime.core.policy import Decision, Route
from edge_runtime.generators.cloud import CloudGenerator
from edge_runtime.generators.protocol import Ask, CallPart, NotAsked, OnDevice, Piece, Wire
from edge_runtime.generators.transport import tls
from edge_runtime.reply import Usage
from tests.recording_cloud import Cloud

ALLOWED = {"accept", "accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"}
DEAD = "http://127.0.0.1:9"
TOOL = {"name": "book", "description": "Book a room.", "parameters": {"type": "object", "properties": {}}}


def find_mara(outgoing: bytes) -> tuple[str, ...]:
    """Find one raw value."""
    return ("PERSON",) if b"mara" in outgoing.lower() else ()


def disclosed(text: str = "Summarise: a good talk.", route: Route = Route.REDACTED) -> Disclosure:
    """A text that a policy lets out."""
    return disclose(Decision(route, (), (), ()), text, prompt="opener")


def ask(model: CloudModel, wire: Wire, instruction: Any = None, **said: Any) -> list[Piece]:
    """Return the pieces of an answer."""
    asked = Ask(instruction or disclosed(), max_tokens=9, **said)
    return list(CloudGenerator(model).answer(asked, wire))


@pytest.fixture
def wire() -> Wire:
    """What counts and scans in one run."""
    return Wire(find_mara)


def test_an_answer_comes_in_pieces(cloud: Cloud, wire: Wire) -> None:
    """The text comes as the server sends it, and together it is the answer."""
    pieces = ask(cloud.model, wire)

    assert "".join(piece.text for piece in pieces) == cloud.answers[0]
    assert len(pieces) > 3
    assert wire.sent_bytes == sum(map(len, cloud.requests)) > 0


def test_calls_of_tools_come_in_parts(cloud: Cloud, wire: Wire) -> None:
    """Each call has its number, its name with the first part, and arguments that together are what was sent."""
    cloud.answers = [[("book", '{"room": "[PERSON_1]"}'), ("book", "{}")]]

    calls = [piece.call for piece in ask(cloud.model, wire, tools=(TOOL,)) if piece.call]

    assert json.loads(cloud.requests[0])["tools"] == [{"type": "function", "function": TOOL}]
    assert [(call.index, call.id, call.name) for call in calls if call.name] == [
        (0, "call-0", "book"),
        (1, "call-1", "book"),
    ]
    assert "".join(call.arguments for call in calls if call.index == 0) == '{"room": "[PERSON_1]"}'
    assert "room" not in repr(CallPart(0, arguments="room"))


def test_a_request_says_what_was_disclosed_and_nothing_about_the_device(cloud: Cloud, wire: Wire) -> None:
    """P2: one message, letter by letter; system, versions and language of the device are in no header."""
    ask(cloud.model, wire)

    [headers], [body] = cloud.headers, [json.loads(request) for request in cloud.requests]
    assert headers["user-agent"] == "mentorplane"
    assert set(headers) <= ALLOWED
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Summarise: a good talk."}],
        "stream": True,
        "max_tokens": 9,
    }


def test_a_schema_is_told_to_a_server_that_keeps_one(cloud: Cloud, wire: Wire) -> None:
    """Others may not know the member, so they are not sent it."""
    schema = {"type": "object"}
    ask(cloud.model, wire, schema=schema)
    ask(CloudModel("m", cloud.base_url, keeps_schema=True), wire, schema=schema)

    first, second = map(json.loads, cloud.requests)
    assert "response_format" not in first
    assert second["response_format"]["json_schema"]["schema"] == schema


@pytest.mark.parametrize("tells", [True, False])
def test_a_server_says_how_many_tokens_it_counted(cloud: Cloud, wire: Wire, *, tells: bool) -> None:
    """It is asked only if it knows how, and what it says comes at the end; a text that says so counts nothing."""
    cloud.usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18} if tells else None
    cloud.answers = ['"usage": {"prompt_tokens": 999, "completion_tokens": 999}']
    pieces = ask(CloudModel("m", cloud.base_url, tells_usage=tells), wire)
    assert [piece.usage for piece in pieces if piece.usage] == ([Usage(11, 7)] if tells else [])
    assert json.loads(cloud.requests[0]).get("stream_options") == ({"include_usage": True} if tells else None)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(
    cloud: Cloud, wire: Wire, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """P2: what leaves goes to the configured server only, whatever the environment says."""
    monkeypatch.setenv(name, DEAD)
    for exempt in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(exempt, raising=False)

    assert ask(cloud.model, wire)
    assert wire.sent_bytes == sum(map(len, cloud.requests)) > 0


@pytest.mark.parametrize("where", ["/mara/v1", "/v1"])
def test_a_refused_request_is_not_sent(cloud: Cloud, wire: Wire, where: str) -> None:
    """P2: a raw value in the address or in the text stops the request before the socket."""
    model = CloudModel("m", cloud.base_url.replace("/v1", where))
    with pytest.raises(NotAsked, match="refused to send: PERSON"):
        ask(model, wire, disclosed("Summarise: Mara." if where == "/v1" else "Summarise."))
    assert (cloud.requests, wire.sent_bytes, wire.refused) == ([], 0, ("PERSON",))


def test_a_scan_that_fails_refuses_the_request(cloud: Cloud) -> None:
    """P2: nothing leaves that was not scanned to the end."""

    def fail(outgoing: bytes) -> tuple[str, ...]:
        raise RecursionError

    wire = Wire(fail)
    with pytest.raises(Unavailable):
        ask(cloud.model, wire)
    assert (cloud.requests, wire.sent_bytes) == ([], 0)


@pytest.mark.parametrize("instruction", ["a text", OnDevice("a text", "opener"), disclosed(route=Route.CLOUD)])
def test_only_a_disclosure_that_fits_the_place_is_sent(cloud: Cloud, wire: Wire, instruction: Any) -> None:
    """P2: no plain text, no text of the device, and where a server gets redacted text only, no other disclosure."""
    with pytest.raises(TypeError, match="Disclosure"):
        ask(CloudModel("m", cloud.base_url, at_most="redacted"), wire, instruction)
    assert (cloud.requests, wire.requests) == ([], 0)


def test_two_requests_leave_in_one_run_and_no_third(cloud: Cloud, wire: Wire) -> None:
    """The one retry is one for the whole run, whatever it was for."""
    ask(cloud.model, wire)
    ask(cloud.model, wire)
    with pytest.raises(NotAsked, match="at most 2 requests"):
        ask(cloud.model, wire)
    assert len(cloud.requests) == 2


def test_a_stopped_run_sends_nothing_more(cloud: Cloud, wire: Wire) -> None:
    """Whoever wants no more is believed."""
    wire.stop()
    with pytest.raises(NotAsked):
        ask(cloud.model, wire)
    assert cloud.requests == []


def test_whoever_stops_listening_hangs_up(cloud: Cloud, wire: Wire) -> None:
    """What was sent stays counted when an answer is not read to its end."""
    pieces = CloudGenerator(cloud.model).answer(Ask(disclosed(), max_tokens=9), wire)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert wire.sent_bytes == len(cloud.requests[0])


@pytest.mark.parametrize(
    ("address", "changes", "error"),
    [
        ("ftp://models.example/v1", {}, InvalidDocument),
        ("https://user:secret@models.example/v1", {}, InvalidDocument),
        ("https://models.example/v1?key=secret", {}, InvalidDocument),
        ("https://models.example/v1", {"at_most": "device"}, InvalidDocument),
        ("http://models.example/v1", {}, Unavailable),
    ],
)
def test_a_model_with_a_bad_address_is_refused(
    address: str, changes: dict[str, Any], error: type[MentorplaneError]
) -> None:
    """P2: nothing is sent in the clear, and no secret stands in an address that is logged along the way."""
    with pytest.raises(error) as caught:
        CloudModel("m", address, **changes)
    assert "secret" not in str(caught.value)


def test_tls_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """P2: a file for session keys, or other authorities, named by the environment, change nothing."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    context = tls.__wrapped__()
    assert (context.keylog_filename, context.verify_mode, context.check_hostname) == (None, ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] > 50
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_in_no_representation() -> None:
    """A stray log line of a model shows no key."""
    assert "secret" not in repr(CloudModel("m", "https://models.example/v1", api_key="secret"))
