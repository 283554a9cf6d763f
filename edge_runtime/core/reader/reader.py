"""One reading of one text: run the recognisers, join what they found, map it back to the original.

Promises: places are in the original text and never overlap; where two findings do, the longest wins and the
other keeps what is left of it; the same text gives the same reading.
Does not: keep the text, or know what a finding is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.names import NameFinder
from edge_runtime.core.reader.normalise import Normalised, normalise
from edge_runtime.core.reader.patterns import FULLY_FOUND, find_patterns
from edge_runtime.core.reader.phones import REGIONS
from edge_runtime.core.reader.records import Crisis, Entity, Labels, Reading, Span, Subject
from edge_runtime.core.reader.sentences import sentence_spans
from edge_runtime.core.reader.views import hidden_views

__all__ = ["MAX_TEXT_LENGTH", "Encoder", "SentenceFindings", "TextReader", "as_json"]

MAX_TEXT_LENGTH = 100_000
"""Longest text that is read, in code points."""

TOPIC = "topic."
_ALWAYS_ASSESSED = frozenset({*FULLY_FOUND, "TERM", "crisis"})
_ORDER = ("BANK", "CARD", "EMAIL", "ID_NUMBER", "DATE_OF_BIRTH", "PHONE", "PERSON", "TERM")


@frozen
class SentenceFindings:
    """What an encoder says of one sentence: entities placed within it, and a score per label."""

    entities: tuple[Entity, ...]
    scores_bp: Mapping[str, int]


class Encoder(Protocol):
    """A model that reads sentences.

    Labels are `topic.<name>`, `crisis`, `low_mood`, `injection`, `affirmation` and `commitment`. A label
    counts at or above its threshold; one without a threshold is not assessed.
    """

    @property
    def entity_types(self) -> frozenset[str]:
        """The entity types that this model looks for."""

    @property
    def thresholds_bp(self) -> Mapping[str, int]:
        """The least score, in basis points, at which each label counts."""

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Return the findings of each sentence, in the same order."""


class _Encoded(NamedTuple):
    """An encoder's findings on a whole text, placed in the original; `None` where it does not look."""

    entities: tuple[Entity, ...] = ()
    topics: tuple[str, ...] | None = None
    crisis: Crisis = "none"
    injection: bool | None = None
    affirmations: int | None = None
    commitments: tuple[Span, ...] | None = None
    assessed: frozenset[str] = frozenset()


class TextReader:
    """Reads texts: knows the host app's names and terms, the regions of telephone numbers, and a model if any."""

    __slots__ = ("_encoder", "_names", "_regions")

    def __init__(
        self,
        *,
        names: Iterable[str] = (),
        terms: Iterable[str] = (),
        regions: Sequence[str] = REGIONS,
        encoder: Encoder | None = None,
    ) -> None:
        self._names = NameFinder(names, terms)
        self._regions = tuple(regions)
        self._encoder = encoder

    def read(self, text: str) -> Reading:
        """Return the findings of `text`.

        Raises:
            InvalidDocument: the text is longer than `MAX_TEXT_LENGTH`.
        """
        if len(text) > MAX_TEXT_LENGTH:
            raise InvalidDocument(f"expected at most {MAX_TEXT_LENGTH} characters of text, got {len(text)}")
        normalised = normalise(text)
        encoded = _encode(normalised, self._encoder) if self._encoder else _Encoded()
        crisis, subject = _join_crisis(classify_crisis(normalised.text), encoded.crisis)
        views = hidden_views(normalised)
        found = [entity for seen in (normalised, *(view.text for view in views)) for entity in self._find(seen)]
        entities = _resolve(text, (*found, *encoded.entities))
        return Reading(
            text_length=len(text),
            entities=entities,
            labels=Labels(encoded.topics, crisis, subject, encoded.injection),
            affirmations=encoded.affirmations,
            commitments=encoded.commitments,
            assessed=_ALWAYS_ASSESSED | encoded.assessed,
        )

    def _find(self, normalised: Normalised) -> Iterable[Entity]:
        for kind, start, end in find_patterns(normalised.text, self._regions):
            place = normalised.original(start, end)
            yield Entity(kind, place.start, place.end, "pattern")
        for kind, start, end in self._names.find(normalised.text):
            place = normalised.original(start, end)
            yield Entity(kind, place.start, place.end, "host")


