"""Run a graph on sentences, one at a time, as a device does.

Promises: probabilities of the very file that ships, at batch size 1; spans by the rule of `mentorplane-reader/1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from audit.frozen import frozen
from edge_runtime.core.reader.decode import places_of, word_starts
from models.names import ENTITY_TYPES, PARTS, PATTERN_TYPES
from models.tokens import Tokens, tokens_of

__all__ = ["Floats", "Predicted", "Predictor", "Spans", "Tags", "inputs_of", "spans_of", "tags_of_words"]

Floats = NDArray[np.float32]
Spans = list[tuple[str, int, int]]
WINDOW, OVERLAP = 256, 32
NEVER = 2.0


@frozen
class Tags:
    """What one head says of the words of a sentence: how much each is of each kind, and how much begins one there."""

    places: Sequence[tuple[int, int]]
    kinds: Floats
    begins: Floats
    inside: Floats


@frozen
class Predicted:
    """What the model says of one sentence."""

    text: str
    entities: Tags
    parts: Tags
    labels: Floats

    def found_entities(self, thresholds: Mapping[str, float]) -> Spans:
        """Return the entities that reach their thresholds; one without a threshold is not looked for."""
        limits = [(kind, thresholds.get(kind, NEVER)) for kind in ENTITY_TYPES + PATTERN_TYPES]
        return spans_of(self.text, self.entities, limits)

    def found_parts(self, thresholds: Mapping[str, float]) -> Spans:
        """Return the parts that reach their thresholds; one without a threshold has a half."""
        limits = [(kind, thresholds.get(kind, 0.5)) for kind in PARTS]
        return spans_of(self.text, self.parts, limits)


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
        logits = self._session.run(None, inputs_of(tokens_of(text, encoding)))
        offsets = encoding.offsets[1 : min(WINDOW, len(encoding.offsets)) - 1]
        entities, parts = (
            tags_of_words(text, offsets, _softmax(logit[0][1 : len(offsets) + 1])) for logit in logits[:2]
        )
        return Predicted(text=text, entities=entities, parts=parts, labels=1 / (1 + np.exp(-logits[2][0])))


def inputs_of(tokens: Tokens) -> dict[str, NDArray[np.int64]]:
    """Return what either graph takes of a sentence, cut to one window."""
    return {
        "input_ids": np.array([tokens.ids[:WINDOW]], np.int64),
        "token_type_ids": np.array([tokens.capitals[:WINDOW]], np.int64),
    }


def tags_of_words(text: str, offsets: Sequence[tuple[int, int]], shares: Floats) -> Tags:
    """Return what the tags of tokens say of words: the mean over the pieces of a word, as on a device."""
    begins, inside = shares[:, 1::2], shares[:, 2::2]
    starts = word_starts(text, offsets)
    if not starts:
        return Tags((), begins, begins, inside)
    edges = [*starts, len(offsets)]
    sums = np.add.reduceat(begins + inside, starts, axis=0)
    kinds = (sums / np.diff(edges)[:, None]).astype(np.float32)
    places = [(offsets[start][0], offsets[end - 1][1]) for start, end in pairwise(edges)]
    return Tags(places, kinds, begins[starts], inside[starts])


def spans_of(text: str, tags: Tags, limits: Sequence[tuple[str, float]]) -> Spans:
    """Return the spans of words that are likeliest of one kind and reach its limit."""
    words = []
    for (start, end), kinds, begins, inside in zip(tags.places, tags.kinds, tags.begins, tags.inside, strict=True):
        best = int(kinds.argmax())
        if kinds[best] >= limits[best][1]:
            words.append((start, end, limits[best][0], bool(begins[best] > inside[best])))
    return [(place.type, place.start, place.end) for place in places_of(text, words)]


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Floats = powers / powers.sum(-1, keepdims=True)
    return shares
