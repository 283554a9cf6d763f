"""Ask one cloud model for a whole text: what a run does with a generator, in one call."""

from __future__ import annotations

from edge_runtime.core.disclosure import Disclosure
from edge_runtime.generators.cloud import CloudGenerator, CloudModel, require_installed
from edge_runtime.generators.protocol import Ask, Wire

__all__ = ["CloudModel", "Wire", "complete", "require_installed"]


def complete(disclosure: Disclosure, model: CloudModel, *, wire: Wire, max_tokens: int) -> str:
    """Send `disclosure` to `model` over `wire` and return the text of its answer.

    Raises:
        Unavailable: refused by the scan, not installed, or no usable answer in time; the message has no text in it.
    """
    return "".join(piece.text for piece in CloudGenerator(model).answer(Ask(disclosure, max_tokens=max_tokens), wire))
