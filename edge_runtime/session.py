"""A session: one person's conversation with approved prompts. The main act of the runtime.

    read → decide → hand-off | device | redacted cloud | cloud → render → model → restore → check → fallback → receipt

Promises: `run` never raises for what a text contains; a crisis disclosure is answered with the approved hand-off
text first, with no model call and nothing sent, whatever policy, release, contract or preference says (P6), and never
leaves the device afterwards either; what leaves passes `core.disclosure` and a last scan, and is counted also when no
answer comes (P2); any unexpected failure gives the prompt's fallback text and sends nothing more.
Does not: keep texts (the placeholder table lives and ends with the session).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from audit.frozen import frozen, replace
from edge_runtime import cloud
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs, check_output
from edge_runtime.core.disclosure import disclose
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable
from edge_runtime.core.manifest import Entry as ManifestEntry
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.core.pipeline import (
    OBLIGATIONS,
    Situation,
    context_of,
    count_types,
    free_texts,
    instruct,
    produce,
    reply_text,
)
from edge_runtime.core.policy import Decision, Reason, Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.reader import Reading, TextReader
from edge_runtime.core.redaction import (
    PlaceholderTable,
    Redacted,
    Restored,
    cover_inputs,
    find_raw_values,
    redact,
    restore,
)
from edge_runtime.core.trust import TrustState, find_prompt, running
from edge_runtime.handover import crisis_in, handoff_for
from edge_runtime.receipts import Receipt
from edge_runtime.reply import Finding, Preview, Reply, without_run

if TYPE_CHECKING:
    from edge_runtime.runtime import EdgeRuntime

__all__ = ["Session", "limit_of"]

CRISIS_STAYS = Reason("runtime", "crisis-never-leaves", "what somebody says in a crisis stays on this device")
ATTEMPTS = 2
"""How often a model is asked before the fallback: once, and once more."""


@frozen
class _Run:
    """What one run works with: the release of its start, the prompt, the inputs, what was found and decided.

    `read` gives the reading of a text, and of one that was read before in this run the same one again.
    """

    state: TrustState
    entry: ManifestEntry
    prompt: Prompt
    values: Mapping[str, Any]
    readings: Mapping[str, Reading]
    decision: Decision
    read: Callable[[str], Reading]


@frozen
class _Made:
    """What one way of answering made."""

    text: str
    route: str
    outcome: str
    output: JsonObject | None = None
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
        self._known = (*names, *terms)
        self._by_form = TextReader(names=names, terms=terms)
        self._table = PlaceholderTable()
        self._handed_off = False

    @cached_property
    def _reader(self) -> TextReader:
        """The reader, with the runtime's model, which is loaded here if no text was read before."""
        return self._by_form.with_encoder(self._runtime.encoder)

    def read(self, text: str) -> Reading:
        """Return what is found in `text`: types and places, no values.

        Raises:
            Unavailable, InvalidDocument, NotTrusted: the reader's model that the host named cannot be used.
        """
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
        return self._begin(prompt, inputs).decision

    def render(self, prompt: str, inputs: Mapping[str, Any]) -> str:
        """Return the instruction of the approved prompt with these inputs delimited as data."""
        approved = self._runtime.prompt(self._runtime.localised(prompt, self._locale))
        return instruct(approved, check_inputs(approved.inputs, inputs), secrets.token_hex(8))

    def preview(self, prompt: str, inputs: Mapping[str, Any]) -> Preview:
        """Return what a run would find and decide, and the text that would leave; nothing runs, nothing is sent."""
        run = self._begin(prompt, inputs)
        outgoing = instruct(run.prompt, self._covered(run), secrets.token_hex(8))
        return Preview(dict(run.readings), run.decision, outgoing)

    def run(self, prompt: str, inputs: Mapping[str, Any], *, go_on: bool = False) -> Reply:
        """Run an approved prompt and return a typed reply.

        Args:
            prompt: its name.
            inputs: its declared inputs.
            go_on: the person has seen the hand-off text in this session and chooses to go on.

        Raises:
            InvalidDocument: an input is missing, undeclared or mistyped: the host's mistake, not the text's.
            NotTrusted: the release has no such prompt, or the reader's model that the host named is not right; a
                crisis that the phrases hear is handed off all the same.
        """
        read = cache(self.read)  # of this run alone: no text is kept
        situation = crisis_in(inputs, read)
        if situation and not (go_on and self._handed_off):
            return self._hand_off(prompt, situation)
        state = self._runtime.state  # one release for the whole run, whatever a refresh adopts meanwhile
        if state is None:
            return self._not_yet(prompt)
        prompt = self._runtime.localised(prompt, self._locale, state)
        entry = running(state, prompt)
        if entry is None or not self._takes(entry, prompt, inputs, state=state):
            return self._withdrawn(prompt, state)
        run = self._begin(prompt, inputs, state, read=read)
        wire = cloud.Wire(self._scan if run.decision.route is Route.REDACTED else lambda _: ())
        try:
            made = self._make(run, wire)
        except Exception as error:  # noqa: BLE001 - whatever a text makes fail, the person gets the approved fallback
            made = _Made(run.prompt.fallback, "device", "fallback", problems=(type(error).__name__,))
        return self._reply(run, made, wire, instead_of="" if entry.name == prompt else prompt)

    def _takes(self, entry: ManifestEntry, prompt: str, inputs: Mapping[str, Any], *, state: TrustState) -> bool:
        """Return whether what runs for a prompt takes inputs that fit the prompt itself, as people checked it does."""
        if entry.name == prompt:
            return True
        asked = self._runtime.opened(find_prompt(state, prompt), state)
        check_inputs(asked.inputs, inputs)
        try:
            check_inputs(self._runtime.opened(entry, state).inputs, inputs)
        except InvalidDocument:
            return False
        return True

    def _withdrawn(self, prompt: str, state: TrustState) -> Reply:
        """Return the fallback text of a withdrawn prompt that nothing replaces."""
        entry = find_prompt(state, prompt)
        asked = self._runtime.opened(entry, state)
        receipt, problems = self._keep(state, entry, route="block", outcome="withdrawn")
        reply = without_run(prompt, entry, state, receipt=receipt, problems=problems)
        return replace(reply, text=asked.fallback, route="block", outcome="withdrawn", notice=asked.disclosure)

    def _not_yet(self, prompt: str) -> Reply:
        """Return what there is to say before any release was adopted: nothing was read but for a crisis."""
        problem = "nothing is adopted on this device yet: call refresh() with a source that answers"
        reply = without_run(prompt, None, None, receipt=None, problems=(problem,))
        return replace(reply, text=not_yet_text(self._locale), route="block", outcome="not-adopted")

    def _begin(
        self,
        prompt: str,
        inputs: Mapping[str, Any],
        state: TrustState | None = None,
        *,
        read: Callable[[str], Reading] | None = None,
    ) -> _Run:
        state = state or self._runtime.trusted()
        read = read or cache(self.read)
        approved = self._runtime.prompt(self._runtime.localised(prompt, self._locale, state), state)
        entry = find_prompt(state, approved.name)
        values = check_inputs(approved.inputs, inputs)
        readings = {name: read(text) for name, text in free_texts(approved, values).items()}
        situation = Situation(
            consents=self._consents,
            agreement=self._agreement,
            capabilities=self._runtime.capabilities(),
            staleness=self._runtime.staleness(),
        )
        context = context_of(approved, readings.values(), situation=situation, vocabulary=state.policy.vocabulary)
        decision = self._runtime.policy_for(approved.name, self._at_most, state).decide(context)
        if decision.route > Route.DEVICE and crisis_in(inputs, read):
            decision = replace(decision, route=Route.DEVICE, rules=(CRISIS_STAYS,))
        return _Run(state, entry, approved, values=values, readings=readings, decision=decision, read=read)

    def _hand_off(self, prompt: str, situation: str) -> Reply:
        """Return the hand-off text; of the prompt only its name and version are looked up, if it has one."""
        self._handed_off = True
        state = self._runtime.state
        entry = state.entries.get(("prompt", prompt)) if state else None
        receipt: Receipt | None = None
        problems: tuple[str, ...] = ()
        if state and entry:
            receipt, problems = self._keep(state, entry, route="hand-off", outcome="handed-off")
        reply = without_run(prompt, entry, state, receipt=receipt, problems=problems)
        return replace(reply, text=handoff_for(state, locale=self._locale, situation=situation))

    def _make(self, run: _Run, wire: cloud.Wire) -> _Made:
        prompt, decision = run.prompt, run.decision
        if decision.errors or decision.route is Route.BLOCK:
            return _Made(prompt.fallback, "block", "blocked")
        if unknown := set(decision.obligations) - OBLIGATIONS:
            return _Made(prompt.fallback, "block", "blocked", problems=(f"unknown obligation {min(unknown)!r}",))
        if decision.route is Route.DEVICE:
            return self._fill(run)
        try:
            return self._ask(run, wire)
        except Unavailable as error:
            return replace(self._fill(run), problems=(str(error),))  # P5: it keeps working without the cloud

    def _fill(self, run: _Run) -> _Made:
        output = produce(run.prompt, run.values, run.readings)
        return _Made(reply_text(run.prompt, run.values, output), "device", "filled", output)

    def _covered(self, run: _Run) -> dict[str, Any]:
        """Return the inputs with every finding covered: a list as one text, as it was read; numbers and choices too."""
        covered, self._table = cover_inputs(run.values, lambda _, text: run.read(text), self._table)
        return covered

    def _scan(self, outgoing: bytes) -> tuple[str, ...]:
        for known in self._known:
            self.redact(known)  # a name the host knows must not leave, whether or not a text held it so far
        return find_raw_values(outgoing, self._table)

    def _ask(self, run: _Run, wire: cloud.Wire) -> _Made:
        model, prompt = self._runtime.cloud, run.prompt
        if model is None:
            raise Unavailable("expected a cloud model to be configured, got none")
        values = run.values if run.decision.route is Route.CLOUD else self._covered(run)
        disclosure = disclose(run.decision, instruct(prompt, values, secrets.token_hex(8)), prompt=prompt.name)
        problems: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            answer = cloud.complete(disclosure, model, wire=wire, max_tokens=prompt.max_tokens)
            output, problems = self._parse(prompt, answer)
            if output is not None:
                return _Made(reply_text(prompt, run.values, output), disclosure.route, "answered", output)
        return _Made(prompt.fallback, disclosure.route, "fallback", problems=problems)

    def _parse(self, prompt: Prompt, answer: str) -> tuple[JsonObject | None, tuple[str, ...]]:
        """Return the model's JSON with placeholders restored, or what is wrong with it."""
        start, end = answer.find("{"), answer.rfind("}")
        try:
            output = self._restored(json.loads(answer[start : end + 1]))
        except (ValueError, RecursionError):
            return None, ("the answer is not JSON",)
        problems = check_output(prompt.output, output)
        return (None, problems) if problems else (output, ())

    def _restored(self, value: Any) -> Any:
        if isinstance(value, str):
            return restore(value, self._table).text
        if isinstance(value, dict):
            return {key: self._restored(member) for key, member in value.items()}
        return [self._restored(member) for member in value] if isinstance(value, list) else value

    def _reply(self, run: _Run, made: _Made, wire: cloud.Wire, *, instead_of: str) -> Reply:
        receipt, problems = self._keep(
            run.state, run.entry, route=made.route, outcome=made.outcome, run=run, sent_bytes=wire.sent_bytes
        )
        return Reply(
            text=made.text,
            route=made.route,
            outcome=made.outcome,
            prompt=run.prompt.name,
            version=run.entry.digest,
            release=run.state.manifest.number,
            output=made.output,
            findings=tuple(
                Finding(name, e.type, e.start, e.end) for name, found in run.readings.items() for e in found.entities
            ),
            reasons=_reasons(run.decision),
            obligations=run.decision.obligations,
            notice=run.prompt.disclosure,
            disclosure=wire.disclosure if wire.sent_bytes else None,
            sent_bytes=wire.sent_bytes,
            receipt=receipt,
            problems=made.problems + problems,
            instead_of=instead_of,
        )

    def _keep(
        self,
        state: TrustState,
        entry: ManifestEntry,
        *,
        route: str,
        outcome: str,
        run: _Run | None = None,
        sent_bytes: int = 0,
    ) -> tuple[Receipt | None, tuple[str, ...]]:
        receipt = Receipt(
            number=1,
            previous="",
            at=dt.datetime.fromtimestamp(self._runtime.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            prompt=entry.name,
            version=entry.digest,
            manifest=state.manifest_digest,
            route=route,
            rules=tuple(f"{reason.layer}/{reason.rule}" for reason in _reasons(run.decision)) if run else (),
            findings=count_types(run.readings.values()) if run else {},
            sent_bytes=sent_bytes,
            outcome=outcome,
        )
        try:
            return self._runtime.receipts.append(receipt), ()
        except (MentorplaneError, OSError) as error:
            return None, (f"the receipt could not be kept: {type(error).__name__}",)


def limit_of(at_most: str) -> Route:
    """Return a learner's own limit; raises `ValueError` for any other word than `device`, `redacted` or `cloud`."""
    if at_most not in {"device", "redacted", "cloud"}:
        raise ValueError("expected at_most to be device, redacted or cloud")
    return Route[at_most.upper()]


def _reasons(decision: Decision) -> tuple[Reason, ...]:
    return tuple(sorted({*decision.rules, *decision.obliged_by}))
