"""The HTTP side of `/v1/chat/completions` and `/v1/models`, by starlette, which is imported here and nowhere else.

Promises: a client that hangs up ends its run; nothing is logged, cached or kept, and no error quotes a text.
Does not: know who may ask (see `gate`) or what is answered (see `answering`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive

from edge_runtime.core.canonical import JsonObject
from edge_runtime.serving.answering import Answering
from edge_runtime.serving.answers import DONE, Answer, event
from edge_runtime.serving.asking import read_body
from edge_runtime.serving.errors import Refusal, Stopped, as_refusal
from edge_runtime.serving.gate import MAX_BODY_BYTES, check_body_headers, too_large
from edge_runtime.serving.guard import refused
from edge_runtime.serving.jobs import Job, Jobs

__all__ = ["make_app"]

BODY_TIMEOUT_S = 20
_LATE = Refusal("expected the body sooner", code="timeout", status=HTTPStatus.REQUEST_TIMEOUT)
_T = TypeVar("_T")


def make_app(answering: Answering, jobs: Jobs | None = None) -> ASGIApp:
    """Return the application that answers at `/v1`."""
    doors = _Doors(answering, jobs or Jobs())
    routes = [
        Route("/v1/chat/completions", _answered(doors.chat), methods=["POST"]),
        Route("/v1/models", _answered(doors.models), methods=["GET"]),
        Route("/v1/models/{name}", _answered(doors.model), methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_such})


def _answered(door: Callable[[Request], Awaitable[ASGIApp]]) -> Callable[[Request], Awaitable[ASGIApp]]:
    """Return what is behind a path, which tells each error as OpenAI does."""

    async def answered(request: Request) -> ASGIApp:
        try:
            return await door(request)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: whatever failed, no text of it leaves
            return refused(as_refusal(error))

    return answered


class _Doors:
    """What is behind each path."""

    def __init__(self, answering: Answering, jobs: Jobs) -> None:
        self._answering = answering
        self._jobs = jobs

    async def models(self, _: Request) -> ASGIApp:
        """List the approved prompts."""
        return JSONResponse({"object": "list", "data": await asyncio.to_thread(self._answering.models)})

    async def model(self, request: Request) -> ASGIApp:
        """Show one approved prompt."""
        return JSONResponse(await asyncio.to_thread(self._answering.model, request.path_params["name"]))

    async def chat(self, request: Request) -> ASGIApp:
        """Run an approved prompt."""
        body = await _body_of(request)
        job = self._jobs.begin(lambda job: self._answering.run(body, job))
        answer = Answer.to(body, number=secrets.token_hex(12), now=int(time.time()))
        texts = job.texts()
        first = await _unless_gone(request, anext(texts, ""), job)  # what is refused is refused before a stream begins
        if body.get("stream") is True:
            return StreamingResponse(_events(answer, job, _chained(first, texts)), media_type="text/event-stream")
        await _unless_gone(request, _drained(texts), job)
        assert job.reply is not None
        return JSONResponse(answer.whole(job.reply))


async def _body_of(request: Request) -> JsonObject:
    """Return the body of a request.

    Raises:
        Refusal: it is too large, too slow, or no JSON object.
    """
    check_body_headers(request.headers)
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > MAX_BODY_BYTES:
                    raise too_large()
    except (TimeoutError, ClientDisconnect):
        raise _LATE from None
    return read_body(bytes(data))


async def _unless_gone(request: Request, work: Awaitable[_T], job: Job) -> _T:
    """Return what comes of `work`, unless the client hangs up first: then its run is stopped.

    Raises:
        Stopped: it hung up.
    """
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(_hung_up(request.receive))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise Stopped
    finally:
        gone.cancel()
        if not doing.done():
            doing.cancel()
            job.stop()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drained(texts: AsyncIterator[str]) -> None:
    async for _ in texts:
        pass


async def _chained(first: str, texts: AsyncIterator[str]) -> AsyncIterator[str]:
    if first:
        yield first
    async for text in texts:
        yield text


async def _events(answer: Answer, job: Job, texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Yield an answer as server-sent events; if nobody takes them any more, its run is stopped."""
    shown = ""
    try:
        yield event(answer.opening())
        async for text in texts:
            shown += text
            if not answer.as_object:
                yield event(answer.piece(text))
        assert job.reply is not None
        for chunk in answer.closing(job.reply, shown=shown):
            yield event(chunk)
        yield DONE
    except Exception as error:  # noqa: BLE001 - the HTTP boundary: whatever failed, no text of it leaves
        yield event(as_refusal(error).as_json())
    finally:
        job.stop()


def _no_such(_: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    refusal = Refusal("expected a path and a method that are served", code="unknown_url", status=status)
    return JSONResponse(refusal.as_json(), status)
