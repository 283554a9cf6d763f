"""The route through `serve`: the server on the loopback address as apps of other languages meet it, and its client.

Promises: the client asks over a real connection, whole and as a stream by turns; that connection is told to the parent,
which permits it and no other. Does not: exist without the extra `[serve]`.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Any

from edge_runtime import EdgeRuntime, Unavailable

if TYPE_CHECKING:
    from edge_runtime.proving.child import Line

__all__ = ["Client"]

PATIENCE_S = 60


class Client:
    """Serves a runtime on a thread of its own, and asks it."""

    def __init__(self, edge: EdgeRuntime, line: Line) -> None:
        from edge_runtime.serving.server import ServeSettings, serve

        self._token = secrets.token_urlsafe(32)
        self._port = 0
        listening = threading.Event()

        def ready(url: str) -> None:
            self._port = int(url.rpartition(":")[2].partition("/")[0])
            listening.set()

        settings = ServeSettings(self._token)
        threading.Thread(target=serve, args=(edge, settings), kwargs={"ready": ready}, daemon=True).start()
        if not listening.wait(PATIENCE_S):
            raise Unavailable("expected a server that listens, got none")
        line.tell("serving", port=self._port)

    def ask(self, prompt: str, inputs: dict[str, Any], *, person: dict[str, Any], stream: bool) -> dict[str, Any]:
        """Return what the answer says of itself: its member `mentorplane`."""
        asked = {"model": prompt, "messages": [], "inputs": inputs, "mentorplane": person, "stream": stream}
        answer = self._answer(json.dumps(asked).encode())
        for line in reversed(answer.splitlines()):
            document = line.removeprefix(b"data: ")
            if document.startswith(b"{") and (told := json.loads(document).get("mentorplane")):
                return dict(told)
        raise ValueError("expected an answer that says where it comes from")

    def _answer(self, body: bytes) -> bytes:
        lines = (
            "POST /v1/chat/completions HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Authorization: Bearer {self._token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        head = "\r\n".join((*lines, "", ""))
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S) as connection:
            connection.sendall(head.encode() + body)
            return b"".join(iter(lambda: connection.recv(65_536), b""))
