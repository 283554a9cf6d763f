"""A session: one person's conversation with approved prompts. The main act of the runtime.

    read → decide → hand-off | device | redacted cloud | cloud → render → model → restore → check → fallback → receipt

Promises: `run` never raises for what a text contains; a crisis disclosure is answered with the approved hand-off
text first, with no model call and nothing sent, whatever policy, release or preference says (P6); what leaves passes
`core.disclosure` and a last scan (P2); any unexpected failure gives the prompt's fallback text and sends nothing more.
Does not: keep texts (the placeholder table lives and ends with the session).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_runtime import cloud
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs, check_output
from edge_runtime.core.disclosure import Disclosure, disclose
from edge_runtime.core.errors import MentorplaneError, Unavailable
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import (
    OBLIGATIONS,
    Situation,
    context_of,
    count_types,
    free_texts,
    instruct,
    produce,
    reply_text,
    worst_crisis,
)
from edge_runtime.core.policy import Decision, Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.reader import Reading, TextReader
from edge_runtime.core.redaction import PlaceholderTable, Redacted, Restored, find_raw_values, redact, restore
from edge_runtime.core.trust import find_prompt
from edge_runtime.receipts import Receipt
from edge_runtime.reply import Finding, Preview, Reply

if TYPE_CHECKING:
    from edge_runtime.runtime import EdgeRuntime

__all__ = ["Session"]

ATTEMPTS = 2
"""How often a model is asked before the fallback: once, and once more."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What one way of answering made."""

    text: str
    route: str
    outcome: str
    output: JsonObject | None = None
    disclosure: Disclosure | None = None
    sent_bytes: int = 0
    problems: tuple[str, ...] = ()


