"""A language model on this device: an OpenAI-compatible server on a loopback address.

Promises: 1. it takes an `OnDevice` text and nothing else, and its text goes to this machine and nowhere else: every
address that the name has must be a loopback address, that is looked up for each connection, and the connection is made
to the very address that was looked at (a name that changes in between changes nothing). No redirect is followed, no
proxy used. 2. Each wait, the whole time and the whole length of an answer are bounded. 3. Whatever goes wrong is
`Unavailable`, in words that hold no text of anybody; the run then fills the prompt without a language model.
Does not: start a server, or know whether that server asks somebody else: whoever configures it answers for that.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from audit.frozen import frozen, member
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.hosts import is_this_machine
from edge_runtime.core.policy import Route
from edge_runtime.delivery.access import require_plain
from edge_runtime.generators.chat import most_bytes, question
from edge_runtime.generators.deadlines import Deadline
from edge_runtime.generators.events import pieces_of_events, pieces_of_object
from edge_runtime.generators.protocol import Ask, OnDevice, Piece, Wire

__all__ = ["LocalGenerator", "LocalModel"]

CHUNK_BYTES = 65_536


@frozen
class LocalModel:
    """A model that a server on this device runs: `name` as that server knows it, `base_url` up to and with `/v1`.

    `timeout_s` is the longest silence, `within_s` the longest that a whole answer may take. `keeps_schema`: its server
    keeps an answer to a JSON Schema; `tells_usage`: it is to be asked for a count of tokens, and knows how.

    Raises:
        InvalidDocument: the address is not one of plain HTTP, or holds a name, a secret or a query.
    """

    name: str
    base_url: str
    api_key: str = member(default="none", repr=False)
    timeout_s: float = 60
    within_s: float = 180
    keeps_schema: bool = False
    tells_usage: bool = False

    def __post_init__(self) -> None:
        if not self.base_url.startswith("http://"):
            raise InvalidDocument("expected an http address of this device for a local model")
        require_plain(self.base_url)


class LocalGenerator:
    """Asks one model on this device."""

    place = Route.DEVICE

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Yield the answer as it comes; over the `wire`, which leads out of the device, goes nothing.

        Raises:
            Unavailable: its address is not on this device, or no whole answer came in time.
        """
        if type(ask.instruction) is not OnDevice:
            raise TypeError("expected an OnDevice text")
        return self._answer(ask, wire)

    def _answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        problem, empty = "", True
        connection = _Connection(self._model, wire)
        try:
            for piece in self._pieces(connection, ask):
                empty = empty and piece.usage is not None
                yield piece
        except Unavailable as error:
            problem = str(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = f"expected an answer from the local model, got {type(error).__name__}"
        finally:
            connection.close()
        # Not raised where it was caught: nobody who prints what came before it may find a text.
        if problem or empty:
            raise Unavailable(problem or "expected text from the local model, got none")

    def _pieces(self, connection: _Connection, ask: Ask) -> Iterator[Piece]:
        path = f"{urlsplit(self._model.base_url).path.rstrip('/')}/chat/completions"
        asked = question(ask, keeps_schema=self._model.keeps_schema, tells_usage=self._model.tells_usage)
        body = json.dumps({"model": self._model.name, **asked}).encode()
        connection.request("POST", path, body=body, headers=self._headers())
        answer = connection.getresponse()
        if answer.status != 200:
            raise Unavailable(f"expected an answer from the local model, got status {answer.status}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise Unavailable("expected an answer from the local model, got a compressed one")
        kind = answer.headers.get_content_type()
        chunks = _bounded(answer, most_bytes(ask))
        if kind == "text/event-stream":
            yield from pieces_of_events(chunks)
        elif kind == "application/json":  # a server that does not stream
            yield from pieces_of_object(b"".join(chunks))
        else:
            raise Unavailable("expected an answer from the local model, got another type of content")

    def _headers(self) -> dict[str, str]:
        return {
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {self._model.api_key}",
            "Content-Type": "application/json",
            "User-Agent": "mentorplane",
        }


def _bounded(answer: http.client.HTTPResponse, at_most: int) -> Iterator[bytes]:
    while chunk := answer.read1(CHUNK_BYTES):
        at_most -= len(chunk)
        if at_most < 0:
            raise Unavailable("expected an answer from the local model, got one without end")
        yield chunk


class _Connection(http.client.HTTPConnection):
    """A connection to a loopback address that ends in time."""

    def __init__(self, model: LocalModel, wire: Wire) -> None:
        parts = urlsplit(model.base_url)
        super().__init__(parts.hostname or "", parts.port or 80)
        self.deadline = Deadline(model.timeout_s, model.within_s, wire)
        self.response_class = self._response  # type: ignore[assignment]

    def connect(self) -> None:
        """Connect to an address that was looked up and is on this device.

        Raises:
            Unavailable: the name has another address.
            OSError: it has none, or nobody listens.
        """
        found = self.deadline.look_up(self.host, self.port)
        if not found or not all(is_this_machine(str(info[4][0])) for info in found):
            raise Unavailable("expected the address of a local model to be on this device, it is elsewhere")
        self.sock = self.deadline.connect(found)

    def send(self, data: Any) -> None:
        """Send what a request says, within the deadline."""
        if self.sock is None:
            self.connect()
        self.deadline.send(self.sock, data)

    def _response(self, sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(_Opened(sock, self.deadline), *args, **options)  # type: ignore[arg-type]


class _Opened:
    """Stands for a socket where a response asks it for a file to read from."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock, self._deadline))


class _Timed(io.RawIOBase):
    """What is read from a socket, for as long as the deadline says."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._open = sock.makefile("rb", buffering=0)  # the socket stays open for as long as this does

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._deadline.step(self._sock, lambda: self._sock.recv_into(buffer))

    def close(self) -> None:
        self._open.close()
        super().close()
