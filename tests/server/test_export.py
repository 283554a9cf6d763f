"""Export to a SIEM: at least once, never skipping an index, whatever the receiver, the disk or a kill does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from audit.record import Act, encode_leaf, parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts import tokens
from control_plane.errors import Conflict, NotFound
from control_plane.evidence import export as exporting
from control_plane.evidence.export import Run, cursor_path, export, registered, switch_off
from control_plane.evidence.export_sinks import Batch, FileSink, SinkRefused, StreamSink, WebhookSink, read_secret
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts

SECRET = b"UNSAFE example secret, 32 bytes!"


class Receiver:
    """A real HTTP receiver; `answer` decides about the n-th request: a status, or None to drop the connection."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[int], int | None] = lambda _: 200
        self.asked = threading.Event()
        self.wanted = 1
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(body)
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                status = receiver.answer(len(receiver.bodies))
                if len(receiver.bodies) >= receiver.wanted:
                    receiver.asked.set()
                if status is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/siem?tenant=1"

    def indexes(self) -> list[int]:
        """Every index received, in order, repetitions included."""
        return [json.loads(line)["unmapped"]["leaf_index"] for body in self.bodies for line in body.splitlines()]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def webhook(receiver: Receiver) -> WebhookSink:
    """A sink that posts to the receiver."""
    return WebhookSink(receiver.url, SECRET, lambda: 1_800_000_000, timeout_s=10)


def size(plane: ControlPlane) -> int:
    """The number of entries in the log."""
    return verifying.verify(plane).size


SMALL = Run(batch_lines=5)
"""Batches of five, so that a short log takes several."""


def test_every_entry_leaves_once_and_the_next_run_goes_on(acts: Acts, receiver: Receiver) -> None:
    """A run sends what is not confirmed, its own entry among it; the next one sends what is new."""
    sent = export(acts.plane, webhook(receiver), run=SMALL)
    assert receiver.indexes() == list(range(sent)) == list(range(size(acts.plane)))
    acts.check()
    again = export(acts.plane, webhook(receiver), run=SMALL)
    assert receiver.indexes() == list(range(sent + again))
    said = ledger.search(acts.plane, act="exported")
    assert len(said) == 2, "one entry for each run, not for each batch"
    assert [(one.target, one.next) for one in registered(acts.plane)] == [(receiver.url, sent + again)]


def test_a_receiver_that_fails_is_asked_again_ever_more_slowly(acts: Acts, receiver: Receiver) -> None:
    """Refusals, dropped connections after receiving, redirects: nothing is skipped, at least once is what arrives."""
    answers: dict[int, int | None] = {1: 500, 2: None, 3: 503, 5: None, 6: 302, 8: 404}
    receiver.answer = lambda number: answers.get(number, 200)
    waited: list[float] = []
    sent = export(acts.plane, webhook(receiver), run=Run(wait=waited.append, batch_lines=5))
    assert sent == size(acts.plane)
    assert sorted(set(receiver.indexes())) == list(range(sent))
    firsts = [json.loads(body.splitlines()[0])["unmapped"]["leaf_index"] for body in receiver.bodies]
    assert firsts == sorted(firsts), "a batch is sent again before the next one"
    assert waited == [1.0, 2.0, 4.0, 1.0, 2.0, 1.0]


def test_a_receiver_that_never_confirms_moves_no_cursor(acts: Acts, receiver: Receiver) -> None:
    """After some tries the run gives up and says so; the next run begins where this one did. 410 ends it at once."""
    receiver.answer = lambda _: 500
    with pytest.raises(Unavailable, match="entry 0, got: the answer 500"):
        export(acts.plane, webhook(receiver))
    assert len(receiver.bodies) == exporting.TRIES
    assert registered(acts.plane)[0].next == 0
    receiver.answer = lambda _: 410
    with pytest.raises(Unavailable, match="410"):
        export(acts.plane, webhook(receiver))
    assert len(receiver.bodies) == exporting.TRIES + 1
    receiver.answer = lambda _: 200
    assert export(acts.plane, webhook(receiver)) == size(acts.plane)


def test_batches_are_signed_over_id_time_and_body(acts: Acts, receiver: Receiver) -> None:
    """A receiver with the secret verifies where a batch comes from, as Standard Webhooks has it."""
    export(acts.plane, webhook(receiver))
    head, body = receiver.headers[0], receiver.bodies[0]
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert head["webhook-signature"] == f"v1,{wanted}"
    assert head["webhook-timestamp"] == "1800000000"
    assert SECRET.decode() not in repr(webhook(receiver))


def test_a_file_grows_line_by_line_and_half_a_line_is_mended(acts: Acts, tmp_path: Path) -> None:
    """What a crash left of a line is cut off, and sent again as a whole."""
    sink = FileSink(tmp_path / "audit.jsonl")
    export(acts.plane, sink)
    whole = sink.path.read_bytes()
    cursor = cursor_path(acts.plane, sink.target)
    cursor.write_bytes(exporting.Cursor(sink.target, 10).encode())
    sink.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:10]) + b'{"half":')
    export(acts.plane, sink)
    indexes = [json.loads(line)["unmapped"]["leaf_index"] for line in sink.path.read_bytes().splitlines()]
    assert indexes == list(range(size(acts.plane)))
    assert sink.path.stat().st_mode & 0o777 == 0o600


