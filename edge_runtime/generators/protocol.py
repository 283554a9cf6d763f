"""What a run asks of a language model, and what every generator gives: the one protocol between them.

    for piece in generator.answer(Ask(disclosure, schema=prompt.output, max_tokens=prompt.max_tokens), wire): ...

Promises: 1. an off-device generator takes a `Disclosure` and nothing else, one on this device an `OnDevice` text and
nothing else, by type. 2. `answer` gives pieces as they arrive, or raises `Unavailable`, at its first piece or in the
middle; its message holds no text of anybody. An answer that ends without an error is whole: one that was cut off, or
has neither text nor a call in it, is an error. 3. A `Wire` lets `MAX_REQUESTS` of a run leave the device: one, and one
more. 4. No repr shows a text.
Does not: restore placeholders (see `core.restoring`), check an answer, or decide (see `running`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.reply import Usage
from edge_runtime.tracing import Asked

__all__ = ["MAX_REQUESTS", "Ask", "CallPart", "Generator", "NotAsked", "OnDevice", "Piece", "Scan", "Wire"]

MAX_REQUESTS = 2
"""How many requests of one run may leave the device, whatever they are for: one, and one more."""

Scan = Callable[[bytes], tuple[str, ...]]
"""Gives the types of the raw values that outgoing bytes hold; any of them refuses the send."""


@frozen
class OnDevice:
    """An instruction that stays on this device, with the values as they are. No cloud generator takes it."""

    text: str = member(repr=False)
    prompt: str


@frozen
class Ask:
    """One question: the instruction, and what the approved prompt says of the answer.

    `schema` is the JSON Schema of the output, for servers that can keep to one; `tools` are those that the prompt
    declares and this run allows, each `{"name", "description", "parameters"}`.
    """

    instruction: Disclosure | OnDevice
    max_tokens: int
    schema: JsonObject | None = member(default=None, repr=False)
    tools: tuple[JsonObject, ...] = member(default=(), repr=False)


@frozen
class CallPart:
    """A fragment of a tool call. Fragments with one `index` belong together; `id` and `name` come with the first."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = member(default="", repr=False)


@frozen
class Piece:
    """A piece of an answer: text, or a part of a tool call, or what the server says that it counted."""

    text: str = member(default="", repr=False)
    call: CallPart | None = None
    usage: Usage | None = None


class NotAsked(Unavailable):
    """Nobody was asked: the scan refused, a budget or a run is used up. It says nothing about the model."""


class Generator(Protocol):
    """Who can answer.

    `place` is how far a text goes that is given to it. `device`: nowhere. `redacted`: to a server that is given
    redacted text only, also where the policy would let it go as it is. `cloud`: to a server that is given what the
    policy disclosed.
    """

    @property
    def name(self) -> str:
        """What replies and their lineage call it."""
        ...

    @property
    def place(self) -> Route:
        """How far a text goes that is given to it."""
        ...

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Yield the answer in pieces.

        Raises:
            Unavailable: refused, not installed, or no whole answer in time.
        """
        ...


class Wire:
    """What left the device in one run: scans each request, counts what went, remembers why it refused.

    It outlives a failed request, so that a run can say what left although no answer came.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self.requests = 0
        self.sent_bytes = 0
        self.disclosure: Disclosure | None = None
        """What is about to leave, or left last."""
        self.disclosures: tuple[Disclosure, ...] = ()
        """All that left, in order."""
        self.refused: tuple[str, ...] = ()
        self.stopped = False
        self.began_ns = time.time_ns()
        self.usage = Usage()
        """The tokens of all attempts."""
        self.asked: list[Asked] = []
        """The attempts at models in this run, for an app that traces."""
        self.given_up: set[object] = set()
        """Who was too slow in this run to be asked once more."""

    @property
    def went(self) -> Route:
        """How far what left of this run went: `device` for nothing."""
        return max((Route[one.route.upper()] for one in self.disclosures), default=Route.DEVICE)

    def stop(self) -> None:
        """End whatever waits for a model in this run, within a moment; from any thread."""
        self.stopped = True

    def begin(self, disclosure: Disclosure) -> None:
        """Count a request that is about to leave the device.

        Raises:
            NotAsked: the run has used up what it may send, or was stopped.
        """
        if self.requests >= MAX_REQUESTS or self.stopped:
            raise NotAsked(f"expected at most {MAX_REQUESTS} requests in one run that goes on")
        self.requests += 1
        self.disclosure = disclosure

    def check(self, outgoing: bytes) -> None:
        """Scan what is about to leave.

        Raises:
            NotAsked: it holds a raw value; nothing may be sent. So too if the scan itself fails.
        """
        self.refused = self._scan(outgoing)
        if self.refused:
            raise NotAsked(f"refused to send: {', '.join(self.refused)} in the outgoing bytes")

    def sent(self, size_bytes: int) -> None:
        """Count what leaves; from here on it may have."""
        self.sent_bytes += size_bytes
        if self.disclosure is not None and self.disclosure not in self.disclosures:
            self.disclosures = (*self.disclosures, self.disclosure)
