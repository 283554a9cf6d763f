"""Run a graph on sentences, one at a time, as a device does.

Promises: probabilities of the very file that ships, at batch size 1; spans by the rule of `mentorplane-reader/1`.
The only module of the recipe that runs `onnxruntime`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from audit.frozen import frozen
from models.names import ENTITY_TYPES, PARTS, PATTERN_TYPES
from models.tokens import ids_of

__all__ = ["Floats", "Predicted", "Predictor", "Spans", "spans_of"]

Floats = NDArray[np.float32]
Spans = list[tuple[str, int, int]]
WINDOW, OVERLAP = 256, 32


@frozen
class Predicted:
    """What the model says of one sentence: for each token, and for the sentence.

    `entities` and `parts` are [n, 1 + types], outside first; `begins` tells how much of a type is its beginning.
    """

    text: str
    offsets: Sequence[tuple[int, int]]
    entities: Floats
    entity_begins: Floats
    parts: Floats
    part_begins: Floats
    labels: Floats

    def found_entities(self, thresholds: Mapping[str, float]) -> Spans:
        """Return the entities that reach their thresholds; one without a threshold is not looked for."""
        limits = [(kind, thresholds.get(kind, 2)) for kind in ENTITY_TYPES + PATTERN_TYPES]
        return spans_of(self.text, self.offsets, (self.entities, self.entity_begins), limits=limits)

    def found_parts(self, thresholds: Mapping[str, float]) -> Spans:
        """Return the parts that reach their thresholds; one without a threshold has a half."""
        limits = [(kind, thresholds.get(kind, 0.5)) for kind in PARTS]
        return spans_of(self.text, self.offsets, (self.parts, self.part_begins), limits=limits)


class Predictor:
    """A loaded graph."""

    def __init__(self, graph: Path, tokenizer: Tokenizer, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizer

    def read(self, text: str) -> Predicted:
        """Return what the model says of a sentence; what goes beyond one window is not read here."""
        encoding = self._tokenizer.encode(text)
        ids = np.array([ids_of(text, encoding)[:WINDOW]], np.int64)
        logits = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        entities, parts = (_softmax(logit[0]) for logit in logits[:2])
        return Predicted(
            text=text,
            offsets=encoding.offsets[:WINDOW],
            entities=_by_kind(entities),
            entity_begins=entities[:, 1::2],
            parts=_by_kind(parts),
            part_begins=parts[:, 1::2],
            labels=1 / (1 + np.exp(-logits[2][0])),
        )


def spans_of(
    text: str, offsets: Sequence[tuple[int, int]], shares: tuple[Floats, Floats], *, limits: Sequence[tuple[str, float]]
) -> Spans:
    """Return the spans of tokens that are likeliest of one kind and reach its limit, out to the edges of words."""
    kinds, begins = shares
    found: Spans = []
    last = -2
    likeliest = kinds.argmax(axis=1)
    for index in map(int, np.flatnonzero(likeliest)):
        best, (start, end) = int(likeliest[index]), offsets[index]
        if end <= start or kinds[index, best] < limits[best - 1][1]:
            continue
        kind = limits[best - 1][0]
        left, right = _to_word_edges(text, start, end)
        is_new = begins[index, best - 1] > kinds[index, best] / 2
        before = found[-1] if found else ("", 0, 0)
        goes_on = before[0] == kind and (left <= before[2] or (last == index - 1 and not is_new))
        if goes_on:
            found[-1] = (kind, before[1], max(before[2], right))
        elif left >= before[2]:
            found.append((kind, left, right))
        last = index
    return found


def _to_word_edges(text: str, start: int, end: int) -> tuple[int, int]:
    if text[start:end].isalnum():
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
    return start, end


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Floats = powers / powers.sum(-1, keepdims=True)
    return shares


def _by_kind(tags: Floats) -> Floats:
    """Return the share of outside, then of each kind: its beginning and its inside together."""
    by_kind: Floats = np.concatenate([tags[:, :1], tags[:, 1::2] + tags[:, 2::2]], axis=1)
    return by_kind