def test_a_missing_or_rewritten_entry_stops_the_export(acts: Acts, tmp_path: Path) -> None:
    """An index is never skipped: a gap in the database is an error, not a gap in the SIEM."""
    with db.write(acts.plane.engine) as session:
        row = session.get(LeafRow, 3)
        assert row is not None
        row.data = encode_leaf(parse_leaf(row.data)).replace(b'"seq":3', b'"seq":4')
    sink = FileSink(tmp_path / "audit.jsonl")
    with pytest.raises(Unavailable, match="entry 3"):
        export(acts.plane, sink)
    assert not sink.path.exists()


def test_one_run_at_a_time_for_a_target(acts: Acts) -> None:
    """A second exporter to the same target is told so, and moves nothing."""

    class Nested(StreamSink):
        def send(self, batch: Batch) -> None:
            with pytest.raises(Conflict):
                export(acts.plane, self)
            raise SinkRefused("stop", final=True)

    with pytest.raises(Unavailable):
        export(acts.plane, Nested(sys.stderr.buffer, "nested"))


def test_switching_a_target_off_and_on_is_logged_first(acts: Acts, tmp_path: Path) -> None:
    """The log says when an export stopped, and when it went on."""
    sink = FileSink(tmp_path / "audit.jsonl")
    with pytest.raises(NotFound):
        switch_off(acts.plane, sink.target)
    export(acts.plane, sink)
    entry = switch_off(acts.plane, sink.target, actor=acts.id("ruth"))
    assert registered(acts.plane)[0].off
    export(acts.plane, sink)
    assert not registered(acts.plane)[0].off
    codes = [parse_leaf(one.data).reason.code for one in ledger.search(acts.plane, act=str(Act.SETTINGS_CHANGED))]
    assert codes == ["switched-on", "switched-off"]
    lines = [json.loads(line) for line in sink.path.read_bytes().splitlines()]
    assert lines[entry]["comment"] == "switched-off"
    assert verifying.verify(acts.plane).ok


def test_standard_output_goes_on_and_is_no_target_that_lags(acts: Acts) -> None:
    """Lines are flushed before the cursor moves; whoever looked once owes nothing later."""
    stream = io.BytesIO()
    sent = export(acts.plane, StreamSink(stream))
    acts.check()
    export(acts.plane, StreamSink(stream))
    indexes = [json.loads(line)["unmapped"]["leaf_index"] for line in stream.getvalue().splitlines()]
    assert indexes == list(range(size(acts.plane)))
    assert sent < len(indexes)
    assert registered(acts.plane) == ()


def test_targets_that_would_leak_are_refused(tmp_path: Path) -> None:
    """Plain HTTP leaves this machine nowhere; secrets come from a file and are long enough."""
    for url in (
        "http://siem.example/x",
        "ftp://127.0.0.1/",
        "https://user:word@siem.example/",
        "http://[::1",
        "https://",
    ):
        with pytest.raises(InvalidDocument):
            WebhookSink(url, SECRET, lambda: 0)
    assert WebhookSink("http://[::1]:8080/x", SECRET, lambda: 0).target == "http://[::1]:8080/x"
    good, short = tmp_path / "good", tmp_path / "short"
    good.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    short.write_text("c2hvcnQ=")
    assert read_secret(good) == SECRET
    for bad in (short, tmp_path / "absent"):
        with pytest.raises(InvalidDocument):
            read_secret(bad)


def _start(home: Path, receiver: Receiver, secret: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "edge_runtime", "audit", "export", "--to", receiver.url, *more]
    command += ["--secret-file", str(secret), "--home", str(home)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_kill_9_in_the_middle_of_a_batch_loses_nothing(acts: Acts, receiver: Receiver, tmp_path: Path) -> None:
    """The exporter is killed while the receiver has a batch and has not answered; the next one sends it again."""
    plane = acts.plane
    if plane.settings.database_url:
        pytest.skip("the command opens the home's own database")
    for _ in range(40):
        tokens.issue_tokens(plane, ["tom"] * 10)
    secret = tmp_path / "secret"
    secret.write_text(base64.b64encode(SECRET).decode())
    hold = threading.Event()

    def answer(number: int) -> int:
        if number == 2:
            receiver.asked.set()
            hold.wait(60)
        return 200

    receiver.answer, receiver.wanted = answer, 2
    child = _start(plane.settings.home, receiver, secret, "--follow")
    assert receiver.asked.wait(60)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    hold.set()
    assert registered(plane)[0].next == exporting.BATCH_LINES, "the first batch was confirmed, the second was not"
    done = _start(plane.settings.home, receiver, secret)
    assert done.wait(60) == 0, done.communicate()[1]
    done.communicate()
    received = receiver.indexes()
    assert sorted(set(received)) == list(range(size(plane)))
    assert len(received) > len(set(received)), "the batch in flight arrived twice"


def test_the_follower_ends_on_sigterm_with_its_cursor_saved(acts: Acts, receiver: Receiver, tmp_path: Path) -> None:
    """A service manager stops it without loss."""
    if acts.plane.settings.database_url:
        pytest.skip("the command opens the home's own database")
    secret = tmp_path / "secret"
    secret.write_text(base64.b64encode(SECRET).decode())
    child = _start(acts.plane.settings.home, receiver, secret, "--follow")
    assert receiver.asked.wait(60)
    child.terminate()
    assert child.wait(30) == 0, child.communicate()[1]
    child.communicate()
    assert registered(acts.plane)[0].next == size(acts.plane)
