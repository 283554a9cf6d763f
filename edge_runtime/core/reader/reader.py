"""One reading of one text: run the recognisers, join what they found, map it back to the original.

Promises: places are in the original text and never overlap; where two findings do, the longest wins and the
other keeps what is left of it; the same text gives the same reading.
Does not: keep the text, or know what a finding is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.encoder import Encoder
from edge_runtime.core.reader.joining import Heard, hear
from edge_runtime.core.reader.language import language_of
from edge_runtime.core.reader.names import NameFinder
from edge_runtime.core.reader.normalise import Normalised, normalise
from edge_runtime.core.reader.patterns import FULLY_FOUND, find_patterns
from edge_runtime.core.reader.phones import REGIONS
from edge_runtime.core.reader.records import LEVELS, Crisis, Entity, Labels, Reading, Span, Subject
from edge_runtime.core.reader.sentences import sentence_spans
from edge_runtime.core.reader.unseen import unseen_pieces
from edge_runtime.core.reader.views import View, hidden_views

__all__ = ["MAX_TEXT_LENGTH", "TextReader"]

MAX_TEXT_LENGTH = 100_000
"""Longest text that is read, in code points."""

_ALWAYS_ASSESSED = frozenset({*FULLY_FOUND, "TERM", "crisis"})
_ORDER = ("BANK", "CARD", "EMAIL", "ID_NUMBER", "DATE_OF_BIRTH", "PHONE", "PERSON", "TERM")


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

    def with_encoder(self, encoder: Encoder | None) -> TextReader:
        """Return a reader that knows the same names, terms and regions, and has this model."""
        other = TextReader(regions=self._regions, encoder=encoder)
        other._names = self._names
        return other

    def read(self, text: str) -> Reading:
        """Return the findings of `text`.

        Raises:
            InvalidDocument: the text is longer than `MAX_TEXT_LENGTH`.
        """
        if len(text) > MAX_TEXT_LENGTH:
            raise InvalidDocument(f"expected at most {MAX_TEXT_LENGTH} characters of text, got {len(text)}")
        plain = normalise(text)
        views = (View("plain", plain), *hidden_views(plain, text))
        placed = [(view, sentence_spans(view.text.text)) for view in views]
        heard = hear(placed, self._encoder) if self._encoder else Heard()
        found = [entity for view in views if view.kind != "quoted" for entity in self._find(view.text)]
        crisis, subject = _join_crisis(_phrases(views), heard)
        language = language_of(plain.text[place.start : place.end] for place in placed[0][1])
        # What a model does not find in a language that it was not made for may be there all the same.
        foreign = self._encoder is not None and language not in {*self._encoder.locales, ""}
        injection = None if foreign and not heard.injection else heard.injection
        topics = None if foreign else heard.topics
        return Reading(
            text_length=len(text),
            entities=_resolve(text, (*found, *heard.entities)),
            labels=Labels(topics, crisis, subject, injection, language),
            sentences=heard.sentences,
            commitments=heard.commitments,
            assessed=_ALWAYS_ASSESSED | (frozenset() if foreign else heard.assessed),
        )

    def _find(self, normalised: Normalised) -> Iterable[Entity]:
        for kind, start, end in find_patterns(normalised.text, self._regions):
            place = normalised.original(start, end)
            yield Entity(kind, place.start, place.end, "pattern")
        for kind, start, end in self._names.find(normalised.text):
            place = normalised.original(start, end)
            yield Entity(kind, place.start, place.end, "host")


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
    """Yield `entity` at `place` without outer blanks, if a letter or digit is left, or what hides one."""
    piece = text[place.start : place.end]
    start = place.start + len(piece) - len(piece.lstrip())
    end = place.end - len(piece) + len(piece.rstrip())
    if any(map(str.isalnum, piece)) or unseen_pieces(piece):
        yield Entity(entity.type, start, end, entity.source)


def _phrases(views: Iterable[View]) -> tuple[Crisis, Subject]:
    """Return what the phrases say of the text and of what it hides."""
    hidden = " . ".join(view.text.text for view in views if view.kind == "decoded")
    plain = next(view.text.text for view in views if view.kind == "plain")
    return classify_crisis(f"{plain} . {hidden}" if hidden else plain)


def _join_crisis(phrases: tuple[Crisis, Subject], heard: Heard) -> tuple[Crisis, Subject]:
    """Return the graver of the two, the phrases' if they agree: whom it concerns, they know for certain."""
    return phrases if LEVELS.index(phrases[0]) >= LEVELS.index(heard.crisis) else (heard.crisis, heard.subject)