def as_json(reading: Reading) -> dict[str, Any]:
    """Return the findings as a JSON object; what was not assessed is empty there, or false: nothing was found."""
    return {
        "entities": [{"type": found.type, "start": found.start, "end": found.end} for found in reading.entities],
        "labels": {
            "topics": list(reading.labels.topics or ()),
            "crisis": reading.labels.crisis,
            "injection": bool(reading.labels.injection),
        },
        "affirmations": reading.affirmations or 0,
        "commitments": [[place.start, place.end] for place in reading.commitments or ()],
    }


def _resolve(text: str, found: Iterable[Entity]) -> tuple[Entity, ...]:
    """Return entities without overlap: the longest wins, a shorter one keeps what is left of it."""
    taken = bytearray(len(text))
    resolved: list[Entity] = []
    for entity in sorted(set(found), key=_rank):
        start = entity.start
        while start < entity.end:
            if taken[start]:
                start += 1
                continue
            stop = taken.find(1, start, entity.end)
            end = entity.end if stop < 0 else stop
            taken[start:end] = b"\1" * (end - start)
            resolved += _trimmed(text, entity, Span(start, end))
            start = end
    return tuple(sorted(resolved, key=lambda entity: entity.start))


def _rank(entity: Entity) -> tuple[int, int, int, str, str]:
    order = _ORDER.index(entity.type) if entity.type in _ORDER else len(_ORDER)
    return -(entity.end - entity.start), order, entity.start, entity.type, entity.source


def _trimmed(text: str, entity: Entity, place: Span) -> Iterable[Entity]:
    """Yield `entity` at `place` without outer blanks, if a letter or digit is left."""
    piece = text[place.start : place.end]
    start = place.start + len(piece) - len(piece.lstrip())
    end = place.end - len(piece) + len(piece.rstrip())
    if any(map(str.isalnum, piece)):
        yield Entity(entity.type, start, end, entity.source)


def _join_crisis(phrases: tuple[Crisis, Subject], encoded: Crisis) -> tuple[Crisis, Subject]:
    """Return the graver of the two; whom a model's finding concerns is unknown, so it is taken as oneself."""
    gravity = {"none": 0, "low_mood": 1, "crisis": 2}
    return phrases if gravity[phrases[0]] >= gravity[encoded] else (encoded, phrases[1] or "self")


def _encode(normalised: Normalised, encoder: Encoder) -> _Encoded:
    places = sentence_spans(normalised.text)
    findings = encoder.read([normalised.text[place.start : place.end] for place in places])
    if len(findings) != len(places):
        raise ValueError(f"expected findings for {len(places)} sentences, got {len(findings)}")
    entities: list[Entity] = []
    hits: dict[str, list[Span]] = {}
    for place, finding in zip(places, findings, strict=True):
        for entity in finding.entities:
            if entity.type in encoder.entity_types and 0 <= entity.start < entity.end <= place.end - place.start:
                where = normalised.original(place.start + entity.start, place.start + entity.end)
                entities.append(Entity(entity.type, where.start, where.end, "encoder"))
        for label, threshold in encoder.thresholds_bp.items():
            if finding.scores_bp.get(label, 0) >= threshold:
                hits.setdefault(label, []).append(normalised.original(place.start, place.end))
    return _encoded(tuple(entities), hits, encoder)


def _encoded(entities: tuple[Entity, ...], hits: Mapping[str, list[Span]], encoder: Encoder) -> _Encoded:
    labels = set(encoder.thresholds_bp)
    topics = {label for label in labels if label.startswith(TOPIC)}
    names = {"affirmation": "affirmations", "commitment": "commitments", "injection": "injection"}
    assessed = {names[label] for label in labels & set(names)} | ({"topics"} if topics else set())
    return _Encoded(
        entities=entities,
        topics=tuple(sorted(label.removeprefix(TOPIC) for label in topics & set(hits))) if topics else None,
        crisis="crisis" if "crisis" in hits else "low_mood" if "low_mood" in hits else "none",
        injection="injection" in hits if "injection" in labels else None,
        affirmations=len(hits.get("affirmation", ())) if "affirmation" in labels else None,
        commitments=tuple(hits.get("commitment", ())) if "commitment" in labels else None,
        assessed=encoder.entity_types | assessed,
    )
