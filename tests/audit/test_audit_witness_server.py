"""A witness over real HTTP: every status, two histories, races, and slow or greedy clients."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.checkpoint import open_checkpoint, parse_checkpoint
from audit.note import Signer, parse_note, parse_vkey
from audit.witness.decide import MAX_REQUEST_BYTES, PATH, SIZE_TYPE, state_name
from audit.witness.server import MAX_BODY_BYTES, Limits, _Deadline
from audit.witness.store import EVIDENCE
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS
from tests.audit.witnesses import NOW_S, REWRITTEN, Running, call, request, running

VECTOR: dict[str, Any] = json.loads((VECTORS / "mentorplane" / "audit" / "witness.json").read_bytes())
ROOT = Path(__file__).parents[2]
LOG_VKEY = UNSAFE_LOG_SIGNER.verifier.vkey
CHECKPOINT_PATH = f"/{state_name(ORIGIN)}/checkpoint"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    """A witness of the test log."""
    with running(tmp_path / "home") as one:
        yield one


def test_every_published_request_over_http(tmp_path: Path) -> None:
    """200, 400, 403, 404, 409 and 422 come back as published, with the types of the format."""
    seen = set()
    with running(tmp_path, [parse_vkey(VECTOR["log"])]) as witness:
        for step in VECTOR["steps"]:
            witness.clock.now_s = step["time"]
            reply = witness.post(step["request"].encode())
            assert (reply.status, reply.content_type) == (step["status"], step["content_type"]), step["what"]
            if reply.status == 409:
                assert reply.body.decode() == step["body"]
            if reply.status == 200:
                assert reply.body.startswith("— w.example ".encode())
            seen.add(reply.status)
    assert seen == {200, 400, 403, 404, 409, 422}
    assert [line.partition(" ")[0] for line in witness.lines] == [str(step["status"]) for step in VECTOR["steps"]]


def test_latest_checkpoint_is_served_with_its_cosignature(witness: Running) -> None:
    """Before the first cosignature there is none; then it opens under the log's key and the witness's."""
    assert witness.get(CHECKPOINT_PATH).status == 404
    for old, size in ((0, 3), (3, 8)):
        assert witness.post(request(old, size)).status == 200
        reply = witness.get(CHECKPOINT_PATH)
        keys = [UNSAFE_LOG_SIGNER.verifier, witness.store.signer.verifier]
        opened = open_checkpoint(reply.body, keys, ORIGIN)
        assert (reply.status, reply.content_type) == (200, "text/plain; charset=utf-8")
        assert (opened.checkpoint.size, opened.witnesses[0].time_s) == (size, NOW_S)
    for path in (
        "/",
        "/checkpoint",
        CHECKPOINT_PATH.upper(),
        CHECKPOINT_PATH + "/",
        f"/{'0' * 64}/checkpoint",
        "/../witness.key",
        PATH,
    ):
        assert witness.get(path).status == 404, path
    assert witness.get(CHECKPOINT_PATH).body == reply.body


def test_attack_two_forked_logs_are_told_apart(witness: Running, tmp_path: Path) -> None:
    """One of two histories is cosigned, the other refused at the same size and beyond; both notes are kept."""
    assert witness.post(request(0, 8)).status == 200
    before = witness.get(CHECKPOINT_PATH).body
    assert witness.post(request(8, 8, REWRITTEN)).status == 422
    assert witness.post(request(8, 12, REWRITTEN)).status == 422
    assert witness.post(request(0, 12, REWRITTEN)).status == 409
    assert witness.post(request(2, 12, REWRITTEN)).status == 409
    assert witness.get(CHECKPOINT_PATH).body == before
    kept = [path.read_bytes() for path in (tmp_path / "home" / EVIDENCE).iterdir()]
    opened = [open_checkpoint(note, [UNSAFE_LOG_SIGNER.verifier], ORIGIN).checkpoint for note in kept]
    assert len({one.root for one in opened}) == 2
    assert {one.size for one in opened} == {8}
    assert witness.post(request(8, 12)).status == 200


def test_attack_race_of_many_requests_from_one_size(witness: Running) -> None:
    """Whoever comes first is cosigned; every other gets 409 and a size that was cosigned; no size is rolled back."""
    known = 0
    for _ in range(4):
        sizes = range(known + 1, known + 9)
        barrier, replies = threading.Barrier(len(sizes)), {}

        def submit(size: int, barrier: Any = barrier, replies: Any = replies, known: int = known) -> None:
            body = request(known, size)
            barrier.wait()
            replies[size] = witness.post(body)

        threads = [threading.Thread(target=submit, args=(size,)) for size in sizes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (won,) = [size for size, reply in replies.items() if reply.status == 200]
        lost = [reply for size, reply in replies.items() if size != won]
        assert {(reply.status, reply.body, reply.content_type) for reply in lost} == {
            (409, f"{won}\n".encode(), SIZE_TYPE)
        }
        opened = parse_checkpoint(parse_note(witness.get(CHECKPOINT_PATH).body).text)
        assert opened.size == won
        known = won


def raw(witness: Running, *parts: bytes) -> bytes:
    """Send bytes on one connection and return all that comes back until the other side closes it."""
    with socket.create_connection(witness.address) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        try:
            while data := connection.recv(65_536):
                received += data
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", b"411"),
        (b"Content-Length: 5\r\nContent-Length: 5\r\n", b"411"),
        (b"Content-Length: +5\r\n", b"411"),
        (b"Content-Length: -1\r\n", b"411"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"411"),
        (f"Content-Length: {MAX_BODY_BYTES + 1}\r\n".encode(), b"413"),
        (f"Content-Length: {MAX_REQUEST_BYTES}\r\n".encode(), b"413"),
    ],
)
def test_body_without_one_bounded_length_is_not_read(witness: Running, head: bytes, status: bytes) -> None:
    """It is refused before a byte of it is read, and the connection ends: nothing smuggled in it is served."""
    smuggled = b"GET / HTTP/1.1\r\n\r\n"
    received = raw(witness, b"POST /add-checkpoint HTTP/1.1\r\n" + head + b"\r\n" + smuggled)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert received.count(b"HTTP/1.1 ") == 1
    assert witness.get(CHECKPOINT_PATH).status == 404


def test_other_methods_and_paths_are_refused(witness: Running) -> None:
    """Only the two requests of the format exist, and refusals are plain text."""
    assert call(witness.address, "POST", "/other", request(0, 3)).status == 404
    assert call(witness.address, "PUT", PATH, request(0, 3)).status == 501
    reply = call(witness.address, "DELETE", CHECKPOINT_PATH)
    assert (reply.status, reply.content_type) == (501, "text/plain; charset=utf-8")


def test_one_connection_serves_several_requests(witness: Running) -> None:
    """Connections are kept alive, as the format asks."""
    connection = http.client.HTTPConnection(*witness.address)
    connection.connect()
    used = connection.sock
    for old, size in ((0, 3), (3, 5), (3, 6), (5, 8)):
        connection.request("POST", PATH, request(old, size))
        response = connection.getresponse()
        response.read()
        assert response.status == (409 if (old, size) == (3, 6) else 200)
        assert connection.sock is used
    connection.close()


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"POST /add-check",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Le",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99\r\n\r\nold 0\n",
    ],
)
def test_attack_slow_client_is_cut_off(tmp_path: Path, part: bytes) -> None:
    """Who stops in the middle of a request, anywhere, is cut off without an answer; others are served meanwhile."""
    with running(tmp_path, limits=Limits(request_s=0.1)) as witness:
        assert raw(witness, part) == b""
        assert witness.post(request(0, 3)).status == 200


def test_attack_dripping_client_is_cut_off() -> None:
    """The deadline is one for the whole request: each byte that arrives in time does not move it."""
    ticks = iter(range(1000))
    one, other = socket.socketpair()
    with one, other:
        deadline = _Deadline(one, lambda: float(next(ticks)))
        deadline.allow(10.5)
        for _ in range(10):
            other.sendall(b"x")
            assert deadline.readinto(bytearray(1)) == 1
        other.sendall(b"x")
        with pytest.raises(TimeoutError):
            deadline.readinto(bytearray(1))


def test_attack_more_connections_than_places(tmp_path: Path) -> None:
    """A connection beyond the bound is closed at once; a place that is given back is used again."""
    with running(tmp_path, limits=Limits(connections=1)) as witness:
        holder = http.client.HTTPConnection(*witness.address)
        holder.request("GET", "/")
        holder.getresponse().read()
        assert raw(witness, b"GET / HTTP/1.1\r\n\r\n") == b""
        holder.close()
        while not raw(witness, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 404"):
            continue


def test_what_is_printed_is_nothing_a_stranger_chose(witness: Running) -> None:
    """An unknown origin, a path and a header do not reach the log."""
    log = Signer("stranger.example", b"\x05" * 32)
    for origin in ("stranger\u001b[31m.example", log.name):
        text = f"{origin}\n1\n{'A' * 43}=\n"
        witness.post(b"old 0\n\n" + text.encode() + b"\n" + log.sign(text).encode())
    witness.get("/stranger")
    assert [line.split(":")[0] for line in witness.lines] == ["400 -", "404 -"]
    assert "stranger" not in "".join(witness.lines)
