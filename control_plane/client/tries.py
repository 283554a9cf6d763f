"""What both clients do with a call and its answers, without sending anything: headers, keys, when to try again.

Promises: the token stands in one header and nowhere else; a write carries the same `Idempotency-Key` in each of its
tries, so that an answer that got lost does not act twice; only what says "not now" is tried again (no connection, too
slow, 429, 502, 503, 504, a write that is still being carried out), a few times, later each time, and not before the
server said. Redirects are not followed: a token goes to the address it was given for.
Source: RFC 9457, RFC 9110, RFC 8288.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from control_plane.client.calls import Call
from control_plane.client.errors import ApiError, BadAnswer, NoAnswer, Problem, error_of
from control_plane.client.forms import decode, encode
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.hosts import is_this_machine

__all__ = ["Answer", "Options", "Request", "judge", "next_page", "prepare", "trying", "wait_s"]

_WRITES = frozenset({"DELETE", "PATCH", "POST", "PUT"})
_NOT_NOW = frozenset({429, 502, 503, 504})
_NEXT = re.compile(r'<([^<>]{1,4000})>\s*;[^,]*\brel="?next"?')
MAX_SHOWN = 500
MIN_TOKEN_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Options:
    """Where a client asks and how patiently.

    url               of the server, such as `https://coach.example`; plain http for this machine only
    token             an API token; "" for what is public
    timeout_s         for connecting, and between two pieces of an answer
    tries             most tries of one call
    longest_wait_s    the longest wait before another try; a server that asks for more is given up on
    max_answer_bytes  of one answer
    """

    url: str
    token: str = field(default="", repr=False)
    timeout_s: float = 30.0
    tries: int = 4
    longest_wait_s: float = 20.0
    max_answer_bytes: int = 64_000_000
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise InvalidDocument("expected the address of a server, such as https://coach.example")
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            raise InvalidDocument("expected an https address: a token must not travel in the clear")
        if self.token and (len(self.token) < MIN_TOKEN_LENGTH or not re.fullmatch(r"[\x21-\x7e]+", self.token)):
            raise InvalidDocument("expected a token in one line of visible characters")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as an HTTP library sends it; headers hold the token, so they are kept out of the representation."""

    method: str
    url: str
    query: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def prepare(options: Options, call: Call[Any]) -> Request:
    """Return the request of a call; every try of it is this one."""
    headers = {"Accept": "application/json, application/problem+json, */*;q=0.5", "User-Agent": "mentorplane-client/1"}
    if options.token:
        headers["Authorization"] = f"Bearer {options.token}"
    if call.method in _WRITES:
        headers["Idempotency-Key"] = str(uuid4())
    headers |= {name: str(value) for name, value in call.headers.items()}
    body = None
    if call.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(encode(call.body), ensure_ascii=False).encode()
    query = {name: _in_query(value) for name, value in call.query.items()}
    return Request(call.method, options.url.rstrip("/") + call.path, query, headers, body)


def trying(
    options: Options, call: Call[Any], request: Request
) -> Generator[Request | float, Answer | NoAnswer | None, tuple[Any, Answer]]:
    """Yield what is to be done, and return the answer to a call, as its type and as it came.

    For each `Request` that is yielded, send back its answer, or the error that says that none came; for each number,
    send None after so many seconds.

    Raises:
        ApiError, BadAnswer: see `judge`.
        NoAnswer: nothing came back in any try.
    """
    for tried in range(1, options.tries + 1):
        outcome = yield request
        error: ApiError | NoAnswer
        after_s = None
        if isinstance(outcome, NoAnswer):
            error = outcome
        else:
            assert outcome is not None
            if not _is_not_now(outcome):
                return judge(call, outcome), outcome
            error = error_of(_problem(outcome))
            after_s = error.problem.retry_after_s
        wait = wait_s(options, tried, after_s)
        if wait is None:
            raise error
        yield wait
    raise AssertionError


def judge(call: Call[Any], answer: Answer) -> Any:
    """Return what an answer says as the type that the call wants.

    Raises:
        ApiError: the server said no.
        BadAnswer: the answer is not of the documented form.
    """
    if answer.status >= 400:
        raise error_of(_problem(answer))
    if answer.status >= 300:
        raise BadAnswer(f"expected an answer, got a redirection (HTTP status {answer.status})")
    if call.answer is bytes:
        return answer.body
    media = answer.headers.get("content-type", "").partition(";")[0].strip()
    if call.answer is str and media.startswith("text/"):
        return answer.body.decode("utf-8", "replace")
    if call.answer is type(None):
        return None
    if media != "application/json":
        raise BadAnswer(f"expected JSON, got {media[:80] or 'an answer without a type'}")
    try:
        value = json.loads(answer.body)
    except ValueError as error:
        raise BadAnswer("expected JSON, got what does not parse") from error
    return decode(call.answer, value)


def next_page(request: Request, answer: Answer) -> str:
    """Return the address of the page after this one, "" if it was the last; it must be on the same server."""
    found = _NEXT.search(answer.headers.get("link", ""))
    if not found:
        return ""
    url: str = urljoin(request.url, found[1])
    if urlsplit(url)[:2] != urlsplit(request.url)[:2]:
        raise BadAnswer("expected the next page on the same server")
    return url


def wait_s(options: Options, tried: int, after_s: float | None) -> float | None:
    """Return how long to wait before the next try; None to give up.

    Args:
        options: of the client.
        tried: how many tries were made.
        after_s: what the server asked for, if it did.
    """
    if tried >= options.tries or (after_s or 0) > options.longest_wait_s:
        return None
    backoff = min(options.longest_wait_s, 0.25 * 2**tried) * options.jitter()
    return float(max(after_s or 0.0, backoff))


def _is_not_now(answer: Answer) -> bool:
    """Return whether an answer asks to come again; a conflict does if the very same write is being carried out."""
    return answer.status in _NOT_NOW or (answer.status == 409 and "retry-after" in answer.headers)


def _problem(answer: Answer) -> Problem:
    """Return the problem that an answer tells, whoever made it: a proxy in between may not speak our form."""
    told: Any = {}
    if answer.headers.get("content-type", "").startswith(("application/problem+json", "application/json")):
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = {}
    told = told if isinstance(told, dict) else {}
    text = {name: str(told.get(name, ""))[:MAX_SHOWN] for name in ("title", "detail", "hint", "type")}
    request_id = answer.headers.get("x-request-id") or str(told.get("request", ""))
    return Problem(
        answer.status,
        title=text["title"],
        detail=text["detail"],
        hint=text["hint"],
        type=text["type"] or "about:blank",
        request_id=request_id[:80],
        retry_after_s=_after_s(answer.headers),
    )


def _after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for: a number, or a date by the server's own clock."""
    said = headers.get("retry-after", "")
    if said.isdigit() and len(said) <= 9:
        return float(said)
    try:
        until = parsedate_to_datetime(said)
        asked = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, (_aware(until) - _aware(asked)).total_seconds())


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _in_query(value: Any) -> Any:
    value = encode(value)
    return str(value).lower() if isinstance(value, bool) else value
