"""The clients: `Client` waits, `AsyncClient` lets other things go on. The one module that imports `httpx`.

Promises: see `tries`. Does not: keep what it fetched, follow redirections, log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, Self, TypeVar

import httpx

from control_plane.client.api import AsyncOperations, Operations
from control_plane.client.calls import Call, Paged
from control_plane.client.errors import BadAnswer, NoAnswer
from control_plane.client.tries import Answer, Options, Request, next_page, prepare, trying

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")
TOO_SLOW = "expected an answer within the time allowed, got none"
NO_CONNECTION = "expected to reach the server, and could not"


class Client(Operations):
    """The operations of a server, one after the other: `with Client(Options(url, token)) as client: …`.

    Args:
        options: where to ask, the token, how patiently.
        transport: what carries requests, for tests and for special networks; httpx's own otherwise.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        options: Options,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options, self._sleep = options, sleep
        self._http = httpx.Client(timeout=options.timeout_s, transport=transport, follow_redirects=False)
        self.last_tag = ""
        """Entity tag of what the last call returned: what a write gives as `if_match` to meet just that."""
        super().__init__(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._options.url!r})"

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._options.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Return the answer to a call.

        Raises:
            ApiError: the server said no; the class says which no.
            NoAnswer, BadAnswer: nothing came back, or what is not of the documented form.
        """
        value: T
        value, answer = self._tried(call, prepare(self._options, call))
        self.last_tag = answer.headers.get("etag", "")
        return value

    def items(self, page: Paged[T]) -> Iterator[T]:
        """Yield what all pages hold; each is fetched when it is needed. Raises: as `send`."""
        request = prepare(self._options, page.call)
        while True:
            found, answer = self._tried(page.call, request)
            yield from found
            url = next_page(request, answer)
            if not url:
                return
            request = replace(request, url=url, query={})

    def _tried(self, call: Call[Any], request: Request) -> tuple[Any, Answer]:
        steps = trying(self._options, call, request)
        step = next(steps)
        while True:
            outcome = self._once(step) if isinstance(step, Request) else None
            if not isinstance(step, Request):
                self._sleep(step)
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                value: tuple[Any, Answer] = done.value
                return value

    def _once(self, request: Request) -> Answer | NoAnswer:
        try:
            with self._http.stream(**_sending(request)) as response:
                body = bytearray()
                for piece in response.iter_bytes():
                    _grow(body, piece, self._options)
                return _answer(response, bytes(body))
        except httpx.HTTPError as error:
            return _no_answer(error)


class AsyncClient(AsyncOperations):
    """The operations of a server, for `await`: `async with AsyncClient(Options(url, token)) as client: …`.

    Args: as of `Client`; `sleep` is awaited.
    """

    def __init__(
        self,
        options: Options,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options, self._sleep = options, sleep
        self._http = httpx.AsyncClient(timeout=options.timeout_s, transport=transport, follow_redirects=False)
        self.last_tag = ""
        """Entity tag of what the last call returned: what a write gives as `if_match` to meet just that."""
        super().__init__(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._options.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Return the answer to a call. Raises: as `Client.send`."""
        value: T
        value, answer = await self._tried(call, prepare(self._options, call))
        self.last_tag = answer.headers.get("etag", "")
        return value

    async def items(self, page: Paged[T]) -> AsyncIterator[T]:
        """Yield what all pages hold; each is fetched when it is needed. Raises: as `Client.send`."""
        request = prepare(self._options, page.call)
        while True:
            found, answer = await self._tried(page.call, request)
            for one in found:
                yield one
            url = next_page(request, answer)
            if not url:
                return
            request = replace(request, url=url, query={})

    async def _tried(self, call: Call[Any], request: Request) -> tuple[Any, Answer]:
        steps = trying(self._options, call, request)
        step = next(steps)
        while True:
            outcome = await self._once(step) if isinstance(step, Request) else None
            if not isinstance(step, Request):
                await self._sleep(step)
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                value: tuple[Any, Answer] = done.value
                return value

    async def _once(self, request: Request) -> Answer | NoAnswer:
        try:
            async with self._http.stream(**_sending(request)) as response:
                body = bytearray()
                async for piece in response.aiter_bytes():
                    _grow(body, piece, self._options)
                return _answer(response, bytes(body))
        except httpx.HTTPError as error:
            return _no_answer(error)


def _sending(request: Request) -> dict[str, Any]:
    query = dict(request.query) or None  # an empty one would cut the query off a next page's address
    return {
        "method": request.method,
        "url": request.url,
        "params": query,
        "headers": dict(request.headers),
        "content": request.body,
    }


def _answer(response: httpx.Response, body: bytes) -> Answer:
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


def _grow(body: bytearray, piece: bytes, options: Options) -> None:
    body += piece
    if len(body) > options.max_answer_bytes:
        raise BadAnswer(f"expected an answer of at most {options.max_answer_bytes} bytes, got more")


def _no_answer(error: httpx.HTTPError) -> NoAnswer:
    return NoAnswer(TOO_SLOW if isinstance(error, httpx.TimeoutException) else NO_CONNECTION)
