"""A model's closure: which file it is, what it may be used for, how good it was measured to be, and how to test it.

A release's manifest names the file by digest and size (`manifest.Model`); what stands here is why people may rely on
it: thresholds in basis points, measured scores with the data they were measured on, and a self-test that a device
runs before it uses the file.

Promises: strict parse; every label has a threshold and at least one measured score, and the self-test is not empty.
There is no task that infers emotions: that is a banned practice at work. Does not: hold or load the file.
Format: docs/formats.md, `mentorplane-model/1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core import manifest as manifests
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, read_filing

__all__ = ["FORMAT", "FULL_BP", "TASKS", "ModelCard", "Probe", "Score", "parse_model_card", "read_score"]

FORMAT = "mentorplane-model/1"
MAX_BYTES = 500_000
TASKS = ("affirmation", "commitment", "crisis", "entities", "injection", "summary", "topics")
METRICS = ("accuracy", "f1", "precision", "recall")
FULL_BP = 10_000
_TIERS = ("R3", "R4")
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@frozen
class Score:
    """One measured score of one label: on which data, over how many examples."""

    label: str
    metric: str
    score_bp: int
    examples: int
    data: str


@frozen
class Probe:
    """One line of the self-test: for this made-up text the label's score lies between these bounds."""

    text: str
    label: str
    at_least_bp: int
    at_most_bp: int


@frozen
class ModelCard:
    """One model file and what is known of it."""

    name: str
    title: str
    purpose: str
    tier: str
    filing: Filing
    task: str
    digest: str
    size_bytes: int
    licence: str
    locales: tuple[str, ...]
    labels: tuple[str, ...]
    thresholds: Mapping[str, int]
    scores: tuple[Score, ...]
    self_test: tuple[Probe, ...]

    @property
    def listed(self) -> manifests.Model:
        """What a manifest says of the file."""
        return manifests.Model(self.name, self.digest, self.size_bytes)


def parse_model_card(data: bytes) -> ModelCard:
    """Return the model that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed, or a label without threshold or score, or one that is not declared.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    file = Fields(fields.json_object("file"), "model file", tagged=False)
    card = ModelCard(
        name=fields.name("name"),
        title=fields.text("title", at_most=120),
        purpose=fields.text("purpose", at_most=500),
        tier=fields.choice("tier", _TIERS),
        filing=read_filing(fields, optional=False),
        task=fields.choice("task", TASKS),
        digest=file.digest("digest"),
        size_bytes=file.integer("size_bytes", at_least=1),
        licence=fields.text("licence", at_most=80),
        locales=fields.texts("locales", at_most=50),
        labels=_read_labels(fields),
        thresholds=_read_thresholds(fields.json_object("thresholds")),
        scores=fields.items("scores", read_score, at_most=1000),
        self_test=fields.items("self_test", _read_probe, at_most=200),
    )
    file.close()
    fields.close()
    _verify(card)
    return card


def _read_labels(fields: Fields) -> tuple[str, ...]:
    labels = fields.texts("labels", at_most=64)
    if not labels or not all(map(_LABEL.fullmatch, labels)) or len(set(labels)) != len(labels):
        raise fields.refuse("labels", "one to 64 words of letters, digits, _ and -, each once,")
    return labels


def _read_thresholds(document: canonical.JsonObject) -> dict[str, int]:
    fields = Fields(document, "thresholds", tagged=False)
    return {label: fields.integer(label, at_most=FULL_BP) for label in sorted(document)}


def read_score(document: object) -> Score:
    """Return one measured score."""
    fields = Fields(document, "score", tagged=False)
    score = Score(
        label=fields.text("label", at_most=40),
        metric=fields.choice("metric", METRICS),
        score_bp=fields.integer("score_bp", at_most=FULL_BP),
        examples=fields.integer("examples", at_least=1),
        data=fields.text("data", at_most=300),
    )
    fields.close()
    return score


def _read_probe(document: object) -> Probe:
    fields = Fields(document, "self-test", tagged=False)
    probe = Probe(
        text=fields.text("text", at_most=2000),
        label=fields.text("label", at_most=40),
        at_least_bp=fields.integer("at_least_bp", at_most=FULL_BP),
        at_most_bp=fields.integer("at_most_bp", at_most=FULL_BP),
    )
    fields.close()
    if probe.at_least_bp > probe.at_most_bp:
        raise fields.refuse("at_least_bp", "the lower bound")
    return probe


def _verify(card: ModelCard) -> None:
    labels = set(card.labels)
    if set(card.thresholds) != labels:
        raise InvalidDocument(f"{FORMAT}: expected a threshold for each label, and for nothing else")
    if {score.label for score in card.scores} != labels:
        raise InvalidDocument(f"{FORMAT}: expected a measured score for each label, and for nothing else")
    if not card.self_test or not {probe.label for probe in card.self_test} <= labels:
        raise InvalidDocument(f"{FORMAT}: expected a self-test of at least one line, about declared labels")
