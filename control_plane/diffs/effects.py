"""What changes for the person being coached: golden cases run before and after, through the pipeline of a device.

    inputs → read → decide → what may leave, covered → reply without a model

A crisis is answered with the hand-off text, as on a device. Where a language model would answer, its reply is not
known here: what it is told is compared, and if that differs, "instruction changed; reply not shown".
Promises: both sides run the same functions a device runs, on the same inputs; a case in which nothing differs for the
person says so. Does not: call a model, read rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from control_plane.diffs.words import Span, diff_texts
from control_plane.policy.cases import context_for
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.pipeline import compile_for, instruct, produce, read_inputs, reply_text
from edge_runtime.core.policy import Layer, Policy, Route
from edge_runtime.core.prompt import Prompt

__all__ = ["NOT_SHOWN", "CaseEffect", "Seen", "World", "effects_of"]

NOT_SHOWN = "instruction changed; reply not shown"
MARKER = "marker"
"""Stands for what a device draws anew for each run."""


@dataclass(frozen=True, slots=True)
class World:
    """What is in force on one side of a change: the script, if it is there, and the policy."""

    prompt: Prompt | None
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees of one case.

    `outcome` is filled, fallback, blocked, handed-off or refused; `leaves` is the exact text that may leave, with
    findings covered where the route asks for it; `told` is what a model would be told, if one answers.
    """

    route: str
    obligations: tuple[str, ...]
    because: tuple[str, ...]
    outcome: str
    reply: str
    leaves: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class CaseEffect:
    """One golden case before and after; None on a side where the script is not there."""

    kind: str
    name: str
    case: str
    why: str
    before: Seen | None
    after: Seen | None
    reply: tuple[Span, ...]
    leaves: tuple[Span, ...]
    notes: tuple[str, ...]
    changes: bool


def effects_of(key: tuple[str, str], before: World, after: World, *, cases: JsonObject) -> tuple[CaseEffect, ...]:
    """Return what changes for a person in each golden case of a script.

    Args:
        key: its kind and name.
        before: what is in force.
        after: what would be.
        cases: its golden cases, as they would be.
    """
    return tuple(_effect(key, before, after, case=case) for case in cases.get("cases", ()))


def _effect(key: tuple[str, str], before: World, after: World, *, case: JsonObject) -> CaseEffect:
    old, new = _seen(before, case), _seen(after, case)
    return CaseEffect(
        kind=key[0],
        name=key[1],
        case=case["id"],
        why=case["because"],
        before=old,
        after=new,
        reply=diff_texts(old.reply if old else "", new.reply if new else ""),
        leaves=diff_texts(old.leaves if old else "", new.leaves if new else ""),
        notes=_notes(old, new),
        changes=_visible(old) != _visible(new),
    )


def _notes(old: Seen | None, new: Seen | None) -> tuple[str, ...]:
    notes = []
    told = old.told if old else "", new.told if new else ""
    if all(told):
        notes.append("a language model may answer, told the same as before" if told[0] == told[1] else NOT_SHOWN)
    elif told[1]:
        notes.append("a language model may answer now; its reply is not shown")
    elif told[0] and new:
        notes.append("no language model answers any more")
    if old and new and old.route != new.route:
        notes.append(f"where it runs changes from {old.route or 'nowhere'} to {new.route or 'nowhere'}")
    return tuple(notes)


def _visible(seen: Seen | None) -> Seen | None:
    """Return what a person sees, whichever rules decided it."""
    return replace(seen, because=()) if seen else None


def _seen(world: World, case: JsonObject) -> Seen | None:
    # The reader is forty modules, which a server starts without.
    from edge_runtime.core.reader import TextReader
    from edge_runtime.core.redaction import PlaceholderTable, cover_inputs
    from edge_runtime.handover import crisis_in

    prompt, policy, context = world.prompt, world.policy, case.get("context", {})
    if prompt is None:
        return None
    if crisis_in(case["inputs"]):
        return Seen("hand-off", (), (), "handed-off", "")
    try:
        values = check_inputs(prompt.inputs, case["inputs"])
    except InvalidDocument as error:
        return Seen("", (), (str(error),), "refused", "")
    if policy is None:
        return Seen(str(Route.BLOCK), (), ("there is no policy",), "blocked", prompt.fallback)
    reader = TextReader()
    readings = read_inputs(prompt, values, reader.read)
    found = {"entities": {entity.type for reading in readings.values() for entity in reading.entities}}
    decision = compile_for(policy, prompt, Layer("learner", Route.CLOUD)).decide(
        context_for(prompt, context, policy, found=found)
    )
    route, because = str(decision.route), tuple(reason.because for reason in decision.rules)
    if decision.errors or decision.route is Route.BLOCK:
        return Seen(route, decision.obligations, because, "blocked", prompt.fallback)
    told = leaves = ""
    if decision.route > Route.DEVICE:
        leaving = values
        if decision.route is Route.REDACTED:
            read = lambda name, text: readings.get(name) or reader.read(text)  # noqa: E731
            leaving, _ = cover_inputs(values, read, PlaceholderTable())
        leaves = told = instruct(prompt, leaving, MARKER)
    elif prompt.max_tokens and "local-model" in context.get("capabilities", ()):
        told = instruct(prompt, values, MARKER)
    try:
        reply, outcome = reply_text(prompt, values, produce(prompt, values)), "filled"
    except InvalidDocument:
        reply, outcome = prompt.fallback, "fallback"
    return Seen(route, decision.obligations, because, outcome, reply.strip(), leaves, told)
