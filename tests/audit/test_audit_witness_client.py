"""Asking witnesses: what comes back is believed only if the right key made it; the rest costs nobody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import open_checkpoint
from audit.note import Algorithm, Signer, parse_note, parse_signatures
from audit.policy import evaluate, parse_policy
from audit.tiles import Read
from audit.witness.client import Cosigned, Witness, cosigned, witnesses_of
from audit.witness.decide import SIZE_TYPE
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, publish, reader
from tests.audit.tls import behind_tls, length_of, write_certificate
from tests.audit.witnesses import NOW_S, Running, running

LOG_VKEY = UNSAFE_LOG_SIGNER.verifier.vkey


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    """A witness of the test log."""
    with running(tmp_path / "home") as one:
        yield one


@contextmanager
def fake_witness(handle: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """Run a peer that does what it likes with each request, and return its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < length_of(data):
                    data += connection.recv(65_536)
                try:
                    handle(connection, data.partition(b"\r\n\r\n")[2])
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answering(status: str, body: bytes, kind: str = "text/plain") -> Callable[[socket.socket, bytes], None]:
    """Return a peer that always answers this."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection, _: connection.sendall(head + body)


def files_of(size: int, entry: bytes = b"") -> tuple[bytes, Read]:
    """Return checkpoint and tiles of the log whose leaves are HONEST, or of one with another entry at index 2."""
    entries = [entry if entry and index == 2 else b"%d" % index for index in range(size)]
    files = publish(entries)
    return files["checkpoint"], reader(files)


def as_witness(one: Running, name: str = "w") -> Witness:
    """Return what a client knows of a running witness."""
    return Witness(name, one.store.signer.verifier, one.url)


OTHER = Signer("other.example", b"\x32" * 32, Algorithm.COSIGNATURE)


def ask_fake(handle: Callable[[socket.socket, bytes], None], *, timeout_s: float = 30.0) -> Cosigned:
    """Have a checkpoint cosigned by a peer under the key of OTHER."""
    data, read = files_of(3)
    with fake_witness(handle) as url:
        result = cosigned(data, read, [Witness("fake", OTHER.verifier, url)], timeout_s=timeout_s)
    assert (result.note, result.cosignatures) == (data, ())
    return result


def test_client_follows_a_growing_log(witness: Running) -> None:
    """From nothing, from the size told in a 409, and from the size of the last result; the policy accepts each note."""
    policy = parse_policy(
        f"log {LOG_VKEY}\nwitness w {witness.store.signer.verifier.vkey} {witness.url}/\nquorum w\n".encode()
    )
    sizes: dict[str, int] = {}
    for size in (1, 2, 7, 300, 300):
        for known in ({}, sizes):
            data, read = files_of(size)
            result = cosigned(data, read, witnesses_of(policy), timeout_s=30, sizes=known)
            assert result.failures == ()
            assert evaluate(policy, result.note).witnessed
            assert result.sizes == {"w": size}
            sizes = dict(result.sizes)
    assert not evaluate(policy, data).ok


def test_client_replaces_an_older_cosignature(witness: Running) -> None:
    """A checkpoint that is cosigned again carries one line of each witness, the newest."""
    data, read = files_of(3)
    first = cosigned(data, read, [as_witness(witness)], timeout_s=30)
    witness.clock.now_s += 5
    second = cosigned(first.note, read, [as_witness(witness)], timeout_s=30)
    assert second.cosignatures[0].time_s == NOW_S + 5
    assert len(parse_note(second.note).signatures) == 2
    keys = [UNSAFE_LOG_SIGNER.verifier, witness.store.signer.verifier]
    assert open_checkpoint(second.note, keys, ORIGIN).witnesses == second.cosignatures


def test_client_reports_a_rewritten_and_a_shrunken_log(witness: Running) -> None:
    """A witness that saw another history, or a larger one, is a refusal that says so; nothing is added."""
    data, read = files_of(8)
    assert cosigned(data, read, [as_witness(witness)], timeout_s=30).failures == ()
    for size, entry, says in ((8, b"x", "does not extend"), (12, b"x", "does not extend"), (5, b"", "8 entries, more")):
        other, tiles = files_of(size, entry)
        result = cosigned(other, tiles, [as_witness(witness)], timeout_s=30)
        assert (result.note, result.cosignatures) == (other, ())
        (failure,) = result.failures
        assert failure.refused
        assert says in failure.because
        assert result.sizes == {"w": 8}


def test_client_asks_several_witnesses_and_keeps_what_it_gets(witness: Running, tmp_path: Path) -> None:
    """A witness that is down, one that lies and one that hangs cost their own cosignatures only."""
    data, read = files_of(5)
    closed = socket.create_server(("127.0.0.1", 0))
    nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    release = threading.Event()
    with (
        running(tmp_path / "second") as second,
        fake_witness(answering("200 OK", b"no line\n")) as lying,
        fake_witness(lambda *_: release.wait(60) and None) as hanging,  # type: ignore[func-returns-value]
    ):
        witnesses = [
            as_witness(witness, "first"),
            Witness("down", OTHER.verifier, nobody),
            Witness("lying", OTHER.verifier, lying),
            Witness("hanging", OTHER.verifier, hanging),
            Witness("second", second.store.signer.verifier, second.url),
        ]
        result = cosigned(data, read, witnesses, timeout_s=2)
        release.set()
    assert {failure.name: failure.refused for failure in result.failures} == {
        "down": False,
        "lying": False,
        "hanging": False,
    }
    assert [one.key_id for one in result.cosignatures] == [witness.store.signer.verifier.key_id] * 2
    assert "deadline" in next(one.because for one in result.failures if one.name == "hanging")


def test_client_waits_for_no_more_than_enough(witness: Running) -> None:
    """Once those that cosigned are a quorum, the rest is broken off: one that hangs does not hold up an act."""
    data, read = files_of(5)
    ended = threading.Event()

    def hang(connection: socket.socket, _: bytes) -> None:
        try:
            connection.recv(1)
        finally:
            ended.set()

    with fake_witness(hang) as url:
        policy = parse_policy(
            f"log {LOG_VKEY}\nwitness slow {OTHER.verifier.vkey} {url}\n"
            f"witness w {witness.store.signer.verifier.vkey} {witness.url}\ngroup g any slow w\nquorum g\n".encode()
        )
        result = cosigned(data, read, witnesses_of(policy), timeout_s=100, enough=policy.is_met_by)
        assert ended.wait(60)
    assert evaluate(policy, result.note).names == ("w",)
    assert [failure.name for failure in result.failures] == ["slow"]


def lines_of(signer: Signer, size: int = 3) -> bytes:
    """Return a signer's cosignature over the log's checkpoint of this size."""
    return signer.sign(parse_note(files_of(size)[0]).text, time_s=1).encode()


IMPOSTOR = Signer(OTHER.name, b"\x33" * 32, Algorithm.COSIGNATURE)
FORGED = replace(parse_signatures(lines_of(IMPOSTOR))[0], key_id=OTHER.verifier.key_id).encode()


@pytest.mark.parametrize(
    "handle",
    [
        answering("200 OK", b""),
        answering("200 OK", b"\xff\xfe"),
        answering("200 OK", lines_of(IMPOSTOR)),
        answering("200 OK", FORGED),
        answering("200 OK", lines_of(OTHER, 4)),
        answering("200 OK", lines_of(OTHER) + b"and more\n"),
        answering("200 OK", b"\n\n" + lines_of(OTHER)),
        answering("200 OK", lines_of(OTHER) * 1000),
        answering("201 Created", lines_of(OTHER)),
        answering("302 Found\r\nLocation: http://127.0.0.1:9/", lines_of(OTHER)),
        answering("307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/", b""),
        answering("409 Conflict", b"2\n"),
        answering("409 Conflict", b"2\n", SIZE_TYPE),
        answering("409 Conflict", b"03\n", SIZE_TYPE),
        answering("409 Conflict", b"-1\n", SIZE_TYPE),
        answering("409 Conflict", b"9223372036854775808\n", SIZE_TYPE),
        answering("409 Conflict", b"4\n", SIZE_TYPE),
        answering("409 Conflict", b"", SIZE_TYPE),
        answering("409 Conflict", b"\xff\n", SIZE_TYPE),
        answering("500 Oops", b""),
        lambda connection, _: None,
        lambda connection, _: connection.sendall(b"\0" * 100),
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nx"),
    ],
)
def test_attack_hostile_witness_adds_nothing(handle: Callable[[socket.socket, bytes], None]) -> None:
    """Whatever comes back, only the line of the right key over this checkpoint is ever added."""
    (failure,) = ask_fake(handle).failures
    assert failure.name == "fake"


def test_a_conflict_without_the_type_of_a_size_is_a_refusal() -> None:
    """Older witnesses answer 409 to another root at the same size: that is no size to try again with."""
    (failure,) = ask_fake(answering("409 Conflict", b"2\n")).failures
    assert (failure.refused, failure.because) == (True, "it refused with status 409")


def test_attack_endless_witness_is_broken_off() -> None:
    """A peer that never stops sending is cut off at a bound, or at the deadline."""

    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    assert "at most" in ask_fake(endless).failures[0].because


def test_attack_dripping_witness_is_broken_off_at_the_deadline() -> None:
    """A peer that keeps a connection just alive loses it when the time for all is over."""
    ended = threading.Event()

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
        connection.settimeout(0.02)
        while True:
            try:
                assert connection.recv(1) == b""  # the client broke it off
                break
            except TimeoutError:
                connection.sendall(b"x")
            except ConnectionResetError:
                break
        ended.set()

    assert "deadline" in ask_fake(drip, timeout_s=0.3).failures[0].because
    assert ended.wait(60)


def test_only_own_lines_are_taken_from_a_longer_answer() -> None:
    """Lines of unknown keys beside the right one are ignored, as the format asks."""
    data, read = files_of(3)
    body = lines_of(IMPOSTOR) + lines_of(OTHER) + lines_of(Signer("x", b"\x34" * 32, Algorithm.COSIGNATURE))
    with fake_witness(answering("200 OK", body)) as url:
        result = cosigned(data, read, [Witness("w", OTHER.verifier, url)], timeout_s=30)
    assert result.note == data + lines_of(OTHER)


def test_tiles_that_do_not_lead_to_the_root_are_never_sent(witness: Running) -> None:
    """A proof from damaged tiles fails here, as this log's own fault, before anybody is asked to believe it."""
    data, read = files_of(3)
    assert cosigned(data, read, [as_witness(witness)], timeout_s=30).failures == ()
    data, _ = files_of(8)
    for tiles in (reader({}), files_of(8, b"x")[1]):
        (failure,) = cosigned(data, tiles, [as_witness(witness)], timeout_s=30).failures
        assert not failure.refused
        assert "expected" in failure.because


