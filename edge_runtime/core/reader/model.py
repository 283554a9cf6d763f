"""What stands beside the reader's model: which files it is, what its outputs mean, and how a device tests it.

`reader.json` names the order of the outputs once; code never repeats it. The graph has inputs `input_ids` and
`token_type_ids` (int64, [1, n]; the latter 1 where a token begins with a capital letter) and outputs `entity_logits`
[1, n, 1 + 2 E], `commitment_logits` [1, n, 1 + 2 C] and `label_logits` [1, L]: tags are `O`, then `B-` and `I-` of each
type in order; labels are independent.

Promises: strict parse; thresholds only for what the model has; a self-test that is not empty and only asks for it; each
label that counts has a measured score. Does not: read a file or run a model (see `edge_runtime.encoder`).
Format: docs/formats.md, `mentorplane-reader/1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.model import FULL_BP, Score, read_score

__all__ = ["FORMAT", "MAX_BYTES", "DataSet", "File", "Gate", "Probe", "ReaderModel", "parse_reader_model"]

FORMAT = "mentorplane-reader/1"
MAX_BYTES = 500_000
MAX_FILE_BYTES = 30_000_000
MAX_PROBES = 64
PARTS = ("WHO", "WHAT", "WHEN")
_LABEL = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*)?")
_TYPE = re.compile(r"[A-Z][A-Z_]*")


@frozen
class File:
    """A file beside `reader.json`: what it must be."""

    digest: str
    size_bytes: int


@frozen
class Gate:
    """The first stage: `gate.onnx` gives a sentence one logit; below the threshold it holds nothing to find."""

    file: File
    threshold_bp: int


@frozen
class Probe:
    """One line of the self-test: a made-up sentence, the bounds of its labels' scores, and all that is found in it."""

    text: str
    labels: Mapping[str, tuple[int, int]]
    entities: tuple[tuple[str, int, int], ...]
    parts: tuple[tuple[str, int, int], ...]


@frozen
class DataSet:
    """One data set that the model was trained or measured on."""

    name: str
    licence: str
    digest: str
    examples: int


@frozen
class ReaderModel:
    """The model that the reader on a device uses, as its `reader.json` describes it."""

    name: str
    licence: str
    base: str
    locales: tuple[str, ...]
    graph: File
    tokenizer: File
    gate: Gate | None
    max_tokens: int
    overlap_tokens: int
    entities: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]
    thresholds: Mapping[str, int]
    scores: tuple[Score, ...]
    data: tuple[DataSet, ...]
    self_test: tuple[Probe, ...]


