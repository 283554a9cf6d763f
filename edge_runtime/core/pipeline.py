"""The steps of a run that need no disk, network or clock: what a device decides and fills, and the server checks.

    read → decide → render or fill → check the output

Promises: the server runs a prompt's cases through these very functions; what was not assessed counts as present.
Does not: call a model, keep a session, write a receipt (see `edge_runtime.session`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_output
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.expected import unmet_in_output, unmet_in_reply
from edge_runtime.core.policy import (
    CompiledPolicy,
    Context,
    Layer,
    Policy,
    Route,
    Vocabulary,
    compile_policy,
    read_rules,
)
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.template import delimit, fill, render

if TYPE_CHECKING:  # deciding about a context needs no reader
    from edge_runtime.core.reader.records import Reading

__all__ = [
    "OBLIGATIONS",
    "Checked",
    "Situation",
    "answer_of",
    "check_answer",
    "compile_for",
    "context_of",
    "count_types",
    "fill_out",
    "free_texts",
    "instruct",
    "produce",
    "read_inputs",
    "reply_text",
    "worst_crisis",
]

OBLIGATIONS = frozenset({"no-telemetry"})
"""The obligations that this runtime keeps: it has no telemetry. An unknown one blocks."""
_CRISIS = ("none", "low_mood", "crisis")


@frozen
class Situation:
    """What is so beside the text: permissions of the person and of the device, and how stale the release is.

    `ai_streak` is how many exchanges there were with the assistant alone; none: nobody can tell.
    """

    consents: frozenset[str] = frozenset()
    agreement: int = 0
    capabilities: frozenset[str] = frozenset()
    staleness: str = "fresh"
    ai_streak: int | None = None


def free_texts(prompt: Prompt, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the inputs that people write freely, as one text each: what the reader must see."""
    texts: dict[str, str] = {}
    for name, declared in prompt.inputs.inputs.items():
        value = values[name]
        if declared.choices or declared.type not in {"string", "array"}:
            continue
        texts[name] = "\n".join(value) if isinstance(value, list) else value
    return texts


def read_inputs(prompt: Prompt, values: Mapping[str, Any], read: Callable[[str], Reading]) -> dict[str, Reading]:
    """Return the readings of all that people fill in freely, by input: texts as `read` reads them, and numbers."""
    from edge_runtime.core.reader.numbers import reading_of_number

    readings = {name: read(text) for name, text in free_texts(prompt, values).items()}
    numbers = {name for name, one in prompt.inputs.inputs.items() if one.type == "integer" and not one.choices}
    return readings | {name: reading_of_number(values[name]) for name in numbers}


def context_of(prompt: Prompt, readings: Iterable[Reading], *, situation: Situation, vocabulary: Vocabulary) -> Context:
    """Return the context of a decision: what the readings found, and what nobody assessed counts as present."""
    seen = tuple(reading for reading in readings if reading.text_length)
    return Context(
        sensitivities={
            "labels": _labels(seen),
            "entities": _entities(seen, vocabulary),
            "crisis": worst_crisis(seen),
            "injection": _injection(seen),
            "tier": prompt.tier,
            "staleness": situation.staleness,
            "ai_streak": _at_most_known(vocabulary, "ai_streak", situation.ai_streak),
        },
        permissions={
            "consents": situation.consents,
            "agreement": situation.agreement,
            "capabilities": situation.capabilities,
        },
    )


def _at_most_known(vocabulary: Vocabulary, name: str, value: int | None) -> int | None:
    """Return `value`, or the highest level the vocabulary knows: beyond it is as much as it can say."""
    attribute = vocabulary.find(name)
    if value is None or attribute is None or not isinstance(attribute.values, range):
        return value
    return min(value, attribute.values[-1])


def _labels(readings: tuple[Reading, ...]) -> frozenset[str] | None:
    topics: set[str] = set()
    for reading in readings:
        if reading.labels.topics is None:
            return None
        topics.update(reading.labels.topics)
    return frozenset(topics)


def _entities(readings: tuple[Reading, ...], vocabulary: Vocabulary) -> frozenset[str]:
    attribute = vocabulary.find("entities")
    known = frozenset(map(str, attribute.values)) if attribute else frozenset()
    found: set[str] = set()
    for reading in readings:
        found |= {entity.type for entity in reading.entities} | (known - reading.assessed)
    return frozenset(found)


