"""Language models that fail in every way there is: always `Unavailable` in time, and never a text in what is told."""

from __future__ import annotations

import contextlib
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge_runtime import CloudModel
from edge_runtime.core.disclosure import disclose
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Decision, Route
from edge_runtime.generators.cloud import CloudGenerator
from edge_runtime.generators.local import LocalGenerator, LocalModel
from edge_runtime.generators.protocol import Ask, Generator, OnDevice, Wire
from tests import faulty_model
from tests.faulty_model import FAULTS, Faulty
from tests.recording_cloud import Cloud

TEXT = "Summarise what Mara said."
LIMITS = {"timeout_s": 0.3, "within_s": 0.5}
KINDS = ("cloud", "local")


def generator(kind: str, base_url: str, **limits: Any) -> tuple[Generator, Ask]:
    """Return a model of a kind, and what it is asked."""
    if kind == "local":
        return LocalGenerator(LocalModel("m", base_url, **limits)), Ask(OnDevice(TEXT, "opener"), max_tokens=9)
    disclosure = disclose(Decision(Route.CLOUD, (), (), ()), TEXT, prompt="opener")
    return CloudGenerator(CloudModel("m", base_url, **limits)), Ask(disclosure, max_tokens=9)


def fail(kind: str, base_url: str, wire: Wire, **limits: Any) -> Unavailable:
    """Ask a model that fails, and return how it told so."""
    model, asked = generator(kind, base_url, **limits)
    with pytest.raises(Unavailable) as caught:
        for _ in model.answer(asked, wire):
            pass
    return caught.value


def assert_told_without_a_text(error: BaseException, logged: str) -> None:
    """P2: neither the error, nor what came before it, nor the log quotes a text or an answer."""
    told = "".join(traceback.format_exception(error))
    shown = [line for line in told.splitlines() if "Mara" in line and not line.lstrip().startswith(("TEXT", "~", "^"))]
    assert (shown, error.__context__, error.__cause__, "Mara" in logged) == ([], None, None, False)


@pytest.fixture
def serve() -> Iterator[Callable[..., Faulty]]:
    """Start faulty servers; they end with the test."""
    started: list[Faulty] = []

    def start(*args: Any) -> Faulty:
        started.append(Faulty(*args))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_without_a_text(
    serve: Callable[..., Faulty],
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
    kind: str,
    fault: str,
) -> None:
    """Whatever a server sends, what comes of it is an error of ours; it was asked once, and what left is counted."""
    server, wire = serve(FAULTS[fault]), Wire(lambda _: ())
    with caplog.at_level(logging.DEBUG):
        error = fail(kind, server.base_url, wire)

    assert_told_without_a_text(error, caplog.text + "".join(str(warning.message) for warning in recwarn))
    assert len(server.requests) == 1
    assert wire.sent_bytes == (len(server.requests[0]) if kind == "cloud" else 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behave", faulty_model.SLOW)
def test_a_server_that_never_ends_is_given_up(serve: Callable[..., Faulty], kind: str, behave: Any) -> None:
    """Silence, a trickle and a flood end within the limits of the model."""
    server = serve(b"", behave)
    assert_told_without_a_text(fail(kind, server.base_url, Wire(lambda _: ()), **LIMITS), "")
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_leads_nowhere(serve: Callable[..., Faulty], kind: str) -> None:
    """P2: a server cannot send a text on to another."""
    other = serve()
    answer = f"HTTP/1.1 307 Mara\r\nLocation: {other.base_url}/chat/completions\r\nContent-Length: 0\r\n\r\n"
    server = serve(answer.encode())
    assert "status 307" in str(fail(kind, server.base_url, Wire(lambda _: ())))
    assert other.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_ends_when_the_run_is_stopped(serve: Callable[..., Faulty], kind: str) -> None:
    """Whoever wants no more need not wait for a server: the connection is closed."""
    wire = Wire(lambda _: ())

    def stop(_send: object, over: Any) -> None:
        wire.stop()
        over.wait(20)

    error = fail(kind, serve(b"", stop).base_url, wire)
    assert isinstance(error, Unavailable)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_takes_a_connection(kind: str) -> None:
    """A machine that lets whoever calls wait at the door is given up as one that says nothing; nothing was sent."""
    wire = Wire(lambda _: ())
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as waiting:
        for _ in range(8):  # until there is no place left
            sock = waiting.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        error = fail(kind, f"http://127.0.0.1:{server.getsockname()[1]}/v1", wire, **LIMITS)
    assert_told_without_a_text(error, "")
    assert wire.sent_bytes == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_address_is_tried(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """`localhost` is often two addresses, and a server listens at one of them."""
    port = int(cloud.base_url.split(":")[2].split("/")[0])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    model, asked = generator(kind, cloud.base_url.replace("127.0.0.1", "localhost"))
    assert list(model.answer(asked, Wire(lambda _: ())))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_listens(kind: str) -> None:
    """A refused connection counts as nothing sent."""
    wire = Wire(lambda _: ())
    fail(kind, "http://127.0.0.1:9/v1", wire)
    assert wire.sent_bytes == 0
