"""Checks of language: texts that are hard to read, and translations of a wording that is no longer in force.

Readability is Björnsson's LIX: words a sentence, and words of more than six letters in a hundred. It needs neither
syllables nor a dictionary, and serves English, German, French and Spanish alike; 40 is a newspaper, 60 a law.
Source: C.-H. Björnsson, Läsbarhet (1968); J. Anderson, Lix and Rix, Journal of Reading 26 (1983).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.manifest import Entry
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.template import texts_of

__all__ = ["check_readability", "check_translations", "lix"]

HARD = {"de": 60, "en": 50, "es": 55, "fr": 55}
"""From which index on a text is hard; German joins words, so its words are longer."""
LEAST_WORDS = 40
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?:;]+(?=\s|$)|\n+")
_MARK = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


def lix(text: str) -> int:
    """Return the readability index of a text; 0 if it has no words.

    >>> lix("We met. We spoke about work.")
    3
    >>> lix("Organisational responsibilities necessitate comprehensive consideration.")
    105
    """
    words = _WORD.findall(text)
    sentences = sum(1 for part in _SENTENCE.split(text) if _WORD.search(part))
    long = sum(1 for word in words if len(word) > 6)
    return round(len(words) / sentences + 100 * long / len(words)) if words else 0


def check_readability(candidate: Candidate) -> Found:
    """Find scripts whose texts for people are hard to read: a notice, because a person can judge it better."""
    notices, evidence = [], []
    for entry, prompt in candidate.scripts():
        language = prompt.locale.partition("-")[0].lower()
        text = _read_by_people(prompt)
        if language not in HARD:
            evidence.append(f"{entry.name}: not measured in {prompt.locale}")
        elif len(_WORD.findall(text)) >= LEAST_WORDS:
            index, hard = lix(text), HARD[language]
            line = f"{entry.name}: readability index {index}"
            notices += [f"{line}: hard to read, expected less than {hard}"] if index >= hard else []
            evidence += [line] if index < hard else []
    return Found(notices=tuple(notices), evidence=tuple(evidence) or ("no text that is long enough to measure",))


def _read_by_people(prompt: Prompt) -> str:
    texts = (prompt.disclosure, *texts_of(prompt.fill), prompt.reply, prompt.fallback)
    return "\n".join(_MARK.sub(" ", text) for text in texts)


def check_translations(candidate: Candidate) -> Found:
    """Find translations of another wording than the one in this release, and translations of nothing."""
    problems, notices, count = [], [], 0
    originals = {entry.key: entry for entry in candidate.manifest.entries}
    for entry in _translations(candidate):
        translated = candidate.document(entry)["translation_of"]
        count += 1
        original = originals.get((entry.kind, translated["name"]))
        if original is None:
            problems.append(f"{entry.kind} {entry.name}: expected its original {translated['name']!r} in the release")
        elif original.digest != translated["digest"]:
            notices.append(f"{entry.kind} {entry.name}: the translation is stale, {original.name} is worded anew")
    return Found(tuple(problems), tuple(notices), (f"{count} translations compared with their originals",))


def _translations(candidate: Candidate) -> Iterator[Entry]:
    """Yield the entries, introduced or not, that are translations and whose content is at hand."""
    for entry in candidate.manifest.entries:
        if "." in entry.name and entry.digest in candidate.closures:
            stated = candidate.document(entry).get("translation_of")
            if isinstance(stated, dict) and {"name", "digest"} <= set(stated):
                yield entry
