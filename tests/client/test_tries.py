"""What a client does with answers: types, errors, tries, pages; and where a token may go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from control_plane.client import (
    ApiConflict,
    ApiError,
    ApiInvalid,
    ApiNotFound,
    ApiNotSignedIn,
    ApiRefused,
    ApiUnavailable,
    AsyncClient,
    BadAnswer,
    Client,
    NoAnswer,
    Options,
)
from control_plane.client.calls import Call, Paged
from control_plane.client.records import Health
from control_plane.errors import Conflict, NotFound, NotSignedIn, Refused
from edge_runtime.core.errors import InvalidDocument, Unavailable

TOKEN = "mp_0123456789abcdef"
OK = {"status": "ok", "release": 3, "warnings": []}
Answering = Callable[[httpx.Request], httpx.Response]


def client(answering: Answering, slept: list[float] | None = None, **options: Any) -> Client:
    """Return a client whose requests a function answers, and which notes how long it would sleep."""
    waits = [] if slept is None else slept
    settings = Options("https://coach.example", TOKEN, jitter=lambda: 1.0, **options)
    return Client(settings, transport=httpx.MockTransport(answering), sleep=waits.append)


def health(**changes: object) -> dict[str, object]:
    """Return what the server says of its health; the members that it has depend on its version."""
    members = {field: OK.get(field, "x") for field in Health.__dataclass_fields__}
    return {**members, **changes}


@pytest.mark.parametrize(
    ("status", "kind", "at_home"),
    [
        (401, ApiNotSignedIn, NotSignedIn),
        (403, ApiRefused, Refused),
        (404, ApiNotFound, NotFound),
        (409, ApiConflict, Conflict),
        (412, ApiConflict, Conflict),
        (422, ApiInvalid, InvalidDocument),
        (500, ApiUnavailable, Unavailable),
        (418, ApiError, ApiError),
    ],
)
def test_a_problem_is_the_error_that_the_use_case_raises(
    status: int, kind: type[ApiError], at_home: type[Exception]
) -> None:
    """Each status is one class, an `except` of the error at home as well, with the words of the server."""
    problem = {"title": "T", "status": status, "detail": "expected this, got that", "hint": "look again"}
    answer = httpx.Response(
        status, json=problem, headers={"Content-Type": "application/problem+json", "X-Request-Id": "r-17"}
    )
    with pytest.raises(kind) as caught:
        client(lambda _: answer).health.get()
    assert isinstance(caught.value, at_home)
    assert (caught.value.problem.detail, caught.value.hint) == ("expected this, got that", "look again")
    assert caught.value.request_id == "r-17"
    assert str(caught.value) == "expected this, got that (request r-17)"
    assert TOKEN not in repr(caught.value)


def test_a_write_is_tried_again_with_the_same_key() -> None:
    """After no connection, 503 and 429 the same write goes out again, later each time, with one idempotency key."""
    keys, slept = [], []  # type: list[str], list[float]
    answers = [
        httpx.ConnectError("down"),
        httpx.Response(503, headers={"Retry-After": "1"}),
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(201, json={"done": True}),
    ]

    def answering(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        one = answers[len(keys) - 1]
        if isinstance(one, Exception):
            raise one
        return one

    call: Call[Any] = Call("POST", "/v1/x", Any, body={"a": 1})
    assert client(answering, slept).send(call) == {"done": True}
    assert len(set(keys)) == 1
    assert slept == [0.5, 1.0, 7.0]
    assert client(lambda _: httpx.Response(200, json=1)).send(call) == 1


def test_tries_come_to_an_end() -> None:
    """A server that stays away, or asks for more patience than allowed, is given up on."""
    slept: list[float] = []
    with pytest.raises(ApiUnavailable):
        client(lambda _: httpx.Response(503), slept, tries=3).health.get()
    assert len(slept) == 2
    slept.clear()
    with pytest.raises(ApiUnavailable) as caught:
        client(lambda _: httpx.Response(429, headers={"Retry-After": "3600"}), slept).health.get()
    assert (slept, caught.value.problem.retry_after_s) == ([], 3600.0)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(NoAnswer, match="within the time"):
        client(silent, tries=2).health.get()


def test_what_is_refused_is_not_tried_again() -> None:
    """An answer that means no is final: one request."""
    seen = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(409, json={"detail": "no"}, headers={"Content-Type": "application/problem+json"})

    with pytest.raises(ApiConflict):
        client(answering).health.get()
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json=health(release="3")),
        httpx.Response(200, json=health(release=True)),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, content=b"{", headers={"Content-Type": "application/json"}),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
    ],
)
def test_an_answer_of_another_form_is_refused(answer: httpx.Response) -> None:
    """A member that is missing or of another type, a page of a proxy, a redirection: none is taken for an answer."""
    with pytest.raises(BadAnswer):
        client(lambda _: answer).health.get()


def test_members_that_this_client_does_not_know_are_passed_over() -> None:
    """A newer server can be asked."""
    assert client(lambda _: httpx.Response(200, json=health(new=1))).health.get().release == 3


def test_an_endless_answer_is_cut_off() -> None:
    """No server fills the memory."""
    with pytest.raises(BadAnswer, match="at most 10 bytes"):
        client(lambda _: httpx.Response(200, json=[1] * 50), max_answer_bytes=10).health.get()


def test_attack_a_token_sent_elsewhere() -> None:
    """A token goes to https or this machine, never along a redirection or to the next page on another server."""
    for url in (
        "http://coach.example",
        "ftp://x",
        "https://u:p@coach.example",
        "coach.example",
        "https://c.example/?q",
    ):
        with pytest.raises(InvalidDocument):
            Options(url, TOKEN)
    for url in ("http://127.0.0.1:8420", "http://localhost:1", "http://[::1]:1", "https://coach.example/below"):
        Options(url, TOKEN)
    with pytest.raises(InvalidDocument):
        Options("https://coach.example", "mp_1234567\r\nX-Evil: 1")
    page: Paged[int] = Paged(Call("GET", "/v1/x", tuple[int, ...]))
    elsewhere = httpx.Response(200, json=[1], headers={"Link": '<https://evil.example/v1/x?cursor=2>; rel="next"'})
    with pytest.raises(BadAnswer, match="same server"):
        list(client(lambda _: elsewhere).items(page))


def test_pages_are_fetched_as_they_are_needed() -> None:
    """An iterator over all pages asks for the next one only when this one is used up."""
    asked = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        number = int(request.url.params.get("cursor", "0"))
        link = {"Link": f'</v1/x?state=open&cursor={number + 1}>; rel="next"'} if number < 2 else {}
        return httpx.Response(200, json=[number, number], headers=link)

    page: Paged[int] = Paged(Call("GET", "/v1/x", tuple[int, ...], query={"state": "open"}))
    found = client(answering).items(page)
    assert [next(found), next(found)] == [0, 0]
    assert len(asked) == 1
    assert list(found) == [1, 1, 2, 2]
    assert asked[-1].endswith("/v1/x?state=open&cursor=2")


def test_the_same_for_await() -> None:
    """The asynchronous client sends the same requests, tries again and pages alike."""
    seen: list[str] = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        if len(seen) == 1:
            raise httpx.ConnectError("down")
        if request.url.path == "/v1/x":
            return httpx.Response(
                200, content=json.dumps([1, 2]).encode(), headers={"Content-Type": "application/json"}
            )
        return httpx.Response(200, json=health())

    async def never(_seconds: float) -> None:
        return None

    async def run() -> tuple[int, list[int]]:
        options = Options("https://coach.example", TOKEN)
        async with AsyncClient(options, transport=httpx.MockTransport(answering), sleep=never) as one:
            found = (await one.health.get()).release
            page: Paged[int] = Paged(Call("GET", "/v1/x", tuple[int, ...]))
            return found, [item async for item in one.items(page)]

    assert asyncio.run(run()) == (3, [1, 2])
    assert seen == ["/v1/health", "/v1/health", "/v1/x"]
    assert TOKEN not in repr(AsyncClient(Options("https://coach.example", TOKEN)))
