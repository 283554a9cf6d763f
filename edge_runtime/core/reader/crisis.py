"""Crisis and low mood in a text, by phrases: the floor that works with no model at all.

Promises: recall first, since a missed disclosure is the worse error; everyday idioms are removed before
anything is matched; a disclosure about oneself outranks one about somebody else, and crisis outranks low mood.
Does not: diagnose, grade risk, or read tone. An encoder may raise the result, never lower it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from edge_runtime.core.reader.crisis_fold import crisis_views
from edge_runtime.core.reader.crisis_phrases import (
    IDIOMS,
    MACROS,
    OTHER_CRISIS,
    OTHER_LOW_MOOD,
    SELF_CRISIS,
    SELF_LOW_MOOD,
    Phrase,
)
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.records import Crisis, Subject

__all__ = ["classify_crisis"]

_SENTENCE_END = lazy_pattern(r"[.!?;\u2026]+ ?")
_MACRO = lazy_pattern(r"\{([a-z]\w*)\}")
_REMOVED = " | "
_TABLES = (IDIOMS, OTHER_CRISIS, SELF_CRISIS, OTHER_LOW_MOOD, SELF_LOW_MOOD)
_GRAVITY: tuple[tuple[Crisis, Subject], ...] = (
    ("none", ""),
    ("low_mood", "other"),
    ("low_mood", "self"),
    ("crisis", "other"),
    ("crisis", "self"),
)


def classify_crisis(text: str) -> tuple[Crisis, Subject]:
    """Return the level and the subject of the normalised `text`; the subject is empty when the level is none."""
    seen: set[str] = set()
    return _GRAVITY[max(_gravity(view, seen) for view in crisis_views(text))]


def _gravity(folded: str, seen: set[str]) -> int:
    """Return the index in `_GRAVITY` of what a folded view tells, in sentences that are not among those `seen`."""
    sentences = [sentence for sentence in dict.fromkeys(_SENTENCE_END().split(folded)) if sentence not in seen]
    seen.update(sentences)
    idioms, other_crisis, self_crisis, other_low, self_low = _present("\n".join(sentences))
    gravest = 0
    for sentence in sentences:
        cleared = _remove(idioms, sentence)
        about_other = _remove(other_crisis, cleared)
        if _any(self_crisis, about_other):
            return len(_GRAVITY) - 1
        if about_other != cleared:
            gravest = max(gravest, 3)
        elif gravest < 3:
            without_others = _remove(other_low, cleared)
            if _any(self_low, without_others):
                gravest = max(gravest, 2)
            elif without_others != cleared:
                gravest = max(gravest, 1)
    return gravest


def _present(text: str) -> tuple[list[Phrase], ...]:
    """Return the phrases of each table whose anchors occur in a text, in order: one look for each anchor."""
    found: tuple[list[Phrase], ...] = tuple([] for _ in _TABLES)
    places = [place for anchor, places in _by_anchor().items() if anchor in text for place in places]
    for table, number in sorted(places):
        found[table].append(_TABLES[table][number])
    return found


@cache
def _by_anchor() -> dict[str, list[tuple[int, int]]]:
    """Return, for each anchor, the tables and numbers of its phrases."""
    places: dict[str, list[tuple[int, int]]] = {}
    for table, phrases in enumerate(_TABLES):
        for number, (anchor, _) in enumerate(phrases):
            places.setdefault(anchor, []).append((table, number))
    return places


def _any(phrases: Iterable[Phrase], sentence: str) -> bool:
    return any(anchor in sentence and _compiled(pattern).search(sentence) for anchor, pattern in phrases)


def _remove(phrases: Iterable[Phrase], sentence: str) -> str:
    """Return `sentence` with every phrase replaced by a sign that no pattern matches."""
    for anchor, pattern in phrases:
        if anchor in sentence:
            sentence = _compiled(pattern).sub(_REMOVED, sentence)
    return sentence


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    while (expanded := _MACRO().sub(lambda name: MACROS.get(name[1], name[0]), pattern)) != pattern:
        pattern = expanded
    return re.compile(pattern)