@pytest.mark.parametrize(
    "witnesses",
    [
        [Witness("a", OTHER.verifier, "file:///etc/hostname")],
        [Witness("a", OTHER.verifier, "http://two words/")],
        [Witness("a", UNSAFE_LOG_SIGNER.verifier, "http://w.example/")],
        [Witness("a", OTHER.verifier, "http://w.example/")] * 2,
    ],
)
def test_misuse_of_the_client_is_refused(witnesses: list[Witness]) -> None:
    """Other schemes, keys that are no cosigner's and a name twice are the caller's mistakes."""
    with pytest.raises(ValueError, match="expected"):
        cosigned(*files_of(3), witnesses)


def test_two_clients_that_race_end_with_a_cosignature_each(witness: Running) -> None:
    """Two submitters of a growing log at once: each retries with the size it is told, or learns that it is behind."""
    barrier, results = threading.Barrier(2), {}

    def submit(size: int) -> None:
        data, read = files_of(size)
        barrier.wait()
        results[size] = cosigned(data, read, [as_witness(witness)], timeout_s=30)

    for base in range(1, 20, 4):
        threads = [threading.Thread(target=submit, args=(size,)) for size in (base, base + 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results[base + 2].failures == ()
        assert results[base].failures == () or "more than" in results[base].failures[0].because


def test_https_needs_a_certificate_that_is_trusted(
    witness: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind TLS a witness is asked if its certificate is trusted; else, and on a plain port, it is not."""
    write_certificate(tmp_path / "server.pem")
    data, read = files_of(3)
    with behind_tls(witness.address, tmp_path / "server.pem") as url:
        known = [Witness("w", witness.store.signer.verifier, url)]
        (failure,) = cosigned(data, read, known, timeout_s=30).failures
        assert "SSL" in failure.because or "URLError" in failure.because
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        assert cosigned(data, read, known, timeout_s=30).failures == ()
    plain = [Witness("w", witness.store.signer.verifier, witness.url.replace("http:", "https:"))]
    assert len(cosigned(data, read, plain, timeout_s=30).failures) == 1


def test_no_time_left_asks_nobody(witness: Running) -> None:
    """A deadline that has passed is a failure, and nothing is sent."""
    data, read = files_of(3)
    (failure,) = cosigned(data, read, [as_witness(witness)], timeout_s=-1).failures
    assert "deadline" in failure.because
    assert witness.lines == []
