"""What a person may read of an answer while it still arrives: sentence by sentence, each read before it is shown.

Promises: nothing is shown that the reader has not passed; what was shown stands at the beginning of the reply to that
answer. If the whole answer is refused later, nothing more is shown: the reply's text counts then.
Does not: show anything of a second attempt once something of the first was shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.core.arriving import Arriving
from edge_runtime.core.reader.sentences import sentence_spans
from edge_runtime.running.checking import Given
from edge_runtime.running.records import Run

__all__ = ["Showing", "in_sentences"]

_END = re.compile(r"[.!?\u2026]+[\"')\]\u201d\u2019\u00bb]*(?=\s|$)|[\u3002\uff01\uff1f]+|(?=\n)")
_MAY_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f\"\]},\s]")


class Showing:
    """What was shown of one run. `wanted` is false where the app waits for the whole."""

    def __init__(self, run: Run, *, wanted: bool) -> None:
        self._run = run
        self._wanted = wanted
        self._given: Given | None = None
        self._arriving: Arriving | None = None
        self.shown = ""

    def begin(self, given: Given) -> None:
        """Begin with an answer."""
        self._arriving = Arriving(self._run.prompt.reply, self._run.values) if self._wanted and not self.shown else None
        self._given = given

    def feed(self, text: str) -> Iterator[str]:
        """Yield what may be shown after more of the answer came."""
        if self._arriving is None or self._given is None or not text:
            return
        self._arriving.feed(text)
        if not _MAY_END.search(text):
            return
        prefix = self._arriving.prefix().lstrip()
        ends = [found.end() for found in _END.finditer(prefix, len(self.shown))]
        piece = prefix[len(self.shown) : ends[-1]] if ends else ""
        if not piece.strip():
            return
        if any(self._given.faults_of(piece)):
            self._arriving = None
            return
        self.shown += piece
        yield piece

    def rest(self, text: str) -> Iterator[str]:
        """Yield what is left of the reply's text, if what was shown stands at its beginning."""
        if text.startswith(self.shown):
            yield from in_sentences(text[len(self.shown) :])


def in_sentences(text: str) -> Iterator[str]:
    """Yield a text in pieces that end where sentences do; together they are the text."""
    start = 0
    for span in sentence_spans(text):
        yield text[start : span.end]
        start = span.end
    if start < len(text):
        yield text[start:]
