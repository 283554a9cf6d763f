"""The gate before an ASGI application, as plain ASGI: any application of the loopback address can stand behind it.

Promises: every request passes the gate, whatever its path; an answer is marked as nobody's to keep, and a page that was
named may read it; a refused client that still sends is heard out, within bounds, so that it sees why.
Does not: read bodies, or know what is behind it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from edge_runtime.serving.errors import Refusal
from edge_runtime.serving.gate import Gate

__all__ = ["App", "Guarded", "refused"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

UNREAD_S = 2
MAX_UNREAD_BYTES = 32 * 1024 * 1024
SAFE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+){0,60}")


class Guarded:
    """Lets nothing through that the gate refuses."""

    def __init__(self, app: App, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or tell the application that the server starts or ends."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        taking = _Taking(receive)
        answer, marks = self._passed(scope)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] >= HTTPStatus.BAD_REQUEST:
                    await taking.rest()
                more = [(name.encode(), value.encode()) for name, value in marks.items()]
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        with suppress(Exception):  # whatever failed: the server beneath would log it, and quote a text
            await answer(scope, taking.receive, marked)

    def _passed(self, scope: Message) -> tuple[App, Mapping[str, str]]:
        """Return what answers a request, and the headers that mark its answer."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        marks = SAFE
        try:
            if origin := self._gate.check_address(headers):
                marks = {**SAFE, "access-control-allow-origin": origin, "vary": "origin"}
            if origin and scope["method"] == "OPTIONS":
                return _preflight(dict(headers)), marks
            self._gate.check_token(headers)
        except Refusal as refusal:
            return refused(refusal), marks
        return self._app, marks


class _Taking:
    """What a request sends, and whether there is more of it that nobody has taken in yet."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def receive(self) -> Message:
        """Return what comes next."""
        message = await self._receive()
        self._more = bool(message.get("more_body"))
        return message

    async def rest(self) -> None:
        """Take in what is left, within bounds."""
        left = MAX_UNREAD_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(UNREAD_S):
                while self._more and left > 0:
                    left -= len((await self.receive()).get("body", b""))


def refused(refusal: Refusal) -> App:
    """Return an application that says no, and ends the connection."""
    headers = {"content-type": "application/json", "connection": "close"}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["retry-after"] = "1"
    return _answer(refusal.status, headers, json.dumps(refusal.as_json()).encode())


def _preflight(headers: Mapping[str, str]) -> App:
    """Answer a browser that asks on behalf of a page that was named at the start."""
    wanted = headers.get("access-control-request-headers", "")
    allowed = {"access-control-allow-methods": "GET, POST", "access-control-max-age": "600"}
    if _HEADER_NAMES.fullmatch(wanted):
        allowed["access-control-allow-headers"] = wanted
    return _answer(HTTPStatus.NO_CONTENT, allowed, b"")


def _answer(status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> App:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    if status != HTTPStatus.NO_CONTENT:
        listed.append((b"content-length", str(len(body)).encode()))

    async def answer(_scope: Message, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": int(status), "headers": listed})
        await send({"type": "http.response.body", "body": body})

    return answer
