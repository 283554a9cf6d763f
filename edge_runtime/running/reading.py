"""Reading in a run: each text once, and by form alone where the model fails, which keeps the run on this device.

Promises: whatever becomes of a model, a run goes on; no text is kept beyond it. Does not: decide (see `beginning`).
"""

from __future__ import annotations

from functools import cache

from edge_runtime.core.reader import Reading
from edge_runtime.running.talk import Talk

__all__ = ["Reads"]


class Reads:
    """The readings of one run. `failed` once a text could not be read with the model."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._whole = cache(talk.read)
        self.failed = False

    def __call__(self, text: str) -> Reading:
        """Return the reading of a text.

        Raises:
            InvalidDocument: it is too long to be read.
        """
        try:
            return self._whole(text)
        except Exception:  # noqa: BLE001 - a model may fail in any way, and a library say so in any
            reading = self._talk.read_by_form(text)
            self.failed = True
            return reading

    def whole(self, text: str) -> Reading:
        """Return the reading of a text, or raise what the model raises: what is to leave is read whole or not sent."""
        return self._whole(text)
