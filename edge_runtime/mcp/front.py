"""What stands between the gate and the package that speaks MCP, as plain ASGI.

Promises: what the package says of a request that does not fit quotes nothing of it; who ends a session is forgotten.
Does not: read requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from edge_runtime.serving.guard import App, Message, Receive, Send

__all__ = ["fronted"]

QUOTING = ("Parse error", "Validation error")
"""How messages begin in which the package says what did not fit, and where."""
UNFIT = "expected a request as the protocol has it"


def fronted(app: Any, *, session_header: str, forget: Callable[[str], None]) -> App:
    """Return the application with its errors in words of ours.

    Args:
        app: the package's own.
        session_header: by which a client says which session it asks in.
        forget: is told of a session that its client ended.
    """

    async def asgi(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        await app(scope, receive, _Telling(send).send)
        if scope["method"] == "DELETE":
            forget(dict(scope["headers"]).get(session_header.encode(), b"").decode("latin-1"))

    return asgi


class _Telling:
    """Holds back the beginning of a refusal until its body is known, which comes in one piece."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun: Message | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start" and message["status"] == 400:
            self._begun = message
            return
        begun, self._begun = self._begun, None
        if begun is not None:
            body = _without_quotes(message.get("body", b""))
            headers = [(name, value) for name, value in begun["headers"] if name.lower() != b"content-length"]
            await self._send({**begun, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            message = {**message, "body": body}
        await self._send(message)


def _without_quotes(body: bytes) -> bytes:
    try:
        answer = json.loads(body)
        error = answer["error"]
        if not error["message"].startswith(QUOTING):
            return body
    except (ValueError, LookupError, TypeError, AttributeError):
        return body
    return json.dumps({**answer, "error": {"code": error["code"], "message": UNFIT}}).encode()
