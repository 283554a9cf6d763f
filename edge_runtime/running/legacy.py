"""One cloud model as a generator, until `generators.routing` says who may answer."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime import cloud
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.policy import Route
from edge_runtime.generators.protocol import Ask, Piece, Wire

__all__ = ["Cloud"]


class Cloud:
    """The one model of `EdgeRuntime.cloud`."""

    place = Route.CLOUD

    def __init__(self, model: cloud.CloudModel) -> None:
        self._model = model
        self.name = model.name

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Yield the answer in one piece."""
        if not isinstance(ask.instruction, Disclosure):
            raise TypeError("expected a Disclosure")
        wire.begin(ask.instruction)
        sending = cloud.Wire(wire._scan)  # noqa: SLF001 - until the wire is one
        try:
            yield Piece(cloud.complete(ask.instruction, self._model, wire=sending, max_tokens=ask.max_tokens))
        finally:
            wire.sent_bytes += sending.sent_bytes
