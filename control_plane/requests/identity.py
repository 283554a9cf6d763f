"""Request ids: one for each request, in its answer, in its problem, and in its lines of the server's log.

A caller's own `X-Request-Id` is taken if it has 8 to 64 letters, digits, `-`, `_` or `.`; else a random one is made. It
says nothing about anybody, and nothing is looked up by it.
"""

from __future__ import annotations

import logging
import re
import secrets
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADER", "RequestIds", "current", "name_log_lines"]

HEADER = "X-Request-Id"
_SANE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_CURRENT: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id of the request that is being answered, "" outside one."""
    return _CURRENT.get()


class RequestIds:
    """Give each request an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the id in a header."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER.lower().encode()), b"")
        identity = given.decode() if _SANE.fullmatch(given) else secrets.token_hex(8)
        _CURRENT.set(identity)  # each request runs in a context of its own, so nothing has to put it back

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER.lower().encode(), identity.encode())]
            await send(message)

        await self._app(scope, receive, named)


def name_log_lines() -> None:
    """Let every line of the log that a request leaves end with its id."""
    before = logging.getLogRecordFactory()
    if getattr(before, "names_requests", False):
        return

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = before(*args, **kwargs)
        if current():
            record.msg = f"{record.msg} [request {current()}]"
        return record

    factory.names_requests = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(factory)
