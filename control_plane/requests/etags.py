"""Entity tags: whether what somebody has is what is there, and whether a write meets what its writer saw.

The tag of a resource is the SHA-256 of its representation, so it changes with anything that a reader can see. A write
with `If-Match` is carried out if the tag is that of the resource it acts on: the nearest one at or above its path that
can be read (`POST /v1/proposals/7/approve` acts on `/v1/proposals/7`).
Promises: nothing is done if the tag is another's (412). Does not: hold the resource still between the comparison and
the act; what a decision binds to, the revision and the manifest, is compared again in the act's own transaction.
Source: RFC 9110, sections 8.8 and 13.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_plane.requests.buffering import Answer, ask, header_of
from control_plane.requests.problems import problem

__all__ = ["EntityTags", "matched", "tag_of"]

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ROOT = "/v1"
_STATE = "mentorplane.matched"


def tag_of(body: bytes) -> str:
    """Return the entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matched(scope: Scope) -> dict[str, Any] | None:
    """Return the resource that a write's `If-Match` was compared with; None if it brought none."""
    found: dict[str, Any] | None = scope.get(_STATE)
    return found


class EntityTags:
    """Answer `If-None-Match` and `If-Match` for everything below `/v1`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what needs no tag."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{_ROOT}/"):
            await self._app(scope, receive, send)
        elif scope["method"] in {"GET", "HEAD"}:
            await self._read(scope, receive, send)
        elif scope["method"] in WRITES and header_of(scope, b"if-match"):
            await self._write(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer()
        passing = False

        async def tagged(message: Message) -> None:
            nonlocal passing
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message.get("headers", ()))
                passing = answer.status != 200 or not answer.header(b"content-type").startswith(b"application/json")
                if passing:  # files are streamed, and problems have no tag
                    await send(message)
            elif passing:
                await send(message)
            else:
                answer.body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _send_tagged(scope, answer, send)

        await self._app(scope, receive, tagged)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        current = await self._current(scope)
        if current.status != 200:
            await problem(404, "expected a resource that can be read, for If-Match, got none")(scope, receive, send)
            return
        if not _among(header_of(scope, b"if-match"), tag_of(current.body)):
            await problem(
                412,
                "expected the entity tag of the resource as it is, got another: it has changed",
                "read it again, then decide again",
            )(scope, receive, send)
            return
        found = json.loads(current.body)
        scope[_STATE] = found if isinstance(found, dict) else {}
        await self._app(scope, receive, send)

    async def _current(self, scope: Scope) -> Answer:
        """Return the resource that a write acts on, as its writer may read it."""
        who = (b"authorization", b"cookie", b"host", b"origin")
        headers = [(name, value) for name, value in scope["headers"] if name in who]
        path: str = scope["path"]
        answer = Answer(404)
        while path.count("/") > 1:
            asked = {**scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
            answer = await ask(self._app, {**asked, "headers": headers, "state": dict(scope.get("state", {}))}, b"")
            if answer.status not in {404, 405}:
                break
            path = path.rpartition("/")[0]
        return answer


async def _send_tagged(scope: Scope, answer: Answer, send: Send) -> None:
    tag = tag_of(answer.body)
    headers = [*answer.headers, (b"etag", tag.encode())]
    if not answer.header(b"cache-control"):
        headers.append((b"cache-control", b"private, no-cache"))
    if _among(header_of(scope, b"if-none-match"), tag):
        kept = [(name, value) for name, value in headers if name.lower() not in {b"content-length", b"content-type"}]
        await send({"type": "http.response.start", "status": 304, "headers": kept})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _among(given: str, tag: str) -> bool:
    tags = {one.strip().removeprefix("W/") for one in given.split(",")}
    return "*" in tags or tag in tags
