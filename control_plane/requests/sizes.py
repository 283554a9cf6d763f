"""The largest body of a request: by what it says, and by what it is."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_plane.requests.problems import problem

__all__ = ["BodyCap"]


class BodyCap:
    """Refuse request bodies above a number of bytes."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body is no larger."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not stated.isdigit() or int(stated) > self._max_bytes:
            await problem(413, f"expected a body of at most {self._max_bytes} bytes")(scope, receive, send)
            return
        got = 0

        async def capped() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, capped, send)
