"""Reading in a run: each text once, and by form alone where the model fails, which keeps the run on this device.

Promises: whatever becomes of a model, a run goes on; one that does not answer is waited for once, not for each text; no
text is kept beyond the run. Does not: decide (see `beginning`).
"""

from __future__ import annotations

from edge_runtime.core.errors import Unavailable
from edge_runtime.core.reader import Reading
from edge_runtime.running.talk import Talk

__all__ = ["Reads"]


class Reads:
    """The readings of one run. `failed` once a text could not be read with the model."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._whole: dict[str, Reading] = {}
        self._by_form: dict[str, Reading] = {}
        self._hangs = False
        self.failed = False

    def __call__(self, text: str) -> Reading:
        """Return the reading of a text.

        Raises:
            InvalidDocument: it is too long to be read.
        """
        if text in self._by_form:
            return self._by_form[text]
        try:
            return self.whole(text)
        except Exception as error:  # noqa: BLE001 - a model may fail in any way, and a library say so in any
            self._hangs = self._hangs or isinstance(error.__cause__, TimeoutError)
            reading = self._by_form[text] = self._talk.read_by_form(text)
            self.failed = True
            return reading

    def whole(self, text: str) -> Reading:
        """Return the reading of a text, or raise what the model raises: what is to leave is read whole or not sent."""
        if text not in self._whole:
            if self._hangs:
                raise Unavailable("expected a model that answers, got one that does not") from TimeoutError()
            self._whole[text] = self._talk.read(text)
        return self._whole[text]
