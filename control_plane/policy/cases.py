"""Cases: examples with what must come out, run through the functions that a device runs.

Promises: what a case does not say is not asked; a failed case names the case and the part that differs, and
says in a few words what was expected and got: cases hold made-up texts, never a person's.
Does not: call a model; a case describes what is produced without one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.expected import Unmet, unmet_in_output, unmet_in_reply
from edge_runtime.core.pipeline import compile_for, produce, reply_text
from edge_runtime.core.policy import Context, Layer, Policy, Route, least_context
from edge_runtime.core.prompt import Prompt

__all__ = ["context_for", "output_differs", "reply_differs", "run_cases"]

_DECISION = ("decided_by", "obligations", "route")
_SHOWN, _BEFORE = 60, 20
"""How much of a text evidence quotes, and how much of that stands before the place where it differs."""


def run_cases(prompt: Prompt, cases: JsonObject, policy: Policy | None) -> tuple[str, ...]:
    """Return what differs, one line a problem; empty if every case comes out as it must."""
    return tuple(
        f"case {case['id']}: {problem}" for case in cases["cases"] for problem in _differs(prompt, case, policy)
    )


def _differs(prompt: Prompt, case: JsonObject, policy: Policy | None) -> Iterator[str]:
    expect = case["expect"]
    if policy is not None and any(name in expect for name in _DECISION):
        yield from _decision_differs(prompt, case, policy)
    try:
        values = check_inputs(prompt.inputs, case["inputs"])
    except InvalidDocument as error:
        refused = expect.get("refused_input")
        if refused is None or repr(refused) not in str(error):
            yield str(error)
        return
    if "refused_input" in expect:
        yield f"expected input {expect['refused_input']!r} to be refused, and it was not"
        return
    wants_fallback = expect.get("falls_back", False)
    try:
        output = produce(prompt, values)
        reply = reply_text(prompt, values, output)
    except InvalidDocument as error:
        if not wants_fallback:
            yield str(error)
        yield from reply_differs(expect, prompt.fallback.strip())
        return
    if wants_fallback:
        yield "expected the fallback text, got an output"
    yield from output_differs(expect, output, values)
    yield from reply_differs(expect, reply)


def output_differs(expect: JsonObject, output: JsonObject, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield how an output differs from what is expected of its members."""
    yield from map(_quoted, unmet_in_output(expect, output, values))


def reply_differs(expect: JsonObject, reply: str) -> Iterator[str]:
    """Yield how a reply differs from what is expected of its text."""
    yield from map(_quoted, unmet_in_reply(expect, reply))


def _quoted(unmet: Unmet) -> str:
    """Return what is not met, with both sides in a few words: a device never does that with a person's text."""
    if unmet.assertion in {"output", "reply_is"}:
        return f"{unmet.said}: {_difference(unmet.wanted, unmet.got)}"
    if unmet.assertion == "reply_contains":
        return f"{unmet.said}: expected {_cut(unmet.wanted)}, got {_cut(unmet.got)}"
    if unmet.assertion == "reply_lacks":
        return f"{unmet.said}: expected it without {_cut(unmet.wanted)}"
    return unmet.said


def _decision_differs(prompt: Prompt, case: JsonObject, policy: Policy) -> Iterator[str]:
    expect = case["expect"]
    compiled = compile_for(policy, prompt, Layer("learner", Route.CLOUD))
    decision = compiled.decide(context_for(prompt, case.get("context", {}), policy))
    if "route" in expect and str(decision.route) != expect["route"]:
        yield f"expected route {expect['route']}, got {decision.route}"
    if "obligations" in expect and set(decision.obligations) != set(expect["obligations"]):
        yield f"the obligations differ: {_difference(sorted(expect['obligations']), sorted(decision.obligations))}"
    deciding = {reason.rule for reason in decision.rules}
    if "decided_by" in expect and deciding != set(expect["decided_by"]):
        yield f"other rules decide: {_difference(sorted(expect['decided_by']), sorted(deciding))}"


def _difference(wanted: object, got: object) -> str:
    """Return both values in a few words, from shortly before the place where two texts part."""
    pairs = zip(wanted, got, strict=False) if isinstance(wanted, str) and isinstance(got, str) else ()
    begin = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return f"expected {_cut(wanted, begin)}, got {_cut(got, begin)}"


def _cut(value: object, begin: int = 0) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    first = max(0, begin - _BEFORE)
    cut = text[first : first + _SHOWN]
    return repr(("…" if first else "") + cut + ("…" if len(text) > first + _SHOWN else ""))


def context_for(
    prompt: Prompt, given: Mapping[str, Any], policy: Policy, *, found: Mapping[str, Any] = MappingProxyType({})
) -> Context:
    """Return the context of a case: a sensitivity that is left out was not found, a permission is missing.

    Args:
        prompt: what would run.
        given: what the case says.
        policy: whose vocabulary names the attributes.
        found: what a reader found in the inputs, of sets; the case may say more.
    """
    values: dict[str, Any] = {"tier": prompt.tier}
    for attribute in policy.vocabulary.attributes:
        if attribute.permission:
            values[attribute.name] = attribute.values[0] if attribute.ordered else frozenset()
    values |= {name: frozenset(value) if isinstance(value, list) else value for name, value in given.items()}
    for name, members in found.items():
        known = policy.vocabulary.find(name)
        if known is not None and not known.ordered:
            values[name] = frozenset(values.get(name, ())) | {one for one in members if known.knows(one)}
    return least_context(policy.vocabulary, values)
