"""Join what an encoder says of sentences into what is so of a text, sentence by sentence and view by view.

Promises: a label counts at its own threshold and never suppresses another, so a crisis is heard whatever else a
sentence is; of affirmation and the two kinds of praise one counts, the clearest; what a view hides (a code, spaced
letters) counts for injection, crisis and topics, and a quoted document for injection. Equal sentences are read once.
A short message in which a sentence comes near a crisis and none is one is read as a whole too, as what is said between
the lines is often said in two of them.
Does not: know phrases (see `crisis`), or run the model itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from edge_runtime.core.reader.decode import Found, commitments_of
from edge_runtime.core.reader.encoder import Encoder, SentenceFindings
from edge_runtime.core.reader.normalise import Normalised
from edge_runtime.core.reader.records import ACTS, Commitment, Crisis, Entity, Labelled, Span, Subject
from edge_runtime.core.reader.views import View

__all__ = ["SHORT", "Heard", "hear"]

TOPIC = "topic."
SUSPECTED = 20
"""What part of the threshold of a crisis, one in so many, makes a short message worth reading as a whole."""
SHORT = 400
"""How long a message read as a whole may be, in characters; a model learns from as long ones."""
_PRAISE = frozenset({"affirmation", "praise_generic", "praise_first_person"})
_HIDDEN = frozenset({"crisis", "low_mood", "about_other", "injection"})


class Heard(NamedTuple):
    """An encoder's findings on a whole text, placed in the original; `None` where it does not look."""

    entities: tuple[Entity, ...] = ()
    topics: tuple[str, ...] | None = None
    crisis: Crisis = "none"
    subject: Subject = ""
    injection: bool | None = None
    sentences: tuple[Labelled, ...] = ()
    commitments: tuple[Commitment, ...] | None = None
    assessed: frozenset[str] = frozenset()


class _Sentence(NamedTuple):
    """A sentence in a view: where it is there, what was found, and which labels count."""

    view: View
    place: Span
    findings: SentenceFindings
    labels: frozenset[str]


def hear(views: Sequence[tuple[View, Sequence[Span]]], encoder: Encoder) -> Heard:
    """Return what `encoder` finds in the sentences of the views of one text."""
    sentences = tuple(_read(views, encoder))
    hits = {label for sentence in sentences for label in sentence.labels}
    plain = tuple(sentence for sentence in sentences if sentence.view.kind == "plain")
    labels = frozenset(encoder.thresholds_bp)
    topics = {label for label in labels if label.startswith(TOPIC)}
    crisis, subject = _crisis((*sentences, *_whole(plain, encoder)))
    return Heard(
        entities=tuple(_entities(sentences, encoder.entity_types)),
        topics=tuple(sorted(label.removeprefix(TOPIC) for label in topics & hits)) if topics else None,
        crisis=crisis,
        subject=subject,
        injection="injection" in hits if "injection" in labels else None,
        sentences=tuple(_acts(plain)),
        commitments=tuple(_commitments(plain)) if "commitment" in labels else None,
        assessed=encoder.entity_types | (labels & {*ACTS, "injection"}) | ({"topics"} if topics else set()),
    )


def _read(views: Sequence[tuple[View, Sequence[Span]]], encoder: Encoder) -> Iterator[_Sentence]:
    texts = {view.text.text[place.start : place.end]: None for view, places in views for place in places}
    findings = encoder.read(tuple(texts))
    if len(findings) != len(texts):
        raise ValueError(f"expected findings for {len(texts)} sentences, got {len(findings)}")
    by_text = dict(zip(texts, findings, strict=True))
    for view, places in views:
        for place in places:
            found = by_text[view.text.text[place.start : place.end]]
            yield _Sentence(view, place, found, _counted(found, encoder, view.kind))


def _counted(found: SentenceFindings, encoder: Encoder, kind: str) -> frozenset[str]:
    """Return the labels that reach their thresholds and count in a view of this kind."""
    thresholds = encoder.thresholds_bp
    margins = {label: found.scores_bp.get(label, 0) - least for label, least in thresholds.items()}
    labels = {label for label, margin in margins.items() if margin >= 0}
    praised = sorted(labels & _PRAISE, key=lambda label: (margins[label], label), reverse=True)
    labels -= set(praised[1:])
    if kind == "quoted":
        labels &= {"injection"}
    elif kind != "plain":
        labels = {label for label in labels if label in _HIDDEN or label.startswith(TOPIC)}
    return frozenset(labels)


def _entities(sentences: Iterable[_Sentence], types: frozenset[str]) -> Iterator[Entity]:
    for view, place, findings, _ in sentences:
        for entity in findings.entities:
            inside = 0 <= entity.start < entity.end <= place.end - place.start
            if entity.type in types and inside and view.kind != "quoted":
                where = view.text.original(place.start + entity.start, place.start + entity.end)
                yield Entity(entity.type, where.start, where.end, "encoder")


def _crisis(sentences: Iterable[_Sentence]) -> tuple[Crisis, Subject]:
    """Return the gravest level, and whom it concerns: somebody else only if every such sentence says so."""
    heard = tuple(sentences)
    levels: tuple[Crisis, ...] = ("crisis", "low_mood")
    for level in levels:
        those = [sentence for sentence in heard if level in sentence.labels]
        if those:
            return level, "other" if all("about_other" in sentence.labels for sentence in those) else "self"
    return "none", ""


def _whole(plain: Sequence[_Sentence], encoder: Encoder) -> Iterator[_Sentence]:
    """Yield a short message of several sentences as one, if it is a crisis and none of them is by itself."""
    least = encoder.thresholds_bp.get("crisis")
    if least is None or len(plain) < 2 or any("crisis" in sentence.labels for sentence in plain):
        return
    view, place = plain[0].view, Span(plain[0].place.start, plain[-1].place.end)
    near = max(sentence.findings.scores_bp.get("crisis", 0) for sentence in plain)
    if place.end - place.start > SHORT or near * SUSPECTED < least:
        return
    for sentence in _read([(view, (place,))], encoder):
        if "crisis" in sentence.labels:
            yield sentence._replace(labels=sentence.labels & {"crisis", "about_other"})


def _acts(sentences: Iterable[_Sentence]) -> Iterator[Labelled]:
    for view, place, _, labels in sentences:
        where = view.text.original(place.start, place.end)
        yield from (Labelled(label, where.start, where.end) for label in ACTS if label in labels)


def _commitments(sentences: Iterable[_Sentence]) -> Iterator[Commitment]:
    for view, place, findings, labels in sentences:
        if "commitment" in labels:
            parts = (_placed(view.text, place, part) for part in findings.parts)
            yield from commitments_of(view.text.original(place.start, place.end), parts)


def _placed(text: Normalised, sentence: Span, part: Found) -> Found:
    where = text.original(sentence.start + part.start, sentence.start + part.end)
    return Found(part.type, where.start, where.end)
