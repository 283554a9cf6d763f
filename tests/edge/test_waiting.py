"""What may hang is waited for no longer than it may take: a reader, a name, a server that takes nothing, encryption."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from edge_runtime import EdgeRuntime, Unavailable
from edge_runtime.bounded import Lane
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.reader import SentenceFindings
from edge_runtime.generators.deadlines import LOOK_UPS, Deadline
from edge_runtime.generators.local import LocalGenerator, LocalModel
from edge_runtime.generators.protocol import Ask, OnDevice, Wire
from edge_runtime.generators.transport import _Backend, _Stream, tls
from tests.recording_cloud import Cloud

NOTES = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday. The talk was good."
SHORT_S = 0.02


class Stopping(Wire):
    """A wire that is stopped once somebody who waits has looked so often."""

    def __init__(self, looks: int = 2) -> None:
        super().__init__(lambda _: ())
        self._looks = looks

    def __getattribute__(self, name: str) -> Any:
        """Count the looks."""
        if name == "stopped":
            self._looks -= 1
            return self._looks < 0
        return super().__getattribute__(name)


class Hanging:
    """A model that does not answer until it is let go."""

    entity_types: frozenset[str] = frozenset({"PERSON"})
    locales: frozenset[str] = frozenset({"en"})
    thresholds_bp: Mapping[str, int] = {"crisis": 1}

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Hang."""
        self.asked += 1
        self.go.wait(60)
        return [SentenceFindings((), {}) for _ in sentences]


@pytest.fixture
def hanging(edge: EdgeRuntime) -> Iterator[Hanging]:
    """A device whose reader hangs."""
    model = Hanging()
    edge.encoder = model
    edge._reader.within_s = SHORT_S
    yield model
    model.go.set()


def test_a_reader_that_hangs_keeps_the_text_on_the_device(edge: EdgeRuntime, cloud: Cloud, hanging: Hanging) -> None:
    """P5: the reply comes, from this device, after one wait for all texts; what is found by form is told."""
    session = edge.session(learner="u1", consents={"cloud"})
    reply = session.run("opener", {"notes": NOTES})

    assert (reply.route, reply.outcome, reply.sent_bytes, cloud.requests) == ("device", "filled", 0, [])
    assert "unread-stays" in {reason.rule for reason in reply.reasons}
    assert "EMAIL" in {finding.type for finding in reply.findings}
    assert hanging.asked == 1
    with pytest.raises(Unavailable, match="a reading within"):
        session.read(NOTES)
    assert session.run("opener", {"notes": "They want to kill themselves."}).text == handoff_text("en", "other").text


def test_what_hangs_is_left_behind_and_bounded(edge: EdgeRuntime, hanging: Hanging) -> None:
    """However often it is asked, so many threads wait and no more; once the model is back it is read with again."""
    session = edge.session(learner="u1")
    for _ in range(9):
        with pytest.raises(Unavailable):
            edge.read(NOTES)
    assert (hanging.asked, edge._reader.lane.left_behind) == (4, 4)
    assert session.run("private", {"notes": NOTES}).outcome == "filled"
    hanging.go.set()
    for thread in threading.enumerate():
        if thread.name == "mentorplane-bounded":
            thread.join()
    edge._reader.within_s = 60
    assert session.read(NOTES).text_length == len(NOTES)


def test_work_that_ends_gives_what_it_gives() -> None:
    """Results and errors come through as they are, and nothing is left behind."""
    lane = Lane(1)
    assert lane.call(lambda: 7, 60) == 7
    with pytest.raises(KeyError):
        lane.call(lambda: {}["x"], 60)  # type: ignore[misc]
    assert lane.left_behind == 0


@pytest.mark.parametrize("stops", [True, False], ids=["stopped", "too long"])
def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch, *, stops: bool) -> None:
    """A resolver that hangs ends with the time of the answer, or when nobody wants it any more; one thread waits."""
    go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: go.wait(60))
    before = LOOK_UPS.left_behind
    limits = {} if stops else {"timeout_s": SHORT_S, "within_s": SHORT_S}
    local = LocalGenerator(LocalModel("m", "http://model.example/v1", **limits))
    wire = Stopping() if stops else Wire(lambda _: ())
    with pytest.raises(Unavailable, match="TimeoutError"):
        list(local.answer(Ask(OnDevice("text", "opener"), max_tokens=9), wire))
    deadline = Deadline(60, 60, Stopping()) if stops else Deadline(SHORT_S, SHORT_S, wire)
    with pytest.raises(TimeoutError):
        _Backend(deadline).connect_tcp("model.example", 443)
    assert LOOK_UPS.left_behind == before + 2
    go.set()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection of which the second takes and says nothing."""
    first, second = socket.socketpair()
    with first, second:
        yield first, second


def test_a_server_that_takes_nothing_is_hung_up_on_when_the_run_is_stopped(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A long text to somebody who does not read it: whoever wants no more waits a moment, not the whole silence."""
    with pytest.raises(TimeoutError):
        Deadline(60, 60, Stopping(6)).send(pair[0], b"x" * 20_000_000)


def test_all_of_a_long_text_is_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    """The counterpart: in as many pieces as it takes."""
    came: list[bytes] = []
    data = bytes(range(256)) * 8_000

    def take() -> None:
        while sum(map(len, came)) < len(data):
            came.append(pair[1].recv(65_536))

    taking = threading.Thread(target=take)
    taking.start()
    Deadline(60, 60, Wire(lambda _: ())).send(pair[0], data)
    taking.join()
    assert b"".join(came) == data


def test_encryption_that_is_never_agreed_on_ends_when_the_run_is_stopped(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A server that takes the connection and keeps silent while keys are to be agreed on."""
    stream = _Stream(pair[0], Deadline(60, 60, Stopping()))
    with pytest.raises(TimeoutError):
        stream.start_tls(tls(), "model.example")
    stream.close()
