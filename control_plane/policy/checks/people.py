"""Checks for the person being coached: they know what speaks, what may leave, and how to reach somebody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice, product

from control_plane.policy.checks.practice_words import NEGATIONS
from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.contract import Input, check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import produce, reply_text
from edge_runtime.core.prompt import Prompt, parse_prompt

__all__ = ["check_ai_disclosure", "check_contacts", "check_disclosure", "check_handoff"]

_MAY_LEAVE = ("redacted", "cloud")
_ASSISTANT = {
    "de": r"assistent\w*|assistenz\w*|ki|kunstliche[rn]? intelligenz|chatbot|sprachmodell|programm",
    "en": r"assistant|ai|artificial intelligence|chatbot|language model|machine|computer program",
    "es": r"asistente|ia|inteligencia artificial|chatbot|modelo de lenguaje|programa informatico",
    "fr": r"assistante?|ia|intelligence artificielle|chatbot|modele de langage|programme informatique",
}
"""How a disclosure says what speaks, in small letters without accents."""
_PLACEHOLDERS = re.compile(
    r"\blorem ipsum\b|\bx{3,}\b|<[^<>\n]{1,60}>|\[[^\[\]\n]{1,60}\]|\{[^{}\n]{0,60}\}|_{3,}|\?{3,}"
    r"|\bexample\.(?:com|org|net)\b|\b(?:0{5,}|1234567\d*)\b|\b555[- ]01\d\d\b"
    r"|\b(?:your|the|insert|enter) (?:\w+ )?(?:number|phone|address|contact|name) (?:here|goes here)"
    r"|\binsert (?:\w+ ){0,2}(?:number|phone|address|contact)"
    r"|\b(?:nummer|telefon\w*|adresse|kontakt) (?:hier )?(?:einfugen|eintragen|einsetzen)"
    r"|\bhier (?:nummer|kontakt|telefon\w*)"
    r"|\ba completer\b|\b(?:numero|adresse|contact) ici\b|\ba completar\b|\b(?:numero|direccion|contacto) aqui\b"
)
_MARKERS = re.compile(r"\b(?:TODO|TBD|TBA|FIXME|N/A)\b")
"""In capitals only: `todo` is a word."""
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_NUMBER = re.compile(r"\+?\d(?:[ ().\u00a0-]{0,2}\d){2,}")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\bhttps?://\w|\bwww\.\w")
_MAX_READINGS = 64


def check_disclosure(candidate: Candidate) -> Found:
    """Find scripts that may send something and do not say so."""
    leaving = [(entry, prompt) for entry, prompt in candidate.scripts() if prompt.placement in _MAY_LEAVE]
    problems = [
        f"{entry.name}: expected a disclosure that says what may leave the device"
        for entry, prompt in leaving
        if not prompt.disclosure.strip()
    ]
    return Found(tuple(problems), evidence=(f"{len(leaving)} scripts may send something, each says so",))


def check_ai_disclosure(candidate: Candidate) -> Found:
    """Find scripts whose disclosure does not say, in their own language, that an assistant speaks, or that deny it.

    Source: Regulation (EU) 2024/1689, Art. 50(1).
    """
    problems, notices, count = [], [], 0
    for entry, prompt in candidate.scripts():
        count += 1
        language = prompt.locale.partition("-")[0].lower()
        if language not in _ASSISTANT:
            notices.append(f"{entry.name}: nobody checked that its disclosure, in {prompt.locale}, names an assistant")
            continue
        said = _plain(prompt.disclosure)
        first = re.search(rf"\b(?:{_ASSISTANT[language]})\b", said)
        if first is None:
            problems.append(f"{entry.name}: expected a disclosure that says in {language} that an assistant speaks")
        elif _denied(said[: first.start()]):
            problems.append(f"{entry.name}: expected a disclosure that an assistant speaks, got one that denies it")
    return Found(tuple(problems), tuple(notices), (f"{count} disclosures read",))


def _denied(before: str) -> bool:
    clause = re.split(r"[.!?;:,\n]", before)[-1]
    return bool(re.search(NEGATIONS, clause))


def check_handoff(candidate: Candidate) -> Found:
    """Find a release without a human hand-off on the device."""
    handoffs = [entry for entry in candidate.manifest.entries if entry.kind == "handoff"]
    problems = [] if handoffs else ["expected a human hand-off in every release, got none"]
    for entry, prompt in _handoffs(candidate):
        if prompt is None:
            problems.append(f"{entry.name}: expected a hand-off that reads")
        elif (prompt.tier, prompt.placement) != ("R4", "device"):
            problems.append(f"{entry.name}: expected tier R4 and placement device of a hand-off")
    return Found(tuple(problems), evidence=(f"{len(handoffs)} hand-off texts",))


def check_contacts(candidate: Candidate) -> Found:
    """Find hand-off texts, as a person reads them, that have a blank to fill in or no way to reach anybody."""
    problems, count = [], 0
    for entry, prompt in _handoffs(candidate):
        for place, text in _readings(prompt) if prompt else ():
            count += 1
            blank = _MARKERS.search(text) or _PLACEHOLDERS.search(_plain(text))
            if blank:
                problems.append(f"{entry.name}, {place}: expected every contact filled in, got {blank[0]!r}")
            if not (_NUMBER.search(_DATE.sub("", text)) or _ADDRESS.search(text)):
                problems.append(f"{entry.name}, {place}: expected a number or an address to reach a person, got none")
    return Found(tuple(problems), evidence=(f"{count} hand-off texts read as a person reads them",))


def _handoffs(candidate: Candidate) -> Iterator[tuple[Entry, Prompt | None]]:
    for entry in candidate.manifest.entries:
        if entry.kind == "handoff":
            try:
                yield entry, parse_prompt(candidate.closures[entry.digest])
            except (KeyError, InvalidDocument):
                yield entry, None


def _readings(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Yield all that a person may read of a hand-off: for each combination of choices, and the fallback."""
    inputs = prompt.inputs.inputs.values()
    for chosen in islice(product(*map(_some_values, inputs)), _MAX_READINGS):
        given = {declared.name: value for declared, value in zip(inputs, chosen, strict=True) if value is not None}
        place = " and ".join(f"{name} {value}" for name, value in given.items()) or "reply"
        try:
            values = check_inputs(prompt.inputs, given)
            yield place, reply_text(prompt, values, produce(prompt, values))
        except InvalidDocument:
            continue  # a person reads the fallback then
    yield "fallback", prompt.fallback


def _some_values(declared: Input) -> tuple[object, ...]:
    if declared.choices:
        return declared.choices
    if declared.type == "boolean":
        return (False, True)
    return ("x" * max(1, declared.low),) if declared.type == "string" and declared.required else (None,)


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c))
