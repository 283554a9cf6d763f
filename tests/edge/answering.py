"""Language models for tests: they give what they were told to, piece by piece, and remember what they were asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.generators.protocol import Ask, CallPart, Generator, Piece, Wire

__all__ = ["Fixed", "Scripted", "calling", "cut", "said"]


class Scripted:
    """Gives the next of its answers, the last one for good; an answer of None is no answer."""

    def __init__(self, *answers: Iterable[Piece] | None, name: str = "scripted", place: Route = Route.CLOUD) -> None:
        self._answers = [None if answer is None else tuple(answer) for answer in answers]
        self.name = name
        self.place = place
        self.asked: list[Ask] = []
        self.closed = 0

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Give an answer in its pieces."""
        self.asked.append(ask)
        text = ask.instruction.text
        if isinstance(ask.instruction, Disclosure):
            wire.begin(ask.instruction)
            wire.check(text.encode())
            wire.sent(len(text.encode()))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is None:
            raise Unavailable("expected an answer, got none")
        try:
            yield from answer
        finally:
            self.closed += 1


class Fixed:
    """Who may answer, whatever the route."""

    def __init__(self, *generators: Generator) -> None:
        self._generators = generators

    def order(self, route: Route) -> tuple[Generator, ...]:
        """Return them all, but none that a route does not allow."""
        return tuple(one for one in self._generators if one.place <= route or route > Route.DEVICE)


def said(answer: Any) -> list[Piece]:
    """Return an answer that comes at once: a text, or a JSON value."""
    return [Piece(answer if isinstance(answer, str) else json.dumps(answer))]


def cut(answer: Any, *, at_most: int = 1) -> list[Piece]:
    """Return an answer that comes in pieces of so many characters."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return [Piece(text[at : at + at_most]) for at in range(0, len(text), at_most)]


def calling(name: str, arguments: Any, *, number: int = 0) -> list[Piece]:
    """Return a call of a tool, its arguments cut in two."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    half = len(text) // 2
    return [
        Piece(call=CallPart(number, f"call-{number}", name, text[:half])),
        Piece(call=CallPart(number, arguments=text[half:])),
    ]
