"""`/v1` inside this process: the client's calls go to the very routes of the server, over a home and without a server.

Promises: an error is the use case's own, as it raised it; who acts is whom the control plane names, and the log says
that nobody authenticated. Does not: limit, keep answers for repeated writes, or know entity tags: those are for what
comes over a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import FastAPI
from fastapi import Request as Incoming
from fastapi.exceptions import RequestValidationError

from control_plane.api import all_routes
from control_plane.client.calls import Call, Paged
from control_plane.client.tries import Answer, Options, Request, judge, next_page, prepare
from control_plane.plane import ControlPlane
from control_plane.requests.limits import Buckets
from control_plane.requests.problems import malformed
from edge_runtime.core.errors import InvalidDocument

__all__ = ["PLACE", "Inside"]

T = TypeVar("T")
PLACE = "http://localhost"
"""The address that a request inside this process is for, where the installation has none of its own."""


class Inside:
    """A sender of calls (see `client.calls.Sender`) to the routes over a control plane, which says who acts."""

    def __init__(self, plane: ControlPlane) -> None:
        self._options = Options(PLACE)
        self._app = FastAPI(openapi_url=None)
        self._app.state.plane = plane
        self._app.state.warnings, self._app.state.keeper = (), None
        self._app.state.people_limits = Buckets(0, clock=plane.clock)
        self._app.add_exception_handler(RequestValidationError, _on_malformed)
        self._app.router.routes += all_routes()

    def send(self, call: Call[T]) -> T:
        """Return the answer to a call. Raises: as the use case."""
        answer: T = judge(call, self._ask(prepare(self._options, call)))
        return answer

    def items(self, page: Paged[T]) -> Iterator[T]:
        """Yield what all pages hold. Raises: as the use case."""
        request = prepare(self._options, page.call)
        while True:
            answer = self._ask(request)
            yield from judge(page.call, answer)
            url = next_page(request, answer)
            if not url:
                return
            request = replace(request, url=url, query={})

    def _ask(self, request: Request) -> Answer:
        sent: list[dict[str, Any]] = []
        body = [{"type": "http.request", "body": request.body or b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return body.pop() if body else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self._app(_scope(request), receive, send))
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))


def _scope(request: Request) -> dict[str, Any]:
    url = urlsplit(request.url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "server": (url.hostname, url.port or 80),
        "client": None,
        "root_path": "",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": (url.query or urlencode(request.query, doseq=True)).encode(),
        "headers": [(b"host", url.netloc.encode())]
        + [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
    }


async def _on_malformed(_request: Incoming, error: Exception) -> Any:
    raise InvalidDocument(malformed(error)) from error
