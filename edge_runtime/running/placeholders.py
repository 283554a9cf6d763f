"""The placeholders of one conversation, for as many threads as run in it at once.

Promises: one value has one placeholder and one placeholder one value, whatever runs at the same time: the table changes
as a whole, under a lock, and every text is read before the lock is taken. No repr shows a value.
Does not: keep the table beyond the session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge_runtime.core.reader import Reading
from edge_runtime.core.redaction import (
    PlaceholderTable,
    Redacted,
    Restored,
    cover_inputs,
    find_raw_values,
    redact,
    restore,
)

__all__ = ["Placeholders"]


class Placeholders:
    """Which value has which placeholder. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._table = PlaceholderTable()

    @property
    def table(self) -> PlaceholderTable:
        """The table as it is now."""
        return self._table

    def redact(self, text: str, reading: Reading) -> Redacted:
        """Return `text` with every finding of its reading covered."""
        with self._lock:
            redacted, self._table = redact(text, reading, self._table)
        return redacted

    def cover(self, values: Mapping[str, Any], read: Callable[[str], Reading]) -> dict[str, Any]:
        """Return inputs with every finding covered; a list as one text, as it was read; numbers and choices too."""
        texts = ["\n".join(value) if isinstance(value, list) else value for value in values.values()]
        texts = [text for text in texts if isinstance(text, str)]
        readings = {text: read(text) for text in texts}
        with self._lock:
            covered, self._table = cover_inputs(values, lambda _, text: readings[text], self._table)
        return covered

    def restore(self, text: str) -> Restored:
        """Return `text` with values for placeholders."""
        return restore(text, self._table)

    def scan(self, outgoing: bytes, known: Iterable[str], read: Callable[[str], Reading]) -> tuple[str, ...]:
        """Return the types of the raw values in outgoing bytes, names that the host knows among them."""
        for name in known:  # a name the host knows must not leave, whether or not a text held it so far
            self.redact(name, read(name))
        return find_raw_values(outgoing, self._table)
