"""Does one policy loosen another? The exact answer, by looking at few contexts.

Every condition asks for more sensitivity or less permission, so a rule that matches one context matches every
context above it. Each *disjunct* of a rule (one value chosen from every any-of) has a least context that it
matches: exactly the sensitivities it names, at their thresholds; the permissions it names one level below
what it asks for; all others at their fullest. `after` loosens `before` if and only if it allows more, or obliges
to less, at the bottom context or at the least context of a disjunct of a rule of `before`:

    If `before` decides x at some context c, the rule (or ceiling) that set x matches at a least context l below
    c, so `before` allows at most x at l. If `after` is no looser at l, it allows at most x there, and as c is
    above l, at most x at c. The same holds for each obligation on its own.

A change of the vocabulary counts as loosening by itself: it changes what the words of a rule mean.

Promises: none missed, none false; every result carries a context at which the two decisions differ.
Does not: judge selectors (which layers apply), which stand outside the rules. Source: DESIGN section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Literal, TypeVar

from audit.frozen import frozen
from edge_runtime.core.policy.evaluate import CompiledPolicy, Context, Decision, Value, compile_policy
from edge_runtime.core.policy.rules import Condition, Layer, Rule
from edge_runtime.core.policy.sentences import change_sentence
from edge_runtime.core.policy.vocabulary import (
    ANY_OF,
    BELOW,
    MISSING_ANY_OF,
    Attribute,
    Vocabulary,
    describe_changes,
)

__all__ = [
    "Change",
    "Comparison",
    "Loosening",
    "Tightening",
    "compare",
    "find_loosening",
    "find_loosenings",
    "find_tightenings",
    "least_context",
    "least_contexts",
]


@frozen
class Change:
    """One context at which two policies differ; for a change of the vocabulary there is no context."""

    because: Literal["route", "obligations", "vocabulary"]
    sentence: str
    context: Context | None = None
    before: Decision | None = None
    after: Decision | None = None


class Loosening(Change):
    """The policy after the change allows more, or obliges to less."""

    __slots__ = ()


class Tightening(Change):
    """The policy after the change allows less, or obliges to more."""

    __slots__ = ()


_ChangeT = TypeVar("_ChangeT", Loosening, Tightening)


@frozen
class Comparison:
    """All that changes from one policy to another."""

    loosenings: tuple[Loosening, ...]
    tightenings: tuple[Tightening, ...]


def compare(
    before: Iterable[Layer],
    after: Iterable[Layer],
    vocabulary: Vocabulary,
    *,
    after_vocabulary: Vocabulary | None = None,
) -> Comparison:
    """Return what `after` loosens and what it tightens; see `find_loosenings`."""
    old, new = compile_policy(before, vocabulary), compile_policy(after, after_vocabulary or vocabulary)
    return Comparison(tuple(_loosenings(old, new)), tuple(_tightenings(old, new)))


def find_loosening(
    before: Iterable[Layer],
    after: Iterable[Layer],
    vocabulary: Vocabulary,
    *,
    after_vocabulary: Vocabulary | None = None,
) -> Loosening | None:
    """Return the first of `find_loosenings`, or nothing if `after` loosens nothing."""
    old, new = compile_policy(before, vocabulary), compile_policy(after, after_vocabulary or vocabulary)
    return next(_loosenings(old, new), None)


def find_loosenings(
    before: Iterable[Layer],
    after: Iterable[Layer],
    vocabulary: Vocabulary,
    *,
    after_vocabulary: Vocabulary | None = None,
) -> tuple[Loosening, ...]:
    """Return every deciding context at which `after` is looser, the least special first.

    Where the vocabulary changes, that comes first, and each policy is asked in its own.
    """
    return compare(before, after, vocabulary, after_vocabulary=after_vocabulary).loosenings


def find_tightenings(
    before: Iterable[Layer],
    after: Iterable[Layer],
    vocabulary: Vocabulary,
    *,
    after_vocabulary: Vocabulary | None = None,
) -> tuple[Tightening, ...]:
    """Return every deciding context at which `after` is tighter: `find_loosenings` with the roles swapped."""
    return compare(before, after, vocabulary, after_vocabulary=after_vocabulary).tightenings


def least_context(vocabulary: Vocabulary, values: Mapping[str, Value] | None = None) -> Context:
    """Return the context with `values`, and no other sensitivity and every other permission at its fullest."""
    named = dict(values or {})
    sensitivities: dict[str, Value] = {}
    permissions: dict[str, Value] = {}
    for attribute in vocabulary.attributes:
        into = permissions if attribute.permission else sensitivities
        into[attribute.name] = named.pop(attribute.name, attribute.bottom)
    # What this vocabulary does not know stays a sensitivity, and blocks.
    return Context({**sensitivities, **named}, permissions)


def least_contexts(rule: Rule, vocabulary: Vocabulary) -> Iterator[Context]:
    """Yield the least context of each disjunct of a sound `rule`."""
    for values in _disjuncts(rule, vocabulary):
        yield least_context(vocabulary, values)


def _loosenings(before: CompiledPolicy, after: CompiledPolicy) -> Iterator[Loosening]:
    changes = describe_changes(before.vocabulary, after.vocabulary)
    if changes:
        yield Loosening("vocabulary", f"the words that rules are made of change: {'; '.join(changes)}")
    for values in _deciding_values(before):
        context = least_context(before.vocabulary, values)
        old, new = before.decide(context), after.decide(_same_context(values, before, after))
        yield from _differences(Loosening, context, (old, new), vocabulary=before.vocabulary)


def _tightenings(before: CompiledPolicy, after: CompiledPolicy) -> Iterator[Tightening]:
    for values in _deciding_values(after):
        context = least_context(after.vocabulary, values)
        old, new = before.decide(_same_context(values, after, before)), after.decide(context)
        yield from _differences(Tightening, context, (old, new), vocabulary=after.vocabulary)


def _same_context(values: Mapping[str, Value], named_in: CompiledPolicy, asked: CompiledPolicy) -> Context:
    """Return the context as the other policy sees it: a permission that it does not know is nothing to it."""
    known = {attribute.name for attribute in asked.vocabulary.attributes}
    known |= {attribute.name for attribute in named_in.vocabulary.attributes if not attribute.permission}
    return least_context(asked.vocabulary, {name: values[name] for name in values if name in known})


def _differences(
    kind: type[_ChangeT], context: Context, decisions: tuple[Decision, Decision], *, vocabulary: Vocabulary
) -> Iterator[_ChangeT]:
    before, after = decisions
    tighter, looser = (before, after) if kind is Loosening else (after, before)
    by_route = looser.route > tighter.route
    if by_route or not set(tighter.obligations) <= set(looser.obligations):
        sentence = change_sentence(context, before, after, vocabulary=vocabulary)
        yield kind("route" if by_route else "obligations", sentence, context, before, after)


def _deciding_values(policy: CompiledPolicy) -> list[dict[str, Value]]:
    """Return the bottom context and each disjunct's least context, by what they name; each once, sorted."""
    found: dict[tuple[tuple[str, object], ...], dict[str, Value]] = {(): {}}
    # A policy with an error decides alike everywhere, so the bottom context tells all.
    for layer in () if policy.errors else policy.layers:
        for rule in layer.rules:
            for values in _disjuncts(rule, policy.vocabulary):
                key = tuple((name, _sortable(values[name])) for name in sorted(values))
                found[key] = values
    return [found[key] for key in sorted(found, key=lambda key: (len(key), key))]


def _sortable(value: Value) -> object:
    return tuple(sorted(value)) if isinstance(value, frozenset) else value


def _disjuncts(rule: Rule, vocabulary: Vocabulary) -> Iterator[dict[str, Value]]:
    attributes = {attribute.name: attribute for attribute in vocabulary.attributes}
    names = [condition.attribute for condition in rule.when]
    for values in product(*(_least_values(condition, attributes[condition.attribute]) for condition in rule.when)):
        yield dict(zip(names, values, strict=True))


def _least_values(condition: Condition, attribute: Attribute) -> list[Value]:
    """Return the least values at which the condition holds: several for an any-of, else one."""
    if attribute.ordered:
        place = attribute.values.index(condition.values[0])
        return [attribute.values[place - 1 if condition.operator == BELOW else place]]
    named = frozenset(map(str, condition.values))
    wanted = [frozenset({value}) for value in sorted(named)]
    if condition.operator not in {ANY_OF, MISSING_ANY_OF}:
        wanted = [named]
    every = frozenset(map(str, attribute.values))
    return [every - values for values in wanted] if attribute.permission else list(wanted)
