"""A language model on this device: what it is told, that its address is on this device, and how it answers."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_runtime
from edge_runtime.core.disclosure import disclose
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.policy import Decision, Route
from edge_runtime.generators.events import pieces_of_events, pieces_of_object
from edge_runtime.generators.local import LocalGenerator, LocalModel
from edge_runtime.generators.protocol import Ask, CallPart, OnDevice, Piece, Wire
from edge_runtime.reply import Usage
from tests.conftest import examples
from tests.faulty_model import DONE, EVENTS, SAID, Faulty
from tests.recording_cloud import Cloud, events

WIRE = Wire(lambda _: ("PERSON",))
TOOL = {"name": "book", "description": "Book a room.", "parameters": {"type": "object"}}


def ask(base_url: str, **said: Any) -> list[Piece]:
    """Return the pieces of an answer."""
    asked = Ask(OnDevice("Summarise: Mara called.", "opener"), max_tokens=9, **said)
    return list(LocalGenerator(LocalModel("small", base_url)).answer(asked, WIRE))


def test_an_answer_comes_in_pieces_and_nothing_counts_as_sent(cloud: Cloud) -> None:
    """The text stays on this device as it is: no scan refuses it, and the way out of the device is not used."""
    pieces = ask(cloud.base_url, tools=(TOOL,))

    assert "".join(piece.text for piece in pieces) == cloud.answers[0]
    assert len(pieces) > 3
    assert json.loads(cloud.requests[0]) == {
        "model": "small",
        "messages": [{"role": "user", "content": "Summarise: Mara called."}],
        "stream": True,
        "max_tokens": 9,
        "tools": [{"type": "function", "function": TOOL}],
    }
    assert (WIRE.requests, WIRE.sent_bytes) == (0, 0)


def test_a_server_that_does_not_stream_is_understood() -> None:
    """One JSON object is an answer too; texts and calls are taken from it."""
    call = {"id": "7", "function": {"name": "book", "arguments": "{}"}}
    message = {"content": "Good.", "tool_calls": [call]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    server = Faulty(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    try:
        assert ask(server.base_url) == [Piece("Good."), Piece(call=CallPart(0, "7", "book", "{}"))]
    finally:
        server.close()


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@pytest.mark.parametrize("usage", [USAGE, {**USAGE, "prompt_tokens": -1}, {"prompt_tokens": True}, [1], None])
def test_a_server_says_how_many_tokens_it_counted(usage: Any) -> None:
    """What is no count is passed over: the answer is as good without."""
    event = f'data: {{"choices": [], "usage": {json.dumps(usage)}}}\n\n'.encode()
    counted = [piece.usage for piece in pieces_of_events([SAID, event, DONE]) if piece.usage]
    assert counted == ([Usage(11, 7)] if usage is USAGE else [])


def test_a_server_is_asked_for_a_count_only_if_it_knows_how(cloud: Cloud) -> None:
    """Others may refuse what they do not know."""
    for tells in (False, True):
        asked = Ask(OnDevice("Summarise.", "opener"), max_tokens=9)
        assert list(LocalGenerator(LocalModel("small", cloud.base_url, tells_usage=tells)).answer(asked, WIRE))
    first, second = map(json.loads, cloud.requests)
    assert ("stream_options" in first, second["stream_options"]) == (False, {"include_usage": True})


@pytest.mark.parametrize("instruction", ["a text", None])
def test_only_a_text_of_this_device_is_asked(cloud: Cloud, instruction: Any) -> None:
    """By type: neither a plain text nor a disclosure, which says that something left."""
    made = instruction or disclose(Decision(Route.CLOUD, (), (), ()), "a text", prompt="opener")
    with pytest.raises(TypeError, match="OnDevice"):
        LocalGenerator(LocalModel("small", cloud.base_url)).answer(Ask(made, max_tokens=9), WIRE)
    assert cloud.requests == []


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let each look-up of a name give the next addresses, and return the list of the names looked up."""
    asked: list[str] = []
    left = list(answers)
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        if host == "127.0.0.1":
            return real(host, port, *rest, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "addresses", [["192.0.2.7"], ["127.0.0.1", "192.0.2.7"], ["0.0.0.0"], ["::ffff:192.0.2.7"], []]
)
def test_a_name_that_is_elsewhere_is_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    """P2: one address that is not a loopback address is one too many; nobody is connected to."""
    resolving(monkeypatch, addresses)
    with pytest.raises(Unavailable, match="on this device, it is elsewhere"):
        ask(cloud.base_url.replace("127.0.0.1", "model.example"))
    assert cloud.requests == []


