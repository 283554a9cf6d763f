"""The models of a proof, in the cloud and on the device: a server that keeps every byte it is sent, as it came.

Promises: what is no HTTP is kept too; an answer comes as the run that asks wants it, whole or as a stream.
Does not: understand what it is asked.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress

from audit.frozen import frozen, member

__all__ = ["Recorder", "Request"]

_MOST_HEAD = 65_536
_PIECE = 7
"""So many characters a piece of a stream has: a placeholder is cut in two, mostly."""


@frozen
class Request:
    """What came over one connection for one request, and in which run, -1 for none; `local`: to the device's model."""

    run: int
    data: bytes = member(repr=False)
    local: bool = False

    @property
    def body(self) -> bytes:
        """What stands behind the empty line."""
        return self.data.partition(b"\r\n\r\n")[2]


class Recorder:
    """Serves listening sockets until it is closed: those of the cloud's model, and of one on the device."""

    def __init__(self, cloud: socket.socket, local: socket.socket) -> None:
        self._listeners = (cloud, local)
        self.run = -1
        self.answer = ""
        self.requests: list[Request] = []
        self.received_bytes = 0
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                local = listener is self._listeners[1]
                threading.Thread(target=self._serve, args=(connection, local), daemon=True).start()

    def _serve(self, connection: socket.socket, local: bool) -> None:
        with connection, suppress(OSError):
            left = b""
            while True:
                request, left = self._read(connection, left)
                if not request:
                    return
                self.requests.append(Request(self.run, request, local))
                connection.sendall(self._reply(request))

    def _read(self, connection: socket.socket, data: bytes) -> tuple[bytes, bytes]:
        """Return the next request as it came, and what came behind it."""
        while not 0 < (wanted := _length(data)) <= len(data):
            more = connection.recv(_MOST_HEAD)
            self.received_bytes += len(more)
            if not more:
                return data, b""
            data += more
        return data[:wanted], data[wanted:]

    def _reply(self, request: bytes) -> bytes:
        try:
            wanted = json.loads(request.partition(b"\r\n\r\n")[2])
        except ValueError:
            wanted = {}
        if isinstance(wanted, dict) and wanted.get("stream"):
            return _head("text/event-stream", None) + self._stream()
        message = {"role": "assistant", "content": self.answer}
        body = json.dumps(
            {
                "id": "proof",
                "object": "chat.completion",
                "created": 0,
                "model": "proof",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        ).encode()
        return _head("application/json", len(body)) + body

    def _stream(self) -> bytes:
        pieces = [self.answer[start : start + _PIECE] for start in range(0, len(self.answer), _PIECE)]
        deltas = [{"role": "assistant", "content": piece} for piece in pieces]
        lines = b""
        for number, delta in enumerate([*deltas, {}]):
            choice = {"index": 0, "finish_reason": "stop" if number == len(pieces) else None, "delta": delta}
            document = {"id": "proof", "object": "chat.completion.chunk", "created": 0, "model": "proof"}
            lines += b"data: " + json.dumps({"choices": [choice], **document}).encode() + b"\n\n"
        data = lines + b"data: [DONE]\n\n"
        return f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"


def _head(kind: str, length: int | None) -> bytes:
    size = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{size}\r\n\r\n".encode()


def _length(data: bytes) -> int:
    """Return how long the request is that begins here, or 0 if that is not known yet."""
    head, whole, _ = data.partition(b"\r\n\r\n")
    if not whole:
        return len(data) if len(data) > _MOST_HEAD else 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(head) + 4 + int(value)
        if name.strip().lower() == b"transfer-encoding":
            return data.find(b"\r\n0\r\n\r\n", len(head)) + 7 if b"\r\n0\r\n\r\n" in data else 0
    return len(head) + 4
