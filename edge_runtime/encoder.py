"""The reader's model: one encoder with many heads, run by onnxruntime on one thread. The only module that loads it.

    bytes → digests → session → self-test → sentences → tokens → windows → scores → places and labels

Promises: files whose digest differs from `reader.json` are never handed to the runtime (V8), nor is a model used whose
self-test differs; one sentence at a time, so that the same sentence always has the same scores; no telemetry, no
network, no pickles. Does not: decide what a score means for a text (see `core.reader.joining`), or hold texts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import MentorplaneError, NotTrusted, Unavailable
from edge_runtime.core.reader.decode import Found, capitals_of, places_of, word_starts
from edge_runtime.core.reader.encoder import SentenceFindings
from edge_runtime.core.reader.model import MAX_BYTES, File, Probe, ReaderModel, parse_reader_model
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.records import Entity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

    Scores = npt.NDArray[np.float32]

__all__ = ["NO_MODEL", "PACKAGED", "Installed", "OnnxEncoder", "find_encoder", "find_installed"]

PACKAGED = Path(__file__).parent / "models"
"""Where the model is that comes with the package."""
NO_MODEL = "none"
"""What stands for a folder where no model is wanted."""
PART_THRESHOLD_BP = 5000


@frozen
class _Head:
    """One head for tokens: its types in the order of its tags, and the least score of each that counts (2: none)."""

    types: tuple[str, ...]
    least: tuple[float, ...]


@frozen
class Installed:
    """Which model a device reads with: its name, digest and size of its `reader.json`, the languages it was made for.

    No name: there is none. `problem` says why one that is there is not used.
    """

    name: str = ""
    digest: str = ""
    locales: tuple[str, ...] = ()
    size_bytes: int = 0
    problem: str = ""

    def __str__(self) -> str:
        """Return it as a sentence."""
        if self.problem:
            return f"the reader's model is not used: {self.problem}"
        if not self.name:
            return "the reader has no model: of names it finds those it is told, and topics are not assessed"
        return f"the reader's model is {self.name}, {self.digest}, made for {', '.join(self.locales)}"

    def as_json(self) -> canonical.JsonObject:
        """Return it as a JSON object."""
        return {
            "name": self.name,
            "digest": self.digest,
            "locales": list(self.locales),
            "size_bytes": self.size_bytes,
            "problem": self.problem,
        }


class OnnxEncoder:
    """A verified model. Make it with `open`."""

    def __init__(
        self,
        model: ReaderModel,
        tokenizer: Tokenizer,
        graph: InferenceSession,
        *,
        gate: InferenceSession | None,
        digest: str,
    ) -> None:
        self.digest = digest
        """That of its `reader.json`, which names all the rest."""
        self._model = model
        self._tokenizer = tokenizer
        self._graph = graph
        self._gate = gate
        thresholds = model.thresholds
        never = 2 * 10_000
        self._entities = _Head(model.entities, tuple(thresholds.get(kind, never) / 10_000 for kind in model.entities))
        self._parts = _Head(
            model.parts, tuple(thresholds.get(part, PART_THRESHOLD_BP) / 10_000 for part in model.parts)
        )
        self.entity_types = frozenset(model.entities) & thresholds.keys()
        self.locales = frozenset(model.locales)
        self.thresholds_bp: Mapping[str, int] = {
            label: thresholds[label] for label in model.labels if label in thresholds
        }

    @classmethod
    def open(cls, folder: str | Path = PACKAGED) -> OnnxEncoder:
        """Return the model in `folder`, verified and tested.

        Raises:
            Unavailable: a file is not there.
            InvalidDocument: `reader.json` is malformed.
            NotTrusted: a file is not the one that `reader.json` names, cannot be run, or fails its self-test (V8).
        """
        where = Path(folder)
        description = _load(where / "reader.json", MAX_BYTES)
        model = parse_reader_model(description)
        words = _load_verified(where / "tokenizer.json", model.tokenizer)
        graph = _load_verified(where / "reader.onnx", model.graph)
        gate = _load_verified(where / "gate.onnx", model.gate.file) if model.gate else None
        try:
            first = None if gate is None else _session(gate)
            digest = canonical.digest(description)
            encoder = cls(model, _tokenizer(words), _session(graph), gate=first, digest=digest)
            encoder._verify_outputs()
        except NotTrusted:
            raise
        except Exception as error:  # both libraries raise a bare Exception for a file that they cannot use
            raise NotTrusted(f"expected a model that runs, got {type(error).__name__}", check="V8") from error
        for number, probe in enumerate(model.self_test, start=1):
            encoder._verify_probe(probe, number)
        return encoder

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Return the findings of each normalised sentence, in the same order."""
        return [self._read(sentence) for sentence in sentences]

    def tokens(self, text: str) -> int:
        """Return how many tokens a text is, for whoever counts them."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _read(self, sentence: str) -> SentenceFindings:
        if not any(map(str.isalpha, sentence)):
            return SentenceFindings((), {})
        encoding = self._tokenizer.encode(sentence)
        capitals = capitals_of(sentence, encoding.offsets)
        if self._gate is not None and self._is_clean(encoding.ids, capitals):
            return SentenceFindings((), {})
        entities, parts, labels = self._scores(encoding.ids, capitals)
        words = word_starts(sentence, encoding.offsets[1:-1])
        found = _places(sentence, encoding, words, scores=entities, head=self._entities)
        return SentenceFindings(
            entities=tuple(Entity(place.type, place.start, place.end, "encoder") for place in found),
            scores_bp=labels,
            parts=_places(sentence, encoding, words, scores=parts, head=self._parts),
        )

    def _is_clean(self, ids: list[int], capitals: list[int]) -> bool:
        """Tell whether the first stage is certain that a sentence holds nothing to find."""
        assert self._gate is not None
        assert self._model.gate is not None
        if len(ids) > self._model.max_tokens:
            return False
        logit = float(self._gate.run(None, _inputs(ids, capitals))[0][0][0])
        return _sigmoid_bp(logit) < self._model.gate.threshold_bp

    def _scores(self, ids: list[int], capitals: list[int]) -> tuple[Scores, Scores, dict[str, int]]:
        """Return the scores of each token but the first and last, entities and parts, and those of the labels."""
        import numpy as np

        entities: list[Scores] = []
        parts: list[Scores] = []
        labels = np.full(len(self._model.labels), -np.inf, np.float32)
        first, *inner, last = ids
        of_inner = capitals[1:-1]
        for start, end, keep_from, keep_to in _windows(len(inner), self._model):
            given = self._outputs([first, *inner[start:end], last], [0, *of_inner[start:end], 0])
            kept = slice(1 + keep_from - start, 1 + keep_to - start)
            entities.append(_softmax(given[0][0][kept]))
            parts.append(_softmax(given[1][0][kept]))
            labels = np.maximum(labels, given[2][0])
        scores = {label: _sigmoid_bp(float(logit)) for label, logit in zip(self._model.labels, labels, strict=True)}
        return np.concatenate(entities), np.concatenate(parts), scores

    def _outputs(self, ids: list[int], capitals: list[int]) -> Sequence[Any]:
        """Return the logits of one window: entities, parts and labels."""
        outputs = ["entity_logits", "commitment_logits", "label_logits"]
        given: Sequence[Any] = self._graph.run(outputs, _inputs(ids, capitals))
        return given

    def _verify_outputs(self) -> None:
        """Refuse a graph whose outputs do not have the sizes that its description names."""
        sizes = [array.shape for array in self._outputs([0, 0, 0], [0, 0, 0])]
        tags = [(1, 3, 1 + 2 * len(types)) for types in (self._model.entities, self._model.parts)]
        if sizes != [*tags, (1, len(self._model.labels))]:
            raise NotTrusted("expected a model with the outputs that reader.json names, got others", check="V8")

    def _verify_probe(self, probe: Probe, number: int) -> None:
        found = self._read(normalise(probe.text).text)
        for label, (low, high) in probe.labels.items():
            score = found.scores_bp.get(label, 0)
            if not low <= score <= high:
                raise NotTrusted(
                    f"expected {label} between {low} and {high} in line {number} of the self-test, got {score}",
                    check="V8",
                    hint="this processor may round differently than the model's makers allowed for",
                )
        entities = tuple((entity.type, entity.start, entity.end) for entity in found.entities)
        if (entities, tuple(map(tuple, found.parts))) != (probe.entities, probe.parts):
            raise NotTrusted(f"expected other places in line {number} of the self-test", check="V8")


def find_encoder(folder: str = "") -> OnnxEncoder | None:
    """Return the model in `folder`, or the packaged one, or none if there is none or none is wanted; opened once.

    Raises:
        Unavailable, InvalidDocument, NotTrusted: as `OnnxEncoder.open`.
    """
    where = _wanted(folder)
    return None if where is None else _opened(str(where))


def find_installed(folder: str = "", problem: str = "") -> Installed:
    """Return which model `find_encoder` opens: its files are the ones that its description names; nothing is run.

    Args:
        folder: as for `find_encoder`.
        problem: why the model was refused when it was opened, if it was.
    """
    where = _wanted(folder)
    if where is None:
        return Installed()
    try:
        description = _load(where / "reader.json", MAX_BYTES)
        model = parse_reader_model(description)
        _load_verified(where / "tokenizer.json", model.tokenizer)
        _load_verified(where / "reader.onnx", model.graph)
        if model.gate:
            _load_verified(where / "gate.onnx", model.gate.file)
    except MentorplaneError as error:
        return Installed(problem=problem or str(error))
    return Installed(
        model.name, canonical.digest(description), model.locales, size_bytes=len(description), problem=problem
    )


def _wanted(folder: str) -> Path | None:
    if folder == NO_MODEL or not (folder or (PACKAGED / "reader.json").is_file()):
        return None
    return Path(folder or PACKAGED)


@cache
def _opened(folder: str) -> OnnxEncoder:
    return OnnxEncoder.open(folder)


def _load(path: Path, at_most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(at_most + 1)
    except OSError as error:
        raise Unavailable(f"expected {path.name} of the reader's model, got {error.strerror}") from error


def _load_verified(path: Path, file: File) -> bytes:
    data = _load(path, file.size_bytes)
    if len(data) != file.size_bytes or canonical.digest(data) != file.digest:
        raise NotTrusted(f"expected the {path.name} that reader.json names, got another", check="V8")
    return data


def _tokenizer(data: bytes) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(data.decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _session(data: bytes) -> InferenceSession:
    # Before the import: as soon as it is loaded it writes a number for this device into the person's cache and tells
    # its maker of the process, earlier than the call below can say no.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    session.disable_fallback()
    vars(session).pop("_model_bytes", None)  # a second copy of the file, kept for the fallback that is switched off
    return session


def _inputs(ids: list[int], capitals: list[int]) -> dict[str, npt.NDArray[np.int64]]:
    import numpy as np

    return {"input_ids": np.array([ids], np.int64), "token_type_ids": np.array([capitals], np.int64)}


def _windows(tokens: int, model: ReaderModel) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and end of each window over the tokens of a sentence, and which of them it decides."""
    size = model.max_tokens - 2
    step = size - model.overlap_tokens
    start = keep_from = 0
    while True:
        end = min(start + size, tokens)
        last = end == tokens
        keep_to = tokens if last else end - model.overlap_tokens // 2
        yield start, end, keep_from, keep_to
        if last:
            return
        start, keep_from = start + step, keep_to


