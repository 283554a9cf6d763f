"""From an example to numbers: token ids, a tag for each token of each tagging, a judgement for each label.

Promises: what nobody judged is `UNKNOWN` and takes no part in the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from audit.frozen import frozen
from edge_runtime.core.reader.decode import capitals_of
from models.data.example import Example, Mark
from models.names import ENTITY_TAGS, LABELS, PART_TAGS

__all__ = ["MAX_TOKENS", "UNKNOWN", "Encoded", "Tokens", "encode_all", "load_tokenizer", "tag_numbers", "tokens_of"]

UNKNOWN = -100
MAX_TOKENS = 128
"""Longest example that is learned from; the device reads up to 256 tokens at once."""


@frozen
class Tokens:
    """What a graph takes of a sentence; `capitals` is 1 where a token begins with one."""

    ids: Sequence[int]
    capitals: Sequence[int]


@frozen
class Encoded:
    """An example as numbers."""

    ids: tuple[int, ...]
    capitals: tuple[int, ...]
    entities: tuple[int, ...]
    parts: tuple[int, ...]
    labels: tuple[int, ...]


def load_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, without truncation and padding."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokens_of(text: str, encoding: Encoding) -> Tokens:
    """Return the tokens of a text, as the graphs take them."""
    return Tokens(encoding.ids, capitals_of(text, encoding.offsets))


def encode_all(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Encoded]:
    """Return the examples as numbers."""
    encodings = tokenizer.encode_batch([example.text for example in examples])
    made = []
    for example, encoding in zip(examples, encodings, strict=True):
        ids, offsets = encoding.ids, encoding.offsets
        if len(ids) > MAX_TOKENS:
            ids, offsets = [*ids[: MAX_TOKENS - 1], ids[-1]], [*offsets[: MAX_TOKENS - 1], offsets[-1]]
        made.append(
            Encoded(
                ids=tuple(ids),
                capitals=tuple(capitals_of(example.text, offsets)),
                entities=tag_numbers(offsets, example.entities, ENTITY_TAGS),
                parts=tag_numbers(offsets, example.parts, PART_TAGS),
                labels=tuple(int(example.labels[name]) if name in example.labels else UNKNOWN for name in LABELS),
            )
        )
    return made


def tag_numbers(
    offsets: Sequence[tuple[int, int]], marks: Iterable[Mark] | None, tags: Sequence[str]
) -> tuple[int, ...]:
    """Return the number of each token's tag; a token without characters has none."""
    if marks is None:
        return (UNKNOWN,) * len(offsets)
    places = {tag: number for number, tag in enumerate(tags)}
    numbers = [0 if start < end else UNKNOWN for start, end in offsets]
    for mark in marks:
        for index, (start, end) in enumerate(offsets):
            if start < mark.end and end > mark.start:
                numbers[index] = places[f"{'B' if start <= mark.start else 'I'}-{mark.kind}"]
    return tuple(numbers)
