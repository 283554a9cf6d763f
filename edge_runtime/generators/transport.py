"""The socket to a cloud model: one request, checked as the last thing before it goes, and one bounded answer.

Promises: 1. One request, to the address of the model. A second one, a redirect, a proxy, a cookie and whatever the
environment says are out of the question. 2. Its message is the disclosure, letter by letter, whatever the libraries
between made of it; its headers are few and the same on all devices. 3. Address and body are scanned for raw values; a
hit refuses it. 4. What left is counted. 5. The answer is a stream of events, not compressed; each wait, the
whole time and the whole length are bounded, so a server that trickles is given up as well, and an answer that was cut
off is told from one that is done.
Does not: know what the events say. Needs the extra `[cloud]`; imported when a model is first asked.
Source: RFC 9110; the events are those of the OpenAI API.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import certifi
import httpcore
import httpx

from edge_runtime.core.errors import Unavailable
from edge_runtime.generators.chat import most_bytes
from edge_runtime.generators.deadlines import Deadline
from edge_runtime.generators.protocol import Ask, Wire
from edge_runtime.reply import Usage

__all__ = ["OneRequest", "tls"]

KEPT_HEADERS = frozenset({b"authorization", b"content-length", b"host"})
OWN_HEADERS = (
    *((b"Accept", b"text/event-stream"), (b"Accept-Encoding", b"identity"), (b"Content-Type", b"application/json")),
    (b"User-Agent", b"mentorplane"),
)
MEMBERS = frozenset(
    {"max_completion_tokens", "max_tokens", "messages", "model", "response_format", "stream", "stream_options", "tools"}
)
"""What a body may have. Whatever else a library puts in is a reason not to send it."""
_DONE = re.compile(rb'(?:^|\n)data: ?\[DONE\]|"finish_reason": ?"[a-z]')
_GIVEN, _GOT = (re.compile(rb'"%s_tokens": ?(\d{1,9})[^\d]' % name) for name in (b"prompt", b"completion"))
"""What a server says that it counted; within a text its quotes would be escaped."""
_OVERLAP = 40


class OneRequest(httpx.BaseTransport):
    """Lets one request through. `problem` says what was wrong, in words that hold nothing of anybody's text."""

    def __init__(self, url: str, *, ask: Ask, wire: Wire, timeout_s: float, within_s: float) -> None:
        self.problem = ""
        self._tokens: dict[bytes, int] = {}
        self._url = url
        self._ask = ask
        self._wire = wire
        self._timeout_s = timeout_s
        self._within_s = within_s
        self._used = False
        self._pool: httpcore.ConnectionPool | None = None

    @property
    def usage(self) -> Usage | None:
        """What the server says that it counted, if it says so."""
        return Usage(self._tokens[_GIVEN.pattern], self._tokens[_GOT.pattern]) if len(self._tokens) > 1 else None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Check the request, send it, and return the answer as it begins.

        Raises:
            Unavailable: it may not be sent, or what comes back is no answer.
            httpcore exceptions: the connection failed.
        """
        if self._used:
            raise self._no("a second request")
        self._used = True
        headers = self._checked(request)
        deadline = Deadline(self._timeout_s, self._within_s, self._wire)
        self._pool = httpcore.ConnectionPool(ssl_context=tls(), network_backend=_Backend(deadline), http2=False)
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        raw = self._pool.handle_request(
            httpcore.Request("POST", target, headers=headers, content=self._counted(request.content))
        )
        told = httpx.Headers(raw.headers)
        if raw.status != 200:
            raise self._no(f"status {raw.status}")
        if told.get("content-encoding", "identity") != "identity":
            raise self._no("a compressed answer")
        if not told.get("content-type", "").lower().startswith("text/event-stream"):
            raise self._no("an answer that is no stream of events")
        return httpx.Response(200, headers=told, stream=_Answer(self._watched(raw.iter_stream())))

    def close(self) -> None:
        """Close the connection, whatever is still to come over it."""
        if self._pool is not None:
            self._pool.close()

    def _no(self, problem: str) -> Unavailable:
        self.problem = problem
        return Unavailable(problem)

    def _checked(self, request: httpx.Request) -> list[tuple[bytes, bytes]]:
        """Return the headers to send: others tell the device's system and versions, or come from the environment."""
        body = json.loads(request.content)
        wanted = [{"role": "user", "content": self._ask.instruction.text}]
        if request.method != "POST" or str(request.url) != self._url:
            raise self._no("a request to another address")
        if not body.keys() <= MEMBERS or body.get("messages") != wanted:
            raise self._no("a request that says something else than what was disclosed")
        # The frame is known: whoever is called "User" or "True" must be found in what is said, not in the frame.
        told = [value for name, value in body.items() if name not in {"messages", "stream", "stream_options"}]
        self._wire.check("\n".join((self._url, self._ask.instruction.text, json.dumps(told))).encode())
        return [*(one for one in request.headers.raw if one[0].lower() in KEPT_HEADERS), *OWN_HEADERS]

    def _counted(self, content: bytes) -> Iterator[bytes]:
        self._wire.sent(len(content))  # asked for when there is a connection
        yield content

    def _watched(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what comes, up to a limit, and refuse an end before the answer said that it is done."""
        left = most_bytes(self._ask)
        tail, done = b"", False
        for chunk in stream:
            left -= len(chunk)
            if left < 0:
                raise self._no("an answer without end")
            tail = tail[-_OVERLAP:] + chunk
            done = done or _DONE.search(tail) is not None
            for counted in (_GIVEN, _GOT):
                if b"_tokens" in tail and (found := counted.search(tail)):
                    self._tokens[counted.pattern] = int(found[1])
            yield chunk
        if not done:
            raise self._no("an answer that was cut off")


class _Answer(httpx.SyncByteStream):
    """The bytes of an answer."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


class _Backend(httpcore.NetworkBackend):
    """Connects within the deadline, by whatever addresses the name has."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return _Stream(self._deadline.connect(self._deadline.look_up(host, port)), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket = sock
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._deadline.step(self._socket, lambda: self._socket.recv(max_bytes))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._deadline.send(self._socket, buffer)

    def close(self) -> None:
        self._socket.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, *_: Any, **__: Any) -> _Stream:
        safe = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname, do_handshake_on_connect=False)
        self._socket = safe  # it is this one that is closed from now on
        self._deadline.step(safe, safe.do_handshake)
        return _Stream(safe, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None


@cache
def tls() -> ssl.SSLContext:
    """Return a context that takes nothing from the environment: no other authorities, no file of session keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    return context