def _places(sentence: str, encoding: Encoding, starts: list[int], *, scores: Scores, head: _Head) -> tuple[Found, ...]:
    """Return the places of one head: each word has the likeliest of its types, if that reaches its threshold."""
    return places_of(sentence, _words(encoding.offsets[1:-1], starts, scores=scores, head=head))


def _words(
    offsets: Sequence[tuple[int, int]], starts: list[int], *, scores: Scores, head: _Head
) -> Iterable[tuple[int, int, str, bool]]:
    import numpy as np

    if not starts:
        return
    begins, inside = scores[:, 1::2], scores[:, 2::2]
    sizes = np.diff([*starts, len(offsets)])
    of_types = np.add.reduceat(begins + inside, starts, axis=0) / sizes[:, None]
    best = of_types.argmax(axis=1)
    chosen = of_types[np.arange(len(starts)), best]
    for number, (start, kind, score) in enumerate(zip(starts, best.tolist(), chosen.tolist(), strict=True)):
        if score >= head.least[kind]:
            end = offsets[start + int(sizes[number]) - 1][1]
            yield offsets[start][0], end, head.types[kind], bool(begins[start, kind] > inside[start, kind])


def _softmax(logits: Scores) -> Scores:
    import numpy as np

    powers: Any = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def _sigmoid_bp(logit: float) -> int:
    import math

    return round(10_000 / (1 + math.exp(-max(-60.0, min(60.0, logit)))))
