"""What the desk's page may ask of this device, and the answers, as JSON objects.

Promises: only named mirrors are asked, never an address that a page names; a note is read, covered and forgotten: no
answer is kept, and every note has a table of placeholders of its own.
Does not: run a prompt, call a model or write a receipt. Nothing here sends anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.pipeline import Situation, compile_for, context_of
from edge_runtime.core.policy import CEILING, Decision, Layer, Reason, Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.reader import Reading
from edge_runtime.core.redaction import PlaceholderTable, redact
from edge_runtime.desk.words import CHECKS, REFUSALS, ROUTES, consent_words, type_words
from edge_runtime.handover import crisis_in, handoff_for
from edge_runtime.reply import Refresh
from edge_runtime.runtime import EdgeRuntime

__all__ = ["Answers"]

MAX_TEXT = 20_000
MAX_NAMES = 200
CONSENTS = "consents"
TOPICS = "labels"
CLOUD_MODEL = "cloud-model"
PERSON_FIRST = "somebody may be in danger: the approved hand-off text is shown first, and nothing is sent"


class Answers:
    """Answers questions about one runtime. Thread-safe."""

    def __init__(self, edge: EdgeRuntime, mirrors: Mapping[str, str]) -> None:
        self._edge = edge
        self._mirrors = dict(mirrors)
        self._refreshing = threading.Lock()

    def has_version(self) -> bool:
        """Return whether this device runs a version."""
        return self._edge.state is not None

    def status(self) -> dict[str, Any]:
        """Return what is active, the scripts that take a note, and the consents that rules ask for."""
        return {
            **self._edge.status().as_json(),
            "scripts": [{"name": p.name, "title": p.title} for p in self._scripts()],
            "consents": [{"name": name, "label": consent_words(name)} for name in self._consents()],
            "has_model": CLOUD_MODEL in self._edge.capabilities(),
        }

    def refresh(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the source, or the mirror that `question["source"]` names, and say what was checked.

        Raises:
            InvalidDocument: there is no such mirror.
        """
        name = question.get("source", "")
        if not isinstance(name, str) or (name and name not in self._mirrors):
            raise InvalidDocument("expected the name of a mirror that this device was started with")
        with self._refreshing:
            began = time.perf_counter()
            result = self._edge.refresh(self._mirrors[name] if name else None)
            took_ms = round((time.perf_counter() - began) * 1000)
        return {
            "ok": result.ok,
            "changed": result.changed,
            "check": result.check,
            "took_ms": took_ms,
            "checks": _shown_checks(result),
            **_verdict(result),
            "status": self.status(),
        }

    def read(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is found in a note, how it is covered, and where a script could run on it, and why.

        A crisis is looked for before anything else, so its hand-off text comes whatever else is wrong (P6).

        Raises:
            InvalidDocument: a member is missing, mistyped or too large.
            MentorplaneError: the script is not an approved one, or nothing was adopted yet.
        """
        text = question.get("text")
        if not isinstance(text, str):
            raise InvalidDocument("expected a note as text")
        situation = crisis_in({"text": text})
        try:
            answer = self._read(question)
        except Exception as error:  # whatever else fails, the hand-off text comes
            situation = situation or crisis_in({"text": text[:MAX_TEXT]}, self._edge.read)
            if not situation:
                raise
            answer = _only_handoff(str(error) if isinstance(error, MentorplaneError) else "")
        if situation:
            answer["handoff"] = self._handoff(situation)
        return answer

    def _handoff(self, situation: str) -> str:
        return handoff_for(self._edge.state, locale="en", situation=situation)

    def _read(self, question: Mapping[str, Any]) -> dict[str, Any]:
        text = _text(question)
        names = [name for name in _texts(question, "names") if any(map(str.isalnum, name))]
        reading = self._edge.read(text, names=names)
        decision = self._decide(question, reading)
        crisis = reading.labels.crisis == "crisis"
        route = "hand-off" if crisis else str(decision.route)
        return {
            "handoff": self._handoff(reading.labels.subject) if crisis else "",
            "route": route,
            "route_sentence": ROUTES[route],
            "reasons": self._reasons(decision, reading, crisis=crisis),
            "obligations": list(decision.obligations),
            "spans": [{"type": e.type, "start": e.start, "end": e.end} for e in reading.entities],
            "found": _found(text, reading),
            "count_sentence": _count(len(reading.entities)) if text.strip() else "",
            **_covered(text, reading),
        }

    def _decide(self, question: Mapping[str, Any], reading: Reading) -> Decision:
        """Decide as a run would, with the consents and, if the person supposes one, the cloud model of the question."""
        prompt = self._edge.prompt(_name(question))
        supposed = {CLOUD_MODEL} if question.get("suppose_model") is True else set()
        situation = Situation(
            consents=frozenset(_texts(question, CONSENTS)),
            capabilities=self._edge.capabilities() | supposed,
            staleness=self._edge.staleness(),
            ai_streak=0,  # this page is a mentor's: nobody is with the assistant alone
        )
        policy = self._edge.trusted().policy
        context = context_of(prompt, (reading,), situation=situation, vocabulary=policy.vocabulary)
        return compile_for(policy, prompt, Layer("learner", Route.CLOUD)).decide(context)

    def _reasons(self, decision: Decision, reading: Reading, *, crisis: bool) -> list[str]:
        if crisis:
            return [PERSON_FIRST]
        if decision.errors:
            return ["the rules could not be applied to this note, so the strictest answer holds"]
        reasons = [_because(reason) for reason in decision.rules]
        about_topics = {
            rule.id
            for rule in self._edge.trusted().policy.layer.rules
            if any(condition.attribute == TOPICS for condition in rule.when)
        }
        if reading.labels.topics is None and any(reason.rule in about_topics for reason in decision.rules):
            why = "no model for sensitive topics" if self._edge.encoder is None else "no model for this note's language"
            reasons.append(f"this device has {why}, so it takes the note as if it held every sensitive topic")
        return list(dict.fromkeys(reasons))

    def _scripts(self) -> list[Prompt]:
        """Return the approved scripts that take a free note: first those that may use the cloud, the longest first."""
        taking = [(longest_note(prompt), prompt) for prompt in self._prompts()]
        taking = [(longest, prompt) for longest, prompt in taking if longest]
        taking.sort(key=lambda pair: (pair[1].placement == "device", -pair[0], pair[1].name))
        return [prompt for _, prompt in taking]

    def _prompts(self) -> Iterable[Prompt]:
        for name in self._edge.prompts():
            try:
                yield self._edge.prompt(name)
            except MentorplaneError:
                continue  # withdrawn or damaged since it was listed: such a script is not offered

    def _consents(self) -> list[str]:
        """Return the consents that a rule of the active release asks for."""
        state = self._edge.state
        if state is None:
            return []
        asked = {
            str(value)
            for rule in state.policy.layer.rules
            for condition in rule.when
            if condition.attribute == CONSENTS
            for value in condition.values
        }
        for prompt in self._prompts():
            for rule in prompt.rules:
                for values in rule.get("when", {}).get(CONSENTS, {}).values():
                    asked.update(map(str, values))
        return sorted(asked, key=lambda name: (name != "cloud", name))


def longest_note(prompt: Prompt) -> int:
    """Return the characters that the largest free text of a script may have; 0 if it takes none."""
    return max((i.high for i in prompt.inputs.inputs.values() if i.type == "string" and not i.choices), default=0)


def _shown_checks(result: Refresh) -> list[dict[str, str]]:
    """Return the nine checks in order. Checks follow one another, so all before a refusal have passed."""
    said = {step.check: step.said for step in result.steps}
    if result.check not in CHECKS and not said:
        return []  # the source did not answer: nothing was checked
    shown = []
    verdict = "yes"
    for check, title in CHECKS.items():
        if check == result.check:
            shown.append({"check": check, "title": title, "said": REFUSALS[check], "result": "no"})
            verdict = "skipped"
        else:
            shown.append({"check": check, "title": title, "said": said.get(check, ""), "result": verdict})
    return shown


def _verdict(result: Refresh) -> dict[str, str]:
    active = f"Version {result.release} stays in use." if result.release else "There is no version in use yet."
    if result.ok and result.changed:
        return {
            "headline": f"Version {result.release} is in use now",
            "sentence": "All nine checks passed.",
            "technical": "",
        }
    if result.ok:
        return {"headline": "Nothing new", "sentence": f"All nine checks passed. {active}", "technical": ""}
    if result.check not in CHECKS:
        return {"headline": "The source does not answer", "sentence": active, "technical": result.message}
    headline = f"Refused at check {result.check.removeprefix('V')}"
    return {"headline": headline, "sentence": active, "technical": result.message}


def _because(reason: Reason) -> str:
    if reason.rule != CEILING:
        return reason.because
    if reason.layer.startswith("prompt:"):
        return "the script itself was approved for no further than this"
    return {"learner": "you chose no further than this"}.get(
        reason.layer, "the organisation allows no further than this"
    )


def _found(text: str, reading: Reading) -> list[dict[str, str]]:
    places = [(e.start, e.end, type_words(e.type)) for e in reading.entities]
    return _segments(text, places)


def _covered(text: str, reading: Reading) -> dict[str, Any]:
    redacted, _ = redact(text, reading, PlaceholderTable())
    places = [(span.start, span.end, "covered") for span in redacted.spans]
    segments = [{**s, "cover": bool(s["label"])} for s in _segments(redacted.text, places)]
    note = (
        "This is all that could ever leave, and only where the rules below allow it."
        if places
        else ""
        if not text.strip()
        else "Nothing in this note needs covering, as far as this device can tell."
    )
    return {"covered_text": redacted.text, "covered": segments, "covered_sentence": note}


def _segments(text: str, places: Iterable[tuple[int, int, str]]) -> list[dict[str, str]]:
    """Return `text` in pieces, those at `places` with their label. Places are in order, in code points."""
    pieces: list[dict[str, str]] = []
    at = 0
    for start, end, label in (*places, (len(text), len(text), "")):
        if start > at:
            pieces.append({"text": text[at:start], "label": ""})
        if end > start:
            pieces.append({"text": text[start:end], "label": label})
        at = end
    return pieces


def _only_handoff(problem: str) -> dict[str, Any]:
    """Return what goes with the hand-off text where the note cannot be looked at otherwise."""
    return {
        "route": "hand-off",
        "route_sentence": ROUTES["hand-off"],
        "reasons": [PERSON_FIRST, *([problem] if problem else [])],
        "obligations": [],
        "spans": [],
        "found": [],
        "count_sentence": "",
        "covered_text": "",
        "covered": [],
        "covered_sentence": "",
    }


def _count(number: int) -> str:
    return {0: "nothing that names somebody", 1: "in one place"}.get(number, f"in {number} places")


def _text(question: Mapping[str, Any]) -> str:
    text = question.get("text")
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise InvalidDocument(f"expected a note of at most {MAX_TEXT} characters")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidDocument("expected a note of whole characters")
    return text


def _name(question: Mapping[str, Any]) -> str:
    name = question.get("prompt")
    if not isinstance(name, str):
        raise InvalidDocument("expected the name of a script")
    return name


def _texts(question: Mapping[str, Any], member: str) -> list[str]:
    given = question.get(member, [])
    if (
        not isinstance(given, list)
        or len(given) > MAX_NAMES
        or not all(isinstance(t, str) and len(t) <= 200 for t in given)
    ):
        raise InvalidDocument(f"expected at most {MAX_NAMES} short texts in {member}")
    return [text for text in given if text.strip()]
