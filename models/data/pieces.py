"""From a text to what the model reads: normalised, and one sentence at a time as on the device.

Promises: marks stay on the same characters. Of a text of several sentences, a sentence on its own keeps only the
labels that do not hold: which of them one that holds belongs to, nobody said.
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.frozen import replace
from edge_runtime.core.reader.joining import SHORT
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.records import Span
from edge_runtime.core.reader.sentences import sentence_spans
from models.data.example import Example, Mark

__all__ = ["normalised", "sentences_of"]


def normalised(example: Example) -> Example:
    """Return the example as the device normalises it."""
    result = normalise(example.text)
    if not result.starts:
        return example
    starts, ends = result.starts, result.ends

    def moved(marks: tuple[Mark, ...] | None) -> tuple[Mark, ...] | None:
        if marks is None:
            return None
        kept = []
        for mark in marks:
            inside = [i for i in range(len(starts)) if starts[i] >= mark.start and ends[i] <= mark.end]
            if inside:
                kept.append(Mark(mark.kind, inside[0], inside[-1] + 1))
        return tuple(kept)

    return replace(example, text=result.text, entities=moved(example.entities), parts=moved(example.parts))


def sentences_of(example: Example) -> Iterator[Example]:
    """Yield what the model reads of an example."""
    spans = sentence_spans(example.text)
    if len(spans) <= 1:
        yield example
        return
    if len(example.text) <= SHORT and any(example.labels.values()):
        yield example
    absent = {name: False for name, holds in example.labels.items() if not holds}
    for span in spans:
        piece = example.text[span.start : span.end]
        if any(map(str.isalnum, piece)):
            yield replace(
                example,
                text=piece,
                entities=_within(example.entities, span),
                parts=_within(example.parts, span),
                labels=absent,
            )


def _within(marks: tuple[Mark, ...] | None, span: Span) -> tuple[Mark, ...] | None:
    """Return the marks cut to a sentence; one that goes over its end stands in both."""
    if marks is None:
        return None
    cut = [
        Mark(mark.kind, max(mark.start, span.start) - span.start, min(mark.end, span.end) - span.start)
        for mark in marks
        if mark.start < span.end and mark.end > span.start
    ]
    return tuple(cut)
