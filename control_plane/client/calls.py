"""Calls: requests as values. `api` makes them, `http` sends them, tests compare them with the OpenAPI document.

Does not: know HTTP libraries.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar
from urllib.parse import quote

__all__ = [
    "AsyncGroup",
    "AsyncSender",
    "Call",
    "Group",
    "Paged",
    "Sender",
    "given",
    "later",
    "later_items",
    "now",
    "now_items",
    "segment",
]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request: `answer` is the type of what comes back, `body` is None for a request without one.

    The body may hold a passphrase, so it is kept out of the representation.
    """

    method: str
    path: str
    answer: Any
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """A request whose answer goes on: `call` asks for the first page of a list of `T`."""

    call: Call[tuple[T, ...]]


class Sender(Protocol):
    """What sends calls and waits."""

    def send(self, call: Call[T]) -> T:
        """Return the answer to a call."""
        ...

    def items(self, page: Paged[T]) -> Iterator[T]:
        """Yield what all pages hold."""
        ...


class AsyncSender(Protocol):
    """What sends calls while other things go on."""

    async def send(self, call: Call[T]) -> T:
        """Return the answer to a call."""
        ...

    def items(self, page: Paged[T]) -> AsyncIterator[T]:
        """Yield what all pages hold."""
        ...


class Group:
    """The operations under one path, sent by a `Client`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender


class AsyncGroup:
    """The operations under one path, sent by an `AsyncClient`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender


def now(make: Callable[P, Call[T]]) -> Callable[Concatenate[Group, P], T]:
    """Return the method that sends what `make` makes."""

    @wraps(make)
    def method(group: Group, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return group._sender.send(make(*args, **kwargs))  # noqa: SLF001 - these are methods of the group

    return method


def now_items(make: Callable[P, Paged[T]]) -> Callable[Concatenate[Group, P], Iterator[T]]:
    """Return the method that yields what all pages hold."""

    @wraps(make)
    def method(group: Group, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return group._sender.items(make(*args, **kwargs))  # noqa: SLF001

    return method


def later(make: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncGroup, P], Awaitable[T]]:
    """Return the coroutine method that sends what `make` makes."""

    @wraps(make)
    async def method(group: AsyncGroup, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await group._sender.send(make(*args, **kwargs))  # noqa: SLF001

    return method


def later_items(make: Callable[P, Paged[T]]) -> Callable[Concatenate[AsyncGroup, P], AsyncIterator[T]]:
    """Return the method that yields what all pages hold, for `async for`."""

    @wraps(make)
    def method(group: AsyncGroup, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return group._sender.items(make(*args, **kwargs))  # noqa: SLF001

    return method


def given(**values: Any) -> dict[str, Any]:
    """Return the values that were given: those that are not None.

    >>> given(state="open", cursor=None)
    {'state': 'open'}
    """
    return {name: value for name, value in values.items() if value is not None}


def segment(value: object) -> str:
    """Return a value as one segment of a path; what could lead elsewhere is escaped.

    >>> segment("a/../b?c")
    'a%2F..%2Fb%3Fc'
    >>> segment("..")
    '%2E%2E'
    """
    text = quote(str(value), safe="")
    return text.replace(".", "%2E") if text in {".", ".."} else text
