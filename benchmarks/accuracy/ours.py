"""What our reader finds in a text: all of it, patterns and crisis phrases included, as on a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_runtime.core.reader import Entity, Reading, SentenceFindings, TextReader
from edge_runtime.core.reader.decode import Found as Place
from edge_runtime.core.reader.model import parse_reader_model
from models.names import LABELS
from models.predict import Predictor
from models.tokens import load_tokenizer

from .found import Found

__all__ = ["FolderEncoder", "read_all"]


class FolderEncoder:
    """The model of a folder, whether or not it is the one that the package has."""

    def __init__(self, folder: Path) -> None:
        model = parse_reader_model((folder / "reader.json").read_bytes())
        self._predictor = Predictor(folder / "reader.onnx", load_tokenizer(folder / "tokenizer.json"))
        self._limits = {name: bp / 10_000 for name, bp in model.thresholds.items()}
        self.entity_types = frozenset(model.entities) & model.thresholds.keys()
        self.thresholds_bp = {name: bp for name, bp in model.thresholds.items() if name in model.labels}
        self.locales = frozenset(model.locales)

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Return what the model finds in each sentence."""
        return [self._findings(sentence) for sentence in sentences]

    def _findings(self, sentence: str) -> SentenceFindings:
        predicted = self._predictor.read(sentence)
        return SentenceFindings(
            entities=tuple(Entity(*span, "encoder") for span in predicted.found_entities(self._limits)),
            scores_bp={
                name: round(float(share) * 10_000) for name, share in zip(LABELS, predicted.labels, strict=True)
            },
            parts=tuple(Place(*span) for span in predicted.found_parts(self._limits)),
        )


def read_all(texts: Sequence[str], folder: Path) -> list[Found]:
    """Return what the reader finds in each text with the model of a folder."""
    reader = TextReader(encoder=FolderEncoder(folder))
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
