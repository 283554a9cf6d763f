"""Texts of any length, read in blocks: pieces that make up the text, each with its own reading.

Promises: memory for one block, however long the text; blocks overlap, so that each piece was read with what stands
around it; no piece ends within a finding. Does not: read a stream (the shell does), or keep a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from audit.frozen import replace
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.reader import TextReader
from edge_runtime.core.reader.records import LEVELS, Commitment, Entity, Labelled, Labels, Language, Reading, Span

__all__ = ["Piece", "join_readings", "read_pieces"]

BLOCK = 40_000
"""About how many characters a piece has."""
OVERLAP = 1_000
"""How many characters before and behind a piece are read with it."""
_BREAKS = (lazy_pattern(r"\n+"), lazy_pattern(r"[.!?]\s+"), lazy_pattern(r"\s+"))


class Piece(NamedTuple):
    """A part of a longer text and its reading, whose places are in the part."""

    text: str
    reading: Reading


def read_pieces(reader: TextReader, chunks: Iterable[str]) -> Iterator[Piece]:
    """Yield the pieces of the text that `chunks` make up, in order; at least one."""
    before, buffer = "", ""
    for chunk in chain(chunks, (None,)):
        buffer += chunk or ""
        while len(buffer) > BLOCK + OVERLAP or chunk is None:
            window = before + buffer[: BLOCK + OVERLAP]
            reading = reader.read(window)
            first = len(before)
            border = len(window) if len(buffer) <= BLOCK + OVERLAP else _border(window, reading)
            yield Piece(window[first:border], _within(reading, first, border))
            before, buffer = window[max(0, border - OVERLAP) : border], buffer[border - first :]
            if chunk is None and not buffer:
                return


def _border(window: str, reading: Reading) -> int:
    """Return where a piece ends: at the last line end, sentence end or blank before the overlap, in no finding."""
    latest = len(window) - OVERLAP
    earliest = latest - OVERLAP
    ends = (
        found.end() for pattern in _BREAKS for found in reversed(list(pattern().finditer(window, earliest, latest)))
    )
    free = (end for end in ends if not any(entity.start < end < entity.end for entity in reading.entities))
    forced = max((e.end for e in reading.entities if e.start < latest < e.end), default=latest)
    return next(free, forced)


def _within(reading: Reading, start: int, end: int) -> Reading:
    """Return what is in a part of a text, with places in that part; a sentence belongs where it begins."""
    size = end - start
    return replace(
        reading,
        text_length=size,
        entities=tuple(
            Entity(e.type, max(e.start, start) - start, min(e.end, end) - start, e.source)
            for e in reading.entities
            if e.start < end and e.end > start
        ),
        sentences=tuple(
            Labelled(s.label, s.start - start, min(s.end, end) - start)
            for s in reading.sentences
            if start <= s.start < end
        ),
        commitments=None
        if reading.commitments is None
        else tuple(_moved(c, -start) for c in reading.commitments if start <= c.start < end),
    )


def _moved(commitment: Commitment, by: int) -> Commitment:
    who, what, when = (
        None if part is None else Span(part.start + by, part.end + by)
        for part in (commitment.who, commitment.what, commitment.when)
    )
    return Commitment(commitment.start + by, commitment.end + by, who, what, when)


def join_readings(readings: Iterable[Reading]) -> Reading:
    """Return one reading of the text that the parts of `readings` make up, in order."""
    at = 0
    entities: list[Entity] = []
    sentences: list[Labelled] = []
    commitments: list[Commitment] | None = []
    labels: Labels | None = None
    assessed: frozenset[str] | None = None
    for reading in readings:
        entities += [Entity(e.type, e.start + at, e.end + at, e.source) for e in reading.entities]
        sentences += [Labelled(s.label, s.start + at, s.end + at) for s in reading.sentences]
        if commitments is not None and reading.commitments is not None:
            commitments += [_moved(commitment, at) for commitment in reading.commitments]
        else:
            commitments = None
        labels = reading.labels if labels is None else _joined_labels(labels, reading.labels)
        assessed = reading.assessed if assessed is None else assessed & reading.assessed
        at += reading.text_length
    if labels is None or assessed is None:
        raise ValueError("expected at least one reading, got none")
    found = None if commitments is None else tuple(commitments)
    return Reading(at, tuple(entities), labels, tuple(sentences), found, assessed)


def _joined_labels(one: Labels, other: Labels) -> Labels:
    """Return the labels of both: the graver crisis, oneself before others, and not assessed if either is not."""
    graver = max((one, other), key=lambda labels: (LEVELS.index(labels.crisis), labels.subject == "self"))
    topics = None if one.topics is None or other.topics is None else tuple(sorted({*one.topics, *other.topics}))
    found = one.injection or other.injection
    injection = found or (None if one.injection is None or other.injection is None else False)
    language: Language = "other" if "other" in {one.language, other.language} else one.language or other.language
    return Labels(topics, graver.crisis, graver.subject, injection, language)