def _injection(readings: tuple[Reading, ...]) -> str | None:
    if any(reading.labels.injection is None for reading in readings):
        return None
    return "suspected" if any(reading.labels.injection for reading in readings) else "none"


def worst_crisis(readings: Iterable[Reading]) -> str:
    """Return the highest crisis level among the readings."""
    return max((reading.labels.crisis for reading in readings), key=_CRISIS.index, default="none")


def count_types(readings: Iterable[Reading]) -> dict[str, int]:
    """Return how many findings there are of each type: all that a receipt may say about a text."""
    return dict(sorted(Counter(entity.type for reading in readings for entity in reading.entities).items()))


def compile_for(policy: Policy, prompt: Prompt, preferences: Layer) -> CompiledPolicy:
    """Return the layers that decide about `prompt`: organisation, the prompt itself, the learner.

    Raises:
        InvalidDocument: a rule of the prompt does not fit the vocabulary.
    """
    own = Layer(f"prompt:{prompt.name}", Route[prompt.placement.upper()], read_rules(prompt.rules, policy.vocabulary))
    return compile_policy((policy.layer, own, preferences), policy.vocabulary)


def instruct(prompt: Prompt, values: Mapping[str, Any], marker: str) -> str:
    """Return what a language model is told, untrusted inputs delimited by lines that carry `marker`."""
    untrusted = [name for name, declared in prompt.inputs.inputs.items() if declared.untrusted and not declared.choices]
    return render(prompt.instruction, delimit(values, untrusted, marker))


def produce(prompt: Prompt, values: Mapping[str, Any], readings: Mapping[str, Reading] | None = None) -> JsonObject:
    """Return the output made without a language model: `fill` rendered, sentences extracted.

    Args:
        prompt: says what to fill.
        values: the inputs.
        readings: of inputs, by name: what was agreed there is kept.

    Raises:
        InvalidDocument: it does not fit the prompt's output schema, or not its validators; places are named, no values.
    """
    output, checked = fill_out(prompt, values, readings)
    if checked.schema:
        raise InvalidDocument(f"expected an output that fits its schema: {'; '.join(checked.schema)}")
    if checked.validators:
        raise InvalidDocument(f"expected an output that its validators take: {'; '.join(checked.validators)}")
    return output


def fill_out(
    prompt: Prompt, values: Mapping[str, Any], readings: Mapping[str, Reading] | None = None
) -> tuple[JsonObject, Checked]:
    """Return the output made without a language model, and what is wrong with it; see `produce`."""
    output = fill(prompt.fill, values, lambda wanted: _extract(wanted, values, readings or {}))
    return dict(output), check_answer(prompt, values, output)


def answer_of(text: str) -> Any:
    """Return the JSON object in a model's answer: from the first brace to the last.

    Raises:
        InvalidDocument: there is none.
    """
    start, end = text.find("{"), text.rfind("}")
    try:
        return json.loads(text[start : end + 1])
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("the answer is not JSON") from error


@frozen
class Checked:
    """An output held against its prompt: what a person reads of it, and what is wrong, by check; none: it is taken."""

    text: str = member(repr=False)
    schema: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()


def check_answer(prompt: Prompt, values: Mapping[str, Any], output: object) -> Checked:
    """Return what is wrong with an output by its prompt, whoever made it; what is said of it quotes nothing."""
    problems = check_output(prompt.output, output)
    if problems or not isinstance(output, dict):
        return Checked("", schema=problems or ("expected an object",))
    try:
        text = reply_text(prompt, values, output)
    except InvalidDocument as error:
        return Checked("", schema=(str(error),))
    unmet = (*unmet_in_output(prompt.validators, output, values), *unmet_in_reply(prompt.validators, text))
    return Checked(text, validators=tuple(one.said for one in unmet))


def _extract(wanted: Mapping[str, Any], values: Mapping[str, Any], readings: Mapping[str, Reading]) -> list[str]:
    from edge_runtime.core.summary import summary_lines

    name = wanted["from"]
    return summary_lines(values[name], at_most=wanted["at_most"], reading=readings.get(name))


def reply_text(prompt: Prompt, values: Mapping[str, Any], output: JsonObject) -> str:
    """Return the text a person reads, from inputs and output."""
    return render(prompt.reply, {**values, **output}).strip()
