"""Write what stands beside the graph: `reader.json` for the device, and the model card for people.

Promises: the self-test holds only what is well away from every threshold, so that another processor's rounding does
not refuse a good model; the description is parsed by the device's own parser before it is written.
Format: docs/formats.md, `mentorplane-reader/1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.core import canonical
from edge_runtime.core.reader.model import parse_reader_model
from models import base
from models.data.digests import DataSet
from models.gate import GateReader
from models.names import ENTITY_TYPES, LABELS, PARTS, PATTERN_TYPES
from models.predict import NEVER, OVERLAP, WINDOW, Predicted, Predictor
from models.probes import PROBES
from models.thresholds import Choice
from models.tokens import load_tokenizer, tokens_of

__all__ = ["describe", "self_test"]

LOCALES = ("en",)
"""Where everything was taught: in other languages only crisis, injection and names were, so silence proves nothing."""
LEAST_LINES = 4
MARGIN = 0.08
"""How far from a threshold every token of a line of the self-test must be."""
TOLERANCE_BP = 600
GATE_WEIGHT = 20
"""The first stage's threshold is near nought, where scores hardly move: there a difference counts for more."""
MEASURED_ON = "Lines kept back from training, by shape; names from lists that training does not see."


def describe(folder: Path, choices: Sequence[Choice], data: Sequence[DataSet], *, gate: float) -> bytes:
    """Return the bytes of `reader.json` for the files in `folder`.

    Raises:
        InvalidDocument: the device would refuse it.
    """
    thresholds = {choice.name: choice.threshold for choice in choices}
    document: canonical.JsonObject = {
        "format": "mentorplane-reader/1",
        "name": "reader",
        "licence": "Apache-2.0",
        "base": f"sha256:{base.WEIGHTS_SHA256}",
        "locales": list(LOCALES),
        "graph": _file(folder / "reader.onnx"),
        "tokenizer": _file(folder / "tokenizer.json"),
        "gate": {"graph": _file(folder / "gate.onnx"), "threshold_bp": max(1, _bp(gate))},
        "max_tokens": WINDOW,
        "overlap_tokens": OVERLAP,
        "entities": [*ENTITY_TYPES, *PATTERN_TYPES],
        "parts": list(PARTS),
        "labels": list(LABELS),
        "thresholds": {name: max(1, _bp(limit)) for name, limit in thresholds.items()},
        "scores": [_score(choice) for choice in choices if choice.name not in PARTS],
        "data": [
            {"name": one.name, "licence": one.licence, "digest": one.digest, "examples": one.examples} for one in data
        ],
        "self_test": self_test(folder, thresholds, gate),
    }
    encoded = canonical.encode(document)
    parse_reader_model(encoded)
    return encoded


def self_test(folder: Path, thresholds: Mapping[str, float], gate: float) -> list[Any]:
    """Return the lines of the self-test: those far enough from every threshold, or the few that are farthest."""
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    predictor = Predictor(folder / "reader.onnx", tokenizer)
    first_stage = GateReader(folder / "gate.onnx")
    ranked = []
    for text in PROBES:
        predicted = predictor.read(text)
        score = first_stage.score(tokens_of(text, tokenizer.encode(text)))
        clearance = min(_clearance(predicted, thresholds), GATE_WEIGHT * abs(score - gate))
        nothing: canonical.JsonObject = {"text": text, "labels": {}, "entities": [], "parts": []}
        ranked.append((clearance, _line(predicted, thresholds) if score >= gate else nothing))
    ranked.sort(key=lambda one: -one[0])
    clear = [line for clearance, line in ranked if clearance >= MARGIN]
    return clear if len(clear) >= LEAST_LINES else [line for _, line in ranked[:LEAST_LINES]]


def _line(predicted: Predicted, thresholds: Mapping[str, float]) -> canonical.JsonObject:
    scores = {name: _bp(float(score)) for name, score in zip(LABELS, predicted.labels, strict=True)}
    told = sorted(scores, key=lambda name: -scores[name])[:3]
    return {
        "text": predicted.text,
        "labels": {
            name: [max(0, scores[name] - TOLERANCE_BP), min(10_000, scores[name] + TOLERANCE_BP)] for name in told
        },
        "entities": [list(span) for span in predicted.found_entities(thresholds)],
        "parts": [list(span) for span in predicted.found_parts(thresholds)],
    }


def _clearance(predicted: Predicted, thresholds: Mapping[str, float]) -> float:
    """Return how much a share may change before any word of any span does."""
    least = 1.0
    for tags, kinds, default in (
        (predicted.entities, ENTITY_TYPES + PATTERN_TYPES, NEVER),
        (predicted.parts, PARTS, 0.5),
    ):
        for shares, begins, inside in zip(tags.kinds, tags.begins, tags.inside, strict=True):
            best = int(shares.argmax())
            limit = thresholds.get(kinds[best], default)
            least = min(least, abs(float(shares[best]) - limit))
            if shares[best] >= limit - MARGIN:
                least = min(least, float(shares[best] - np.sort(shares)[-2]), abs(float(begins[best] - inside[best])))
    return least


def _score(choice: Choice) -> canonical.JsonObject:
    return {
        "label": choice.name,
        "metric": choice.metric,
        "score_bp": _bp(choice.score),
        "examples": max(1, choice.examples),
        "data": MEASURED_ON,
    }


def _file(path: Path) -> canonical.JsonObject:
    data = path.read_bytes()
    return {"digest": canonical.digest(data), "size_bytes": len(data)}


def _bp(share: float) -> int:
    return round(share * 10_000)
