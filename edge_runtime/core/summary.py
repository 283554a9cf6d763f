"""Extractive summaries: the sentences of a text that matter most, chosen, never rewritten.

Promises: every line is a place in the original, in the order of it; what was agreed is kept first, by the word
of a model or by cues, then what is central and not said yet; the same text, the same summary. Needs no model.
Does not: say that a sentence is a commitment. Cues choose sentences here, and are no finding.
Source: scoring by position and term frequency (Luhn 1958; Edmundson 1969), maximal marginal relevance (Carbonell 1998).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.records import Reading, Span
from edge_runtime.core.reader.sentences import sentence_spans

__all__ = ["Line", "best_lines", "lines_of", "summarise", "summary_lines"]

CENTRAL = 0.6
"""How much being central counts against being new."""
_WORD = lazy_pattern(r"[^\W\d_]{4,}")
_ANY_WORD = lazy_pattern(r"[^\W_]+")
_AGREED_ACTS = ("agreed_action", "commitment")
_AGREED = lazy_pattern(
    r"\b(?:i|we|she|he|they)(?:'ll| will)(?! (?:not|never|no longer)\b)\b"
    r"|\b(?:i|we|she|he|they) (?:decided|committed|promised|plan to|settled on)\b|\b(?:'m|'re) going to\b"
    r"|(?<!not )(?<!never )\bagreed\b|\b(?:action|next steps?|to-?do|follow[- ]up|deadline|due)\b"
    r"|\bby (?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\bby (?:tomorrow|tonight|next week|noon|eo[dw]|cob|the end of|\d)"
    r"|\b(?:ich werde|wir werden|vereinbart|beschlossen|abgemacht|verabredet|geeinigt|übernehme|übernimmt"
    r"|kümmere? mich|kümmert sich|nächste[rn]? schritt\w*|bis (?:zum|ende|spätestens|montag|dienstag|mittwoch"
    r"|donnerstag|freitag|samstag|sonntag|morgen))\b"
    r"|\b(?:je vais|nous allons|convenue?s?|(?:on a|nous avons|avons) décidé|m'occupe|s'occupe|m'engage|s'engage"
    r"|prochaines? étapes?|d'ici|au plus tard|avant (?:la fin|lundi|mardi|mercredi|jeudi|vendredi))\b"
    r"|\b(?:voy a|vamos a|acordamos|acordado|decidimos|hemos decidido|quedamos|hemos quedado|me comprometo"
    r"|se compromete|me encargo|se encarga|próximos? pasos?|a más tardar"
    r"|(?:antes del?|para el) (?:final|lunes|martes|miércoles|jueves|viernes))\b"
)
_STOP_LIST = """
about after again against also although because been before being below between both could does doing down during
each even every from further have having here into itself just like made make many more most much must need only
other ours over really same should some such than that their them then there these they this those through under
until very want well were what when where which while whom will with would your yours
aber auch alle beim dann dass dein deine diese dieser doch durch eine einem einen einer haben hatte heute hier
ihre immer jetzt kann kein mein mich mehr muss nach nicht noch oder ohne schon sein seine sich sind über unser
viel wenn werden wird wurde zwischen
alors aussi avec avoir bien cela cette chez comme dans depuis donc elle elles encore entre être fait leur leurs mais
même nous parce pendant plus pour quand sans sont sous tous tout très vers votre vous
algo ante cada como cuando desde donde ella ellos entre esta este estos hacia hasta muchos nada otro para pero
porque pues sido sobre también tanto tiene todo tras unos usted
"""


class Line(NamedTuple):
    """A chosen sentence, and whether a model found something agreed in it."""

    text: str
    agreed: bool


def summary_lines(text: str, *, at_most: int, reading: Reading | None = None) -> list[str]:
    """Return the sentences that best stand for `text`, one a line; what its `reading` found agreed is kept first."""
    return [line.text for line in lines_of(text, at_most=at_most, reading=reading)]


def lines_of(text: str, *, at_most: int, reading: Reading | None = None) -> list[Line]:
    """Return the sentences of `summary_lines` with what the `reading` says of them."""
    agreed = [place for label in _AGREED_ACTS for place in reading.places(label) or ()] if reading else []
    return [
        Line(" ".join(text[span.start : span.end].split()), _touches(span, agreed))
        for span in summarise(text, at_most=at_most, agreed=agreed)
    ]


def best_lines(lines: Iterable[Line], *, at_most: int) -> list[Line]:
    """Return the lines that best stand for the text whose parts these `lines` were chosen from."""
    text, agreed = "", []
    for line in lines:
        if line.agreed:
            agreed.append(Span(len(text), len(text) + len(line.text)))
        text += f"{line.text}\n\n"
    return [
        Line(text[span.start : span.end], _touches(span, agreed))
        for span in summarise(text, at_most=at_most, agreed=agreed)
    ]


def _touches(span: Span, places: Iterable[Span]) -> bool:
    return any(place.start < span.end and place.end > span.start for place in places)


def summarise(text: str, *, at_most: int = 5, agreed: Iterable[Span] = ()) -> tuple[Span, ...]:
    """Return the places of at most `at_most` sentences that best stand for `text`, in its order.

    Args:
        text: what to choose from.
        at_most: how many sentences.
        agreed: where a model found an agreed action or a commitment; cues are looked for besides.
    """
    if at_most < 1:
        raise ValueError(f"expected at least one line, got {at_most}")
    spans = sentence_spans(text)
    known = tuple(agreed)
    plain = [normalise(text[span.start : span.end]).text.casefold() for span in spans]
    stop = frozenset(_STOP_LIST.split())
    terms = [frozenset(_WORD().findall(sentence)) - stop for sentence in plain]
    overlaps = Counter(term for sentence in terms for term in sentence)
    seen: set[tuple[str, ...]] = set()
    ranks: tuple[list[int], list[int], list[int]] = ([], [], [])  # by a model's word, by a cue, the others
    for index, sentence in enumerate(plain):
        words = tuple(_ANY_WORD().findall(sentence))
        if not words or words in seen:
            continue
        seen.add(words)
        told = _touches(spans[index], known)
        ranks[0 if told else 1 if _AGREED().search(sentence) else 2].append(index)
    scores = [_score(sentence, overlaps, index) for index, sentence in enumerate(terms)]
    chosen: tuple[int, ...] = ()
    for candidates in ranks:
        chosen = _chosen(candidates, terms, scores=scores, at_most=at_most, chosen=chosen)
    return tuple(spans[index] for index in sorted(chosen))


def _chosen(
    candidates: list[int],
    terms: list[frozenset[str]],
    *,
    scores: list[float],
    at_most: int,
    chosen: tuple[int, ...],
) -> tuple[int, ...]:
    """Return `chosen` and the candidates that add most: central, and unlike what is chosen already (MMR)."""
    top = max((scores[index] for index in candidates), default=0.0) or 1.0
    alike = {
        index: max((_likeness(terms[index], terms[other]) for other in chosen), default=0.0) for index in candidates
    }
    while alike and len(chosen) < at_most:
        best = max(alike, key=lambda index: (CENTRAL * scores[index] / top - (1 - CENTRAL) * alike[index], -index))
        del alike[best]
        chosen = (*chosen, best)
        alike = {index: max(like, _likeness(terms[index], terms[best])) for index, like in alike.items()}
    return chosen


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of terms that two sentences have in common."""
    return len(one & other) / (len(one | other) or 1)


def _score(sentence: frozenset[str], overlaps: Counter[str], index: int) -> float:
    """Return how central a sentence is: the terms it shares with others, for its length, and a bonus up front."""
    shared = sum(overlaps[term] - 1 for term in sentence)
    position = 1.0 if index == 0 else 0.25 if index < 3 else 0.0
    return shared / (len(sentence) + 3) + position
