"""What the runs of one session share: the runtime, the reader, the placeholders, and what the person allows.

Does not: run anything.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.policy import Route
from edge_runtime.core.reader import Reading, TextReader
from edge_runtime.handover import Heard
from edge_runtime.running.placeholders import Placeholders

if TYPE_CHECKING:
    from edge_runtime.runtime import EdgeRuntime

__all__ = ["Memory", "Talk"]


class Memory:
    """What a conversation remembers: its placeholders, and what was heard when a hand-off text was shown."""

    def __init__(self) -> None:
        self.placeholders = Placeholders()
        self.heard = Heard()


class Talk:
    """One person's conversation, as the steps of a run see it; `learner` is none for a mentor. Thread-safe."""

    def __init__(
        self,
        runtime: EdgeRuntime,
        *,
        learner: str | None,
        names: tuple[str, ...],
        terms: tuple[str, ...],
        consents: frozenset[str],
        agreement: int,
        at_most: Route,
        locale: str,
        memory: Memory,
    ) -> None:
        self.runtime = runtime
        self._learner = learner
        self.known = (*names, *terms)
        self.consents = consents
        self.agreement = agreement
        self.at_most = at_most
        self.locale = locale
        self.memory = memory
        self._by_form = TextReader(names=names, terms=terms)

    @cached_property
    def _reader(self) -> TextReader:
        """The reader, with the runtime's model, which is loaded here if no text was read before."""
        return self._by_form.with_encoder(self.runtime.encoder)

    def streak(self) -> int | None:
        """Return how many exchanges the person had with the assistant alone; none if nobody can tell."""
        return 0 if self._learner is None else self.runtime.tallies.streaks.of(self._learner)

    def exchanged(self) -> None:
        """Count one more; raises `OSError` or `Unavailable` where that cannot be written down."""
        if self._learner is not None:
            self.runtime.tallies.streaks.add(self._learner)

    def checked_in(self) -> None:
        """Begin to count anew; raises as `exchanged` does."""
        if self._learner is not None:
            self.runtime.tallies.streaks.clear(self._learner)

    def read(self, text: str) -> Reading:
        """Return what is found in `text`; raises `Unavailable` where the model takes too long."""
        return self.runtime.within(lambda: self._reader.read(text), text)

    def tokens(self, text: str) -> int:
        """Return how many tokens a text is: by the reader's model, or about, as four bytes each."""
        from edge_runtime.generators.budgets import tokens_of

        try:
            count = getattr(self.runtime.encoder, "tokens", None)
        except MentorplaneError:
            count = None
        return count(text) if count and text else tokens_of(len(text.encode("utf-8", "replace")))

    def read_by_form(self, text: str) -> Reading:
        """Return what is found in `text` without a model."""
        return self._by_form.read(text)

    def scan(self, outgoing: bytes) -> tuple[str, ...]:
        """Return the types of the raw values that outgoing bytes still hold."""
        return self.memory.placeholders.scan(outgoing, self.known, self.read)
