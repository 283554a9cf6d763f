"""An answer as it arrives: put together and restored, a placeholder cut in two included, in text and in tool calls.

Promises: an app that wants no more is heard between two pieces. Does not: check.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from edge_runtime.core.raw_values import PlaceholderTable
from edge_runtime.core.restoring import Restorer
from edge_runtime.generators.protocol import CallPart, Piece, Wire
from edge_runtime.running.checking import Answer, Called
from edge_runtime.running.records import Stopped
from edge_runtime.running.showing import Showing

__all__ = ["listen"]


class _Restoring:
    """Restores one text in JSON; where nothing was covered, it stays as it is."""

    def __init__(self, table: PlaceholderTable | None) -> None:
        self._restorer = Restorer(table, json_strings=True) if table is not None else None
        self.text = ""

    def feed(self, piece: str) -> str:
        told = self._restorer.feed(piece) if self._restorer else piece
        self.text += told
        return told

    def close(self) -> tuple[str, ...]:
        self.text += self._restorer.close() if self._restorer else ""
        return self._restorer.unknown if self._restorer else ()


class _Call:
    def __init__(self, table: PlaceholderTable | None) -> None:
        self.id = self.name = ""
        self.arguments = _Restoring(table)

    def add(self, part: CallPart) -> None:
        self.id = self.id or part.id
        self.name = self.name or part.name
        self.arguments.feed(part.arguments)


def listen(
    pieces: Iterator[Piece], table: PlaceholderTable | None, showing: Showing, *, wire: Wire
) -> Generator[str, None, Answer]:
    """Yield what may be shown as it comes, and return the whole answer.

    Raises:
        Unavailable: it broke off.
        Stopped: the app wants no more.
    """
    text = _Restoring(table)
    calls: dict[int, _Call] = {}
    for piece in pieces:
        if wire.stopped:
            raise Stopped
        if piece.call is not None:
            calls.setdefault(piece.call.index, _Call(table)).add(piece.call)
        yield from showing.feed(text.feed(piece.text))
    unknown = [*text.close(), *(name for call in calls.values() for name in call.arguments.close())]
    called = tuple(Called(call.id, call.name, call.arguments.text) for _, call in sorted(calls.items()))
    return Answer(text.text, called, tuple(dict.fromkeys(unknown)))
