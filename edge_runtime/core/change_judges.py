"""Whether one record loosens or tightens another: a judge for each kind of governed content.

Each returns the kinds of change that it finds among `loosening`, `tightening`, `measured` and `wording`. Policies and
the rules of scripts are compared exactly (see `policy.compare`). Where meaning cannot be compared (a sentence worded
anew, another model file, approval rules that are not provably as strict), it counts as loosening.

Promises: a judge is pure and total on records that were parsed. Does not: parse, look at filing and tier
(see `change`). Source: docs/adr/0018.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from edge_runtime.core.agreement import Agreement, Stored
from edge_runtime.core.approval import ApprovalRules, keeps_measured, tightens
from edge_runtime.core.canonical import encode
from edge_runtime.core.contract import DATA_CLASSES, Input
from edge_runtime.core.model import ModelCard
from edge_runtime.core.policy import Layer, Policy, Route, Rule, Vocabulary, compare, describe_changes, read_rules
from edge_runtime.core.prompt import PLACEMENTS, Prompt
from edge_runtime.core.session_type import SessionType
from edge_runtime.core.tools import Tool
from edge_runtime.core.vocabulary import GovernedVocabulary

__all__ = [
    "judge_agreements",
    "judge_levels",
    "judge_models",
    "judge_nothing",
    "judge_policies",
    "judge_rules",
    "judge_scripts",
    "judge_session_types",
    "judge_vocabularies",
]

NO_TELEMETRY = "no-telemetry"
_NEAREST_FIRST = ("device", "server", "cloud")
Rules = tuple[Rule, ...]
_Level = TypeVar("_Level", str, int)


def judge_nothing(_old: object, _new: object, _vocabulary: Vocabulary) -> set[str]:
    """Judge a kind of which every member means the same wherever it stands."""
    return set()


def judge_levels(old: _Level, new: _Level) -> set[str]:
    """Judge a level of which more is stricter, such as a tier."""
    return _sides(old > new, old < new)


def _sides(loosens: bool, tightens_: bool) -> set[str]:
    return ({"loosening"} if loosens else set()) | ({"tightening"} if tightens_ else set())


def _narrowing(old: Collection[Hashable], new: Collection[Hashable]) -> set[str]:
    """Judge a collection that narrows: what went from it loosens, what came tightens."""
    return _sides(bool(set(old) - set(new)), bool(set(new) - set(old)))


def judge_policies(old: Policy, new: Policy, _vocabulary: Vocabulary) -> set[str]:
    """Judge policies by their meaning, each in its own words."""
    if (old.layer, old.vocabulary) == (new.layer, new.vocabulary):
        return set()
    found = _judge_layers(old.layer, new.layer, (old.vocabulary, new.vocabulary))
    if describe_changes(old.vocabulary, new.vocabulary):  # scripts have rules in these words, too
        found |= {"loosening", "measured"}
    if found and _texts(old.layer.rules) == _texts(new.layer.rules):
        return found
    return found | {"wording"}  # other texts, or another way to say the same


def _judge_layers(old: Layer, new: Layer, vocabularies: tuple[Vocabulary, Vocabulary]) -> set[str]:
    found = compare([old], [new], vocabularies[0], after_vocabulary=vocabularies[1])
    kinds = _sides(bool(found.loosenings), bool(found.tightenings))
    for change in (*found.loosenings, *found.tightenings):
        if (
            change.before
            and change.after
            and NO_TELEMETRY in set(change.before.obligations) - set(change.after.obligations)
        ):
            kinds |= {"measured"}
    return kinds


def _texts(rules: Rules) -> set[tuple[str, str]]:
    return {(rule.id, rule.because) for rule in rules}


def judge_scripts(old: Prompt, new: Prompt, vocabulary: Vocabulary) -> set[str]:
    """Judge prompts and hand-offs: placement, own rules, the sensitivity and origin of inputs, the disclosure."""
    rules = [read_rules(prompt.rules, vocabulary) for prompt in (old, new)]
    layers = [
        Layer("prompt", Route[prompt.placement.upper()], own) for prompt, own in zip((old, new), rules, strict=True)
    ]
    found = _judge_layers(layers[0], layers[1], (vocabulary, vocabulary))
    if _texts(rules[0]) != _texts(rules[1]) or (old.rules != new.rules and not found):
        found |= {"wording"}  # other texts, or another way to say the same
    found |= judge_levels(PLACEMENTS.index(new.placement), PLACEMENTS.index(old.placement))
    found |= {"loosening"} if old.compatibility != new.compatibility else set()  # what may break, or who decides it
    said = [bool(prompt.disclosure.strip()) for prompt in (old, new)]
    found |= _judge_tools(old.tools, new.tools)
    found |= _narrowing(_expectations(old.validators), _expectations(new.validators))
    return found | judge_levels(*said) | _judge_inputs(old.inputs.inputs, new.inputs.inputs)


def _judge_tools(old: Iterable[Tool], new: Iterable[Tool]) -> set[str]:
    """Judge what a model may ask an app to do: a tool that came, or takes other arguments, loosens."""
    acts = [{(tool.name, encode(tool.parameters)) for tool in tools} for tools in (old, new)]
    words = [{(tool.name, tool.description) for tool in tools} for tools in (old, new)]
    return _narrowing(acts[1], acts[0]) | ({"wording"} if words[0] != words[1] else set())


def _expectations(validators: Mapping[str, Any]) -> set[tuple[str, bytes]]:
    """Return each expectation on its own, so that one more is one more."""
    found: set[tuple[str, bytes]] = set()
    for assertion, expected in validators.items():
        if isinstance(expected, dict):
            found |= {(assertion, encode({name: value})) for name, value in expected.items()}
        else:
            texts = expected if isinstance(expected, list) else [expected]
            found |= {(assertion, encode({"": text})) for text in texts}
    return found


def _judge_inputs(old: Mapping[str, Input], new: Mapping[str, Input]) -> set[str]:
    found: set[str] = set()
    for name in old.keys() & new.keys():
        found |= judge_levels(*(DATA_CLASSES.index(inputs[name].data_class) for inputs in (old, new)))
        found |= judge_levels(*(int(inputs[name].untrusted) for inputs in (old, new)))
    gone, came = old.keys() - new.keys(), new.keys() - old.keys()
    # Under another name it may be the same text: then its class, and who may have written it, are what they were.
    renamed = any(_is_laxer(new[name], old[other]) for name in came for other in gone)
    return found | ({"loosening"} if renamed else set())


def _is_laxer(new: Input, old: Input) -> bool:
    among_orders = old.untrusted and not new.untrusted and new.type in {"string", "array"} and not new.choices
    return new.data_class < old.data_class or among_orders


def judge_rules(old: ApprovalRules, new: ApprovalRules, _vocabulary: Vocabulary) -> set[str]:
    """Judge approval rules: loosening unless the new ones are sure to ask for all that the old ones ask.

    Where they may ask for less about what is measured, that is a change of it: those who are measured have a say.
    """
    if not tightens(new, old):
        return {"loosening"} if keeps_measured(new, old) else {"loosening", "measured"}
    return {"wording"} if tightens(old, new) else {"tightening"}


def judge_vocabularies(old: GovernedVocabulary, new: GovernedVocabulary, _vocabulary: Vocabulary) -> set[str]:
    """Judge vocabularies: the words are what is looked for in what people write, and what they are asked for."""
    return {"measured"} if describe_changes(old.vocabulary, new.vocabulary) else set()


def judge_models(old: ModelCard, new: ModelCard, _vocabulary: Vocabulary) -> set[str]:
    """Judge models: another file, task, threshold or self-test may find less, and nobody can tell that it does not."""
    parts = [
        (one.digest, one.size_bytes, one.task, one.labels, one.locales, dict(one.thresholds), one.self_test)
        for one in (old, new)
    ]
    return {"loosening"} if parts[0] != parts[1] else set()


def judge_session_types(old: SessionType, new: SessionType, _vocabulary: Vocabulary) -> set[str]:
    """Judge session types: boundaries, what leads to people, and the agreement they are held under."""
    found = _narrowing(old.boundaries, new.boundaries) | _narrowing(old.escalation, new.escalation)
    moved = (old.agreement, old.handoff) != (new.agreement, new.handoff)
    return found | ({"loosening"} if moved else set())


def judge_agreements(old: Agreement, new: Agreement, _vocabulary: Vocabulary) -> set[str]:
    """Judge agreements: what they are for, who takes part, what is stored, which consents are asked for."""
    found = judge_levels(old.version, new.version)
    found |= _narrowing(new.scope, old.scope) | _narrowing(old.outside, new.outside)
    found |= _narrowing([one.id for one in new.parties], [one.id for one in old.parties])
    found |= _narrowing([one.id for one in new.consents], [one.id for one in old.consents])
    found |= _judge_stored({one.id: one for one in old.stored}, {one.id: one for one in new.stored})
    promised = [{(one.id, text) for one in agreement.parties for text in one.promises} for agreement in (old, new)]
    found |= {"loosening"} if promised[0] - promised[1] else set()
    return found | ({"wording"} if _sentences(old) != _sentences(new) else set())


def _sentences(agreement: Agreement) -> tuple[Hashable, ...]:
    return (
        tuple((one.id, one.title, one.promises) for one in agreement.parties),
        tuple((one.id, one.sentence, one.without) for one in agreement.consents),
        tuple((one.id, one.what) for one in agreement.stored),
        agreement.scope,
        agreement.outside,
    )


def _judge_stored(old: Mapping[str, Stored], new: Mapping[str, Stored]) -> set[str]:
    found = _narrowing(list(new), list(old))  # what is stored beyond what was agreed loosens
    for name in old.keys() & new.keys():
        before, after = old[name], new[name]
        found |= judge_levels(*(-_NEAREST_FIRST.index(one.where) for one in (before, after)))
        found |= judge_levels(*(-(one.keep_days or 10**6) for one in (before, after)))
        found |= _narrowing(after.seen_by, before.seen_by)
    return found