def parse_reader_model(data: bytes) -> ReaderModel:
    """Return the description that the canonical bytes of a `reader.json` hold.

    Raises:
        InvalidDocument: malformed, or a threshold, a score or a test for what the model does not have.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    model = ReaderModel(
        name=fields.name("name"),
        licence=fields.text("licence", at_most=80),
        base=fields.digest("base"),
        locales=fields.texts("locales", at_most=20),
        graph=_read_file(fields.json_object("graph")),
        tokenizer=_read_file(fields.json_object("tokenizer")),
        gate=_read_gate(fields.json_object("gate")),
        max_tokens=fields.integer("max_tokens", at_least=16, at_most=512),
        overlap_tokens=fields.integer("overlap_tokens", at_least=0, at_most=128),
        entities=_read_words(fields, "entities", _TYPE),
        parts=_read_words(fields, "parts", _TYPE),
        labels=_read_words(fields, "labels", _LABEL),
        thresholds=_read_thresholds(fields.json_object("thresholds")),
        scores=fields.items("scores", read_score, at_most=1000),
        data=fields.items("data", _read_data, at_most=200),
        self_test=fields.items("self_test", _read_probe, at_most=MAX_PROBES),
    )
    fields.close()
    _verify(model)
    return model


def _read_file(document: object) -> File:
    fields = Fields(document, "model file", tagged=False)
    file = File(fields.digest("digest"), fields.integer("size_bytes", at_least=1, at_most=MAX_FILE_BYTES))
    fields.close()
    return file


def _read_gate(document: canonical.JsonObject) -> Gate | None:
    if not document:
        return None
    fields = Fields(document, "gate", tagged=False)
    gate = Gate(_read_file(fields.json_object("graph")), fields.integer("threshold_bp", at_least=1, at_most=FULL_BP))
    fields.close()
    return gate


def _read_words(fields: Fields, name: str, form: re.Pattern[str]) -> tuple[str, ...]:
    words = fields.texts(name, at_most=64)
    if not words or not all(map(form.fullmatch, words)) or len(set(words)) != len(words):
        raise fields.refuse(name, f"one to 64 words of the form {form.pattern}, each once,")
    return words


def _read_thresholds(document: canonical.JsonObject) -> dict[str, int]:
    fields = Fields(document, "thresholds", tagged=False)
    return {name: fields.integer(name, at_least=1, at_most=FULL_BP) for name in sorted(document)}


def _read_data(document: object) -> DataSet:
    fields = Fields(document, "data", tagged=False)
    data = DataSet(
        name=fields.text("name", at_most=80),
        licence=fields.text("licence", at_most=80),
        digest=fields.digest("digest"),
        examples=fields.integer("examples", at_least=1),
    )
    fields.close()
    return data


def _read_probe(document: object) -> Probe:
    fields = Fields(document, "self-test", tagged=False)
    probe = Probe(
        text=fields.text("text", at_most=1000),
        labels={name: _read_bounds(given) for name, given in sorted(fields.json_object("labels").items())},
        entities=fields.items("entities", _read_place, at_most=100),
        parts=fields.items("parts", _read_place, at_most=100),
    )
    fields.close()
    return probe


def _read_bounds(given: object) -> tuple[int, int]:
    if not isinstance(given, list) or len(given) != 2 or any(type(bound) is not int for bound in given):
        raise InvalidDocument(f"{FORMAT}: expected two bounds of a score in basis points")
    low, high = given
    if not 0 <= low <= high <= FULL_BP:
        raise InvalidDocument(f"{FORMAT}: expected a lower and an upper bound from 0 to {FULL_BP}")
    return low, high


def _read_place(given: object) -> tuple[str, int, int]:
    if not isinstance(given, list) or len(given) != 3 or [type(member) for member in given] != [str, int, int]:
        raise InvalidDocument(f"{FORMAT}: expected a type, a start and an end")
    kind, start, end = given
    if not 0 <= start < end:
        raise InvalidDocument(f"{FORMAT}: expected a start before an end")
    return kind, start, end


def _verify(model: ReaderModel) -> None:
    known = {*model.entities, *model.parts, *model.labels}
    if len(known) != len(model.entities) + len(model.parts) + len(model.labels):
        raise InvalidDocument(f"{FORMAT}: expected names that are an entity, a part or a label, got one twice")
    if not set(model.parts) <= set(PARTS):
        raise InvalidDocument(f"{FORMAT}: expected parts out of {', '.join(PARTS)}")
    if not model.thresholds or not model.thresholds.keys() <= known:
        raise InvalidDocument(f"{FORMAT}: expected thresholds for what the model has, and at least one")
    scored = {score.label for score in model.scores}
    if not model.thresholds.keys() - set(model.parts) <= scored:
        raise InvalidDocument(f"{FORMAT}: expected a measured score for each entity and label that has a threshold")
    if model.overlap_tokens * 2 >= model.max_tokens:
        raise InvalidDocument(f"{FORMAT}: expected an overlap of less than half of max_tokens")
    if not model.self_test:
        raise InvalidDocument(f"{FORMAT}: expected a self-test of at least one line")
    for probe in model.self_test:
        if not (probe.labels.keys() <= set(model.labels) and {kind for kind, _, _ in probe.entities} <= known):
            raise InvalidDocument(f"{FORMAT}: expected a self-test about what the model has")
        if not {kind for kind, _, _ in probe.parts} <= set(model.parts):
            raise InvalidDocument(f"{FORMAT}: expected a self-test about parts that the model has")