def test_attack_a_name_that_changes_after_it_was_looked_at(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the connection goes to the address that was checked; the next one is checked again."""
    asked = resolving(monkeypatch, ["127.0.0.1"], ["192.0.2.7"])
    address = cloud.base_url.replace("127.0.0.1", "model.example")

    assert ask(address)
    with pytest.raises(Unavailable, match="elsewhere"):
        ask(address)
    assert (len(cloud.requests), asked) == (1, ["model.example"] * 2)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """P2: a text that stays on this device goes past every proxy."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(cloud.base_url)


@pytest.mark.parametrize("address", ["https://127.0.0.1/v1", "127.0.0.1:8080", "http://user:secret@127.0.0.1/v1"])
def test_a_model_with_a_bad_address_is_refused(address: str) -> None:
    """An address is one of plain HTTP on this device, without a secret in it."""
    with pytest.raises(InvalidDocument):
        LocalModel("small", address)


@pytest.mark.parametrize("at", [1, 3, 50])
def test_events_are_read_wherever_they_are_cut(at: int) -> None:
    """A network cuts where it likes."""
    stream = b"".join(events([("book", '{"room": 1}')])) + b": a comment\n\n"
    whole = list(pieces_of_events([stream]))
    assert list(pieces_of_events([stream[i : i + at] for i in range(0, len(stream), at)])) == whole
    assert "".join(piece.call.arguments for piece in whole if piece.call) == '{"room": 1}'


def test_an_answer_is_whole_only_if_it_says_so() -> None:
    """What ends without a word was cut off."""
    with pytest.raises(Unavailable, match="cut off"):
        list(pieces_of_events([SAID]))
    with pytest.raises(Unavailable, match="cut off"):
        list(pieces_of_object(b'{"choices": [{"message": {"content": "a"}}]}'))
    assert list(pieces_of_events([SAID, DONE.split(b"\n\n")[0], b"\n\n"])) == [Piece("Mara")]


SCALARS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(min_value=-(2**70))
    | st.text(max_size=4)
    | st.sampled_from(["content", "\ud800", "[DONE]", "stop"])
)
MEMBERS = st.sampled_from(
    [
        *("choices", "delta", "message", "content", "tool_calls", "index", "id", "function", "name", "arguments"),
        *("usage", "finish_reason", "prompt_tokens"),
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4), max_leaves=12
)
CALLS = st.lists(st.fixed_dictionaries({}, optional={"index": SCALARS, "id": SCALARS, "function": VALUES}), max_size=2)
DELTAS = st.fixed_dictionaries({}, optional={"content": VALUES, "tool_calls": CALLS | VALUES})
CHOICES = st.fixed_dictionaries(
    {}, optional={"delta": DELTAS | VALUES, "message": DELTAS | VALUES, "finish_reason": VALUES}
)
SAYING = st.fixed_dictionaries({"choices": st.lists(CHOICES, max_size=2)}, optional={"usage": VALUES}) | VALUES
LINES = st.one_of(
    SAYING.map(lambda one: b"data: " + json.dumps(one).encode()),
    st.binary(max_size=20),
    st.sampled_from([b"data: [DONE]", b"data: {", b"data: " + b"[" * 3000, b'data: {"choices": [{"index": 1e999}]}']),
)


@examples(50)
@given(st.lists(LINES, max_size=4).map(b"\n\n".join), st.integers(1, 30))
def test_whatever_a_server_sends_there_are_pieces_or_an_error_of_ours(stream: bytes, size: int) -> None:
    """Fuzz: no bytes make the parsers raise anything else, and what comes can be written down."""
    for pieces in (
        pieces_of_events(stream[at : at + size] for at in range(0, len(stream), size)),
        pieces_of_object(stream),
    ):
        with contextlib.suppress(Unavailable):
            for piece in pieces:
                said = (piece.text, piece.call.name, piece.call.arguments) if piece.call else (piece.text,)
                assert "".join(said).encode() is not None


@pytest.mark.parametrize("index", ["1e999", "-1", "1.5", "true", "null", '"0"', "100000"])
def test_attack_a_call_whose_number_is_none(index: str) -> None:
    """`1e999` is a number in JSON and infinite here: refused as what it is, something else than an answer."""
    call = f'{{"choices": [{{"delta": {{"tool_calls": [{{"index": {index}, "function": {{}}}}]}}}}]}}'
    with pytest.raises(Unavailable, match="texts and calls"):
        list(pieces_of_events([f"data: {call}\n\n".encode()]))


def test_events_after_the_last_are_not_read() -> None:
    """`[DONE]` is the end, whatever else a server says."""
    assert list(pieces_of_events([SAID, b"data: [DONE]\n\n", b"data: garbage\n\n"])) == [Piece("Mara")]
    assert EVENTS.startswith(b"HTTP")


def test_a_text_of_this_device_is_made_where_runs_tell_models_what_to_do() -> None:
    """One module makes such texts: whoever wants to know what a local model is told has one to read."""
    package = Path(edge_runtime.__file__).parent
    made_in = [path for path in package.rglob("*.py") if "OnDevice(" in path.read_text("utf-8")]
    assert [path.relative_to(package).as_posix() for path in made_in] == ["running/rendering.py"]
