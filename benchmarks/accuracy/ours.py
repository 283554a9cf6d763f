"""What our reader finds in a text: all of it, patterns and crisis phrases included, as on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_runtime.core import canonical
from edge_runtime.core.reader import Entity, SentenceFindings, TextReader
from edge_runtime.core.reader.model import MAX_BYTES, parse_reader_model
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.sentences import sentence_spans
from models.names import LABELS
from models.predict import Predictor
from models.tokens import load_tokenizer

from .found import Found

__all__ = ["FolderEncoder", "read_all"]


class FolderEncoder:
    """The model of a folder, whether or not it is the one that the package has."""

    def __init__(self, folder: Path) -> None:
        document = canonical.parse((folder / "reader.json").read_bytes(), max_bytes=MAX_BYTES)
        self._limits = parse_reader_model(canonical.encode(document)).thresholds
        self._predictor = Predictor(folder / "reader.onnx", load_tokenizer(folder / "tokenizer.json"))
        self.entity_types = frozenset(name for name in self._limits if name.isupper()) - {"WHO", "WHAT", "WHEN"}
        self.thresholds_bp: Mapping[str, int] = {name: bp for name, bp in self._limits.items() if name in LABELS}

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Return what the model finds in each sentence."""
        return [self._findings(sentence) for sentence in sentences]

    def parts(self, sentence: str) -> list[tuple[int, int]]:
        """Return the places of the parts of commitments in a sentence."""
        return [(start, end) for _, start, end in self._predictor.read(sentence).found_parts({})]

    def _findings(self, sentence: str) -> SentenceFindings:
        predicted = self._predictor.read(sentence)
        entities = predicted.found_entities({name: bp / 10_000 for name, bp in self._limits.items()})
        scores = {name: round(float(score) * 10_000) for name, score in zip(LABELS, predicted.labels, strict=True)}
        return SentenceFindings(tuple(Entity(kind, a, b, "encoder") for kind, a, b in entities), scores)


def read_all(texts: Sequence[str], folder: Path) -> list[Found]:
    """Return what the reader finds in each text with the model of a folder."""
    encoder = FolderEncoder(folder)
    reader = TextReader(encoder=encoder)
    return [_read(text, reader, encoder) for text in texts]


def _read(text: str, reader: TextReader, encoder: FolderEncoder) -> Found:
    reading = reader.read(text)
    normalised = normalise(text)
    labels: set[str] = set()
    commitments: list[tuple[int, int]] = []
    for span in sentence_spans(normalised.text):
        sentence = normalised.text[span.start : span.end]
        scores = encoder.read([sentence])[0].scores_bp
        labels |= {name for name, limit in encoder.thresholds_bp.items() if scores[name] >= limit}
        parts = encoder.parts(sentence) if scores["commitment"] >= encoder.thresholds_bp["commitment"] else ()
        if parts:
            place = normalised.original(span.start + min(a for a, _ in parts), span.start + max(b for _, b in parts))
            commitments.append((place.start, place.end))
    labels -= {"crisis", "low_mood", "injection"}
    if reading.labels.crisis != "none":
        labels.add(reading.labels.crisis)
    if reading.labels.injection:
        labels.add("injection")
    entities = [(one.start, one.end) for one in reading.entities]
    return Found(tuple(entities), frozenset(labels), tuple(commitments))