class Session:
    """One person's session. Make it with `EdgeRuntime.session`."""

    def __init__(
        self,
        runtime: EdgeRuntime,
        *,
        learner: str,
        role: str,
        names: tuple[str, ...],
        terms: tuple[str, ...],
        consents: frozenset[str],
        agreement: int,
        at_most: Route,
        locale: str,
    ) -> None:
        self._runtime = runtime
        self._learner = learner
        self._role = role
        self._locale = locale
        self._at_most = at_most
        self._consents = consents
        self._agreement = agreement
        self._reader = TextReader(names=names, terms=terms)
        self._table = PlaceholderTable()

    def read(self, text: str) -> Reading:
        """Return what is found in `text`: types and places, no values."""
        return self._reader.read(text)

    def redact(self, text: str) -> Redacted:
        """Return `text` with findings replaced by placeholders; the same value gets the same one all session long."""
        redacted, self._table = redact(text, self.read(text), self._table)
        return redacted

    def restore(self, text: str) -> Restored:
        """Return `text` with the session's placeholders replaced by their values; unknown ones stay and are named."""
        return restore(text, self._table)

    def decide(self, prompt: str, inputs: Mapping[str, Any]) -> Decision:
        """Return where the prompt may run for these inputs, and the rules that decided.

        Raises:
            InvalidDocument: an input is missing, undeclared or mistyped.
            NotTrusted: there is no such approved prompt.
        """
        approved = self._runtime.prompt(prompt)
        values = check_inputs(approved.inputs, inputs)
        return self._decide(approved, self._readings(approved, values))

    def render(self, prompt: str, inputs: Mapping[str, Any]) -> str:
        """Return the instruction of the approved prompt with these inputs delimited as data."""
        approved = self._runtime.prompt(prompt)
        return instruct(approved, check_inputs(approved.inputs, inputs), secrets.token_hex(8))

    def preview(self, prompt: str, inputs: Mapping[str, Any]) -> Preview:
        """Return what a run would find and decide, and the text that would leave; nothing runs, nothing is sent."""
        approved = self._runtime.prompt(prompt)
        values = check_inputs(approved.inputs, inputs)
        readings = self._readings(approved, values)
        outgoing = instruct(approved, self._covered(values, readings), secrets.token_hex(8))
        return Preview(readings, self._decide(approved, readings), outgoing)

    def run(self, prompt: str, inputs: Mapping[str, Any], *, go_on: bool = False) -> Reply:
        """Run an approved prompt and return a typed reply.

        Args:
            prompt: its name.
            inputs: its declared inputs.
            go_on: the person has seen the hand-off text and chooses to go on.

        Raises:
            InvalidDocument: an input is missing, undeclared or mistyped: the host's mistake, not the text's.
            NotTrusted: there is no such approved prompt.
        """
        try:
            approved = self._runtime.prompt(prompt)
            entry = find_prompt(self._runtime.trusted(), prompt)
        except MentorplaneError:
            if (reply := self._handoff_alone(prompt, inputs)) and not go_on:
                return reply
            raise
        values = check_inputs(approved.inputs, inputs)
        readings: dict[str, Reading] = {}
        decision = Decision(Route.BLOCK, (), (), ())
        try:
            readings = self._readings(approved, values)
            decision = self._decide(approved, readings)
            if worst_crisis(readings.values()) == "crisis" and not go_on:
                made = _Made(self._handoff(readings), "hand-off", "handed-off")
            else:
                made = self._make(approved, values, decision=decision, readings=readings)
        except Exception as error:  # noqa: BLE001 - whatever a text makes fail, the person gets the approved fallback
            made = _Made(approved.fallback, "device", "fallback", problems=(type(error).__name__,))
        return self._reply(approved, entry, made=made, decision=decision, readings=readings)

    def _readings(self, prompt: Prompt, values: Mapping[str, Any]) -> dict[str, Reading]:
        return {name: self._reader.read(text) for name, text in free_texts(prompt, values).items()}

    def _decide(self, prompt: Prompt, readings: Mapping[str, Reading]) -> Decision:
        state = self._runtime.trusted()
        situation = Situation(
            consents=self._consents,
            agreement=self._agreement,
            capabilities=self._runtime.capabilities(),
            staleness=self._runtime.staleness(),
        )
        context = context_of(prompt, readings.values(), situation=situation, vocabulary=state.policy.vocabulary)
        return self._runtime.policy_for(prompt, self._at_most).decide(context)

    def _handoff(self, readings: Mapping[str, Reading]) -> str:
        other = any(r.labels.crisis == "crisis" and r.labels.subject == "other" for r in readings.values())
        own = any(r.labels.crisis == "crisis" and r.labels.subject != "other" for r in readings.values())
        situation = "other" if other and not own else "self"
        state = self._runtime.state
        approved = state.handoff if state else None
        if approved is not None and approved.locale == self._locale:
            try:
                values = check_inputs(approved.inputs, {"situation": situation})
                return reply_text(approved, values, produce(approved, values))
            except MentorplaneError:
                pass  # P6: the text compiled into the package is always there
        return handoff_text(self._locale, situation).text

    def _handoff_alone(self, prompt: str, inputs: Mapping[str, Any]) -> Reply | None:
        """Return the hand-off where the prompt itself cannot run (P6), None if nobody asks for one."""
        readings = {name: self._reader.read(text) for name, text in inputs.items() if isinstance(text, str)}
        if worst_crisis(readings.values()) != "crisis":
            return None
        return Reply(
            text=self._handoff(readings),
            route="hand-off",
            outcome="handed-off",
            prompt=prompt,
            version="",
            release=0,
            output=None,
            findings=(),
            reasons=(),
            obligations=(),
            notice="",
            disclosure=None,
            sent_bytes=0,
            receipt=None,
        )

    def _make(
        self, prompt: Prompt, values: Mapping[str, Any], *, decision: Decision, readings: Mapping[str, Reading]
    ) -> _Made:
        if decision.errors or decision.route is Route.BLOCK:
            return _Made(prompt.fallback, "block", "blocked")
        if unknown := set(decision.obligations) - OBLIGATIONS:
            return _Made(prompt.fallback, "block", "blocked", problems=(f"unknown obligation {min(unknown)!r}",))
        if decision.route is Route.DEVICE:
            return self._fill(prompt, values)
        covered = values if decision.route is Route.CLOUD else self._covered(values, readings)
        disclosure = disclose(decision, instruct(prompt, covered, secrets.token_hex(8)), prompt=prompt.name)
        try:
            return self._ask(prompt, values, disclosure)
        except Unavailable as error:
            made = self._fill(prompt, values)  # P5: it keeps working without the cloud
            return _Made(made.text, made.route, made.outcome, made.output, problems=(*made.problems, str(error)))

    def _fill(self, prompt: Prompt, values: Mapping[str, Any], *, problems: tuple[str, ...] = ()) -> _Made:
        output = produce(prompt, values)
        return _Made(reply_text(prompt, values, output), "device", "filled", output, problems=problems)

    def _covered(self, values: Mapping[str, Any], readings: Mapping[str, Reading]) -> dict[str, Any]:
        covered = dict(values)
        for name, reading in readings.items():
            if isinstance(values[name], list):
                covered[name] = [self.redact(member).text for member in values[name]]
            else:
                redacted, self._table = redact(values[name], reading, self._table)
                covered[name] = redacted.text
        return covered

    def _ask(self, prompt: Prompt, values: Mapping[str, Any], disclosure: Disclosure) -> _Made:
        model = self._runtime.cloud
        if model is None:
            raise Unavailable("expected a cloud model to be configured, got none")
        scan = (lambda data: find_raw_values(data, self._table)) if disclosure.route == "redacted" else (lambda _: ())
        sent = 0
        problems: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            answer = cloud.complete(disclosure, model, scan=scan, max_tokens=prompt.max_tokens)
            sent += answer.sent_bytes
            output, problems = self._parse(prompt, answer.text)
            if output is not None:
                text = reply_text(prompt, values, output)
                return _Made(text, disclosure.route, "answered", output, disclosure, sent, problems)
        return _Made(prompt.fallback, disclosure.route, "fallback", None, disclosure, sent, problems)

    def _parse(self, prompt: Prompt, answer: str) -> tuple[JsonObject | None, tuple[str, ...]]:
        """Return the model's JSON with placeholders restored, or what is wrong with it."""
        start, end = answer.find("{"), answer.rfind("}")
        try:
            parsed = json.loads(answer[start : end + 1])
        except ValueError:
            return None, ("the answer is not JSON",)
        output = self._restored(parsed)
        problems = check_output(prompt.output, output)
        return (None, problems) if problems else (output, ())

    def _restored(self, value: Any) -> Any:
        if isinstance(value, str):
            return restore(value, self._table).text
        if isinstance(value, dict):
            return {key: self._restored(member) for key, member in value.items()}
        return [self._restored(member) for member in value] if isinstance(value, list) else value

    def _reply(
        self, prompt: Prompt, entry: Entry, *, made: _Made, decision: Decision, readings: Mapping[str, Reading]
    ) -> Reply:
        state = self._runtime.trusted()
        reasons = tuple(sorted({*decision.rules, *decision.obliged_by}))
        at = dt.datetime.fromtimestamp(self._runtime.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        receipt = Receipt(
            number=1,
            previous="",
            at=at,
            prompt=prompt.name,
            version=entry.digest,
            manifest=state.manifest_digest,
            route=made.route,
            rules=tuple(f"{reason.layer}/{reason.rule}" for reason in reasons),
            findings={} if made.route == "hand-off" else count_types(readings.values()),
            sent_bytes=made.sent_bytes,
            outcome=made.outcome,
        )
        written, problems = self._keep(receipt)
        return Reply(
            text=made.text,
            route=made.route,
            outcome=made.outcome,
            prompt=prompt.name,
            version=entry.digest,
            release=state.manifest.number,
            output=made.output,
            findings=tuple(
                Finding(name, e.type, e.start, e.end) for name, reading in readings.items() for e in reading.entities
            ),
            reasons=reasons,
            obligations=decision.obligations,
            notice=prompt.disclosure,
            disclosure=made.disclosure,
            sent_bytes=made.sent_bytes,
            receipt=written,
            problems=made.problems + problems,
        )

    def _keep(self, receipt: Receipt) -> tuple[Receipt | None, tuple[str, ...]]:
        try:
            return self._runtime.receipts.append(receipt), ()
        except (MentorplaneError, OSError) as error:
            return None, (f"the receipt could not be kept: {type(error).__name__}",)
