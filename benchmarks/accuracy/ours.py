"""What our reader finds in a text: all of it, patterns and crisis phrases included, as on a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_runtime.core.reader import Reading, TextReader
from edge_runtime.encoder import OnnxEncoder

from .found import Found

__all__ = ["read_all"]


def read_all(texts: Sequence[str], folder: Path) -> list[Found]:
    """Return what the reader finds in each text with the model of a folder."""
    reader = TextReader(encoder=OnnxEncoder.open(folder))
    return [_found(reader.read(text)) for text in texts]


def _found(reading: Reading) -> Found:
    labels = {f"topic.{topic}" for topic in reading.labels.topics or ()}
    labels |= {sentence.label for sentence in reading.sentences}
    labels |= {reading.labels.crisis} - {"none"}
    labels |= {"injection"} if reading.labels.injection else set()
    labels |= {"about_other"} if reading.labels.subject == "other" else set()
    return Found(
        entities=tuple((one.start, one.end) for one in reading.entities),
        labels=frozenset(labels),
        commitments=tuple((one.start, one.end) for one in reading.commitments or ()),
    )
