"""A witness as an HTTP server, for somebody outside the log operator's reach to run: two requests, one small home.

`POST /add-checkpoint` cosigns a checkpoint that extends the last one seen; `GET /<sha256 of the origin>/checkpoint`
returns the latest one with its cosignature.

Promises:
1. Nothing is read beyond a bound: bodies, header time, connections at a time. Whoever is slower than the deadline of a
   request, however it drips its bytes, is cut off and has cost one thread.
2. It takes log keys from its operator only, and never from a request or the network.
3. What it prints names logs it was told of, sizes and reasons; nothing that a stranger could choose.

It has no TLS: what it signs needs none, and a reverse proxy can add it. Decisions are those of `decide`, durability is
that of `store`.
"""

from __future__ import annotations

import io
import re
import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audit.frozen import frozen
from audit.note import Verifier
from audit.witness.decide import PATH, TEXT_TYPE, Answer, receive
from audit.witness.store import MAX_CHECKPOINT_BYTES, Store

MAX_BODY_BYTES = MAX_CHECKPOINT_BYTES
_READ_PATH = re.compile("/([0-9a-f]{64})/checkpoint")
_LENGTH = re.compile("0|[1-9][0-9]{0,8}")


@frozen
class Limits:
    """How long a request may take, from its first wait to its last byte, and how many connections there may be."""

    request_s: float = 15.0
    reply_s: float = 15.0
    connections: int = 64


DEFAULT_LIMITS = Limits()


@frozen
class Clocks:
    """The time of day in POSIX seconds, and a clock that only runs forward, in seconds."""

    now_s: Callable[[], int]
    monotonic_s: Callable[[], float]


class WitnessServer(ThreadingHTTPServer):
    """Serves one open store until `shutdown`; `log` gets one line for each decision."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        store: Store,
        logs: Sequence[Verifier],
        *,
        clocks: Clocks,
        log: Callable[[str], None],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.store, self.logs, self.clocks, self.log, self.limits = store, tuple(logs), clocks, log, limits
        self._places = threading.BoundedSemaphore(limits.connections)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, or close it if there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: the other side chooses when it does."""


class _Deadline(io.RawIOBase):
    """A socket's bytes, until a moment that each request sets anew."""

    def __init__(self, connection: socket.socket, monotonic_s: Callable[[], float]) -> None:
        self._connection, self._monotonic_s, self._end_s = connection, monotonic_s, 0.0

    def allow(self, seconds: float) -> None:
        self._end_s = self._monotonic_s() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._end_s - self._monotonic_s()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    error_content_type = TEXT_TYPE
    error_message_format = "%(message)s\n"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._deadline = _Deadline(self.connection, self.server.clocks.monotonic_s)
        self.rfile = io.BufferedReader(self._deadline)

    def handle_one_request(self) -> None:
        self._deadline.allow(self.server.limits.request_s)
        super().handle_one_request()

    def do_GET(self) -> None:
        match = _READ_PATH.fullmatch(self.path)
        kept = self.server.store.kept(match[1]) if match else None
        if kept is None:
            self._reply(Answer(404, b"no such checkpoint\n", ""))
        else:
            self._reply(Answer(200, kept.note, ""))

    def do_POST(self) -> None:
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True  # what it sent is not read, so the next request cannot be told from it
            self._reply(body)
            return
        received = receive(body, self.server.logs)
        if not isinstance(received, Answer):
            received = self.server.store.answer(received, now_s=self.server.clocks.now_s())
        self.server.log(f"{received.status} {received.origin or '-'}: {received.because}")
        self._reply(received)

    def _body(self) -> bytes | Answer:
        lengths = self.headers.get_all("Content-Length", [])
        if self.path != PATH:
            return Answer(404, b"no such path\n", "")
        if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]) or "Transfer-Encoding" in self.headers:
            return Answer(411, b"expected one Content-Length\n", "")
        if int(lengths[0]) > MAX_BODY_BYTES:
            return Answer(413, f"expected at most {MAX_BODY_BYTES} bytes\n".encode(), "")
        body = self.rfile.read(int(lengths[0]))
        if len(body) != int(lengths[0]):
            return Answer(400, b"expected a whole body\n", "")
        return body

    def _reply(self, answer: Answer) -> None:
        self.connection.settimeout(self.server.limits.reply_s)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "mentorplane-witness"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing of what a stranger sent; decisions are logged by `do_POST`."""
