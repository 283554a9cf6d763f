"""From the bytes of an OpenAI-compatible answer to its pieces: a stream of events, or one JSON object.

Promises: strict where it matters: an answer is whole only if it says so, whatever is no JSON of the known form is
refused, and no more is kept in memory than one event. Does not: fetch, or know what an answer means.
Source: the OpenAI API, chat completions; HTML Standard, server-sent events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from edge_runtime.core.errors import Unavailable
from edge_runtime.generators.protocol import CallPart, Piece
from edge_runtime.reply import Usage

__all__ = ["pieces_of_events", "pieces_of_object"]

MAX_EVENT_BYTES = 1_000_000
MAX_CALLS = 1000
MAX_TOKENS = 10**9


def pieces_of_events(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Yield the pieces of a stream of events.

    Raises:
        Unavailable: an event is of another form, or the stream ends before it says that it is done.
    """
    done = False
    for line in _lines(chunks):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        event = _event(data)
        choice = _choice(event)
        done = done or bool(choice.get("finish_reason"))
        yield from _pieces(choice.get("delta") or {})
        yield from _usage(event)
    if not done:
        raise Unavailable("expected a whole answer, got one that was cut off")


def pieces_of_object(data: bytes) -> Iterator[Piece]:
    """Yield the pieces of an answer that came as one object.

    Raises:
        Unavailable: it is of another form.
    """
    event = _event(data)
    choice = _choice(event)
    if not choice.get("finish_reason"):
        raise Unavailable("expected a whole answer, got one that was cut off")
    yield from _pieces(choice.get("message") or {})
    yield from _usage(event)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    begun = b""
    for chunk in chunks:
        *whole, begun = (begun + chunk).split(b"\n")
        if len(begun) > MAX_EVENT_BYTES:
            raise Unavailable("expected an event of an answer, got one without end")
        yield from whole
    yield begun


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise Unavailable("expected an event of an answer, got something else")
    return event


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    """Return the first choice of an event; an event without one, such as a count of tokens, has an empty one."""
    choices = event.get("choices")
    choice = None
    if isinstance(choices, list):
        choice = choices[0] if choices else {}
    if not isinstance(choice, dict):
        raise Unavailable("expected an event of an answer, got something else")
    return choice


def _usage(event: dict[str, Any]) -> Iterator[Piece]:
    """Yield what a server says that it counted, if that is a count."""
    told = event.get("usage")
    if isinstance(told, dict):
        counts = [told.get(name) for name in ("prompt_tokens", "completion_tokens")]
        given, got = (one if type(one) is int and 0 <= one <= MAX_TOKENS else None for one in counts)
        if given is not None and got is not None:
            yield Piece(usage=Usage(given, got))


def _pieces(said: Any) -> Iterator[Piece]:
    try:
        text, calls = said.get("content") or "", said.get("tool_calls") or ()
        pieces = [Piece(_text(text))] if text else []
        pieces += [Piece(call=_part(number, call)) for number, call in enumerate(calls)]
    except (AttributeError, TypeError, ValueError):
        pieces = None
    if pieces is None:
        raise Unavailable("expected an answer of texts and calls, got something else")
    yield from pieces


def _part(number: int, call: dict[str, Any]) -> CallPart:
    made = call.get("function") or {}
    index = call.get("index", number)
    if type(index) is not int or not 0 <= index < MAX_CALLS:
        raise TypeError("expected the number of a call")
    return CallPart(
        index,
        _text(call.get("id") or ""),
        _text(made.get("name") or ""),
        arguments=_text(made.get("arguments") or ""),
    )


def _text(value: object) -> str:
    """Return a text of an event; half a character, which JSON can hold and no file, becomes a mark."""
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
