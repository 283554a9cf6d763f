"""The decision: the least of every layer's ceiling and of every matching rule's bound.

A policy is compiled so that each value of each attribute names the set of rules whose condition on that
attribute holds; a set of rules is an integer, one bit per rule. A decision intersects one such set per
attribute: what is left are the matching rules. Ceilings are rules without a condition. For a set attribute
the rules are worked out when a set of values is first met, and remembered.

Promises:
    1. `decide` never raises: anything malformed, a rule that fails, or no layer at all decides `block` with
       every obligation of the policy, and is listed in `errors`.
    2. A sensitivity that was not assessed (`None` or absent) counts as highest; an unknown one blocks.
    3. A permission that is absent, `None` or unknown counts as missing.
    4. The order of layers and of rules changes nothing, and what is reported is sorted.
    5. No error repeats a value from the context.
Does not: assess a text, act on a route or an obligation. Source: DESIGN section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy.rules import CEILING, Condition, Layer, Route, Rule, verify_rule
from edge_runtime.core.policy.vocabulary import ANY_OF, MISSING_ANY_OF, Attribute, Vocabulary

__all__ = [
    "CompiledPolicy",
    "Context",
    "Decision",
    "Reason",
    "Value",
    "compile_policy",
    "decide",
]

Value = frozenset[str] | str | int | None
"""Of a set attribute a `frozenset`, of an ordered one a level; `None` is not assessed, or not given."""

RuleSet = int
"""A set of compiled rules, one bit each; the bits run against the order in which rules are listed."""

EVERY_RULE: RuleSet = -1

_Key = TypeVar("_Key", str, Route)

MAX_REMEMBERED = 1024
"""Most sets of values for which an attribute remembers the rules; beyond, they are worked out again."""


@frozen
class Context:
    """What is known when a decision is made."""

    sensitivities: Mapping[str, Value]
    permissions: Mapping[str, Value]

    def __post_init__(self) -> None:
        # The record owns its values: nobody changes them while a decision is under way.
        for name in ("sensitivities", "permissions"):
            given = getattr(self, name)
            if isinstance(given, Mapping):
                object.__setattr__(self, name, dict(given))


@frozen
class Reason:
    """A rule that decided; `rule` is `ceiling` for the layer's own ceiling."""

    layer: str
    rule: str
    because: str

    @property
    def name(self) -> str:
        """The rule's name among those of all layers."""
        return f"{self.layer}/{self.rule}"

    def __lt__(self, other: Reason) -> bool:
        return (self.layer, self.rule, self.because) < (other.layer, other.rule, other.because)


@frozen
class Decision:
    """How far the text may go, what that obliges to, and why; every tuple is sorted."""

    route: Route
    obligations: tuple[str, ...]
    rules: tuple[Reason, ...]
    """What set the route: no rule or ceiling allowed less. Empty if an error did."""
    obliged_by: tuple[Reason, ...]
    """The rules that added the obligations."""
    errors: tuple[str, ...] = ()


class _Test(dict[object, RuleSet]):
    """One attribute: for each value of it, the rules whose condition on it holds."""

    __slots__ = ("attribute", "value_type")

    def __init__(self, attribute: Attribute, value_type: type) -> None:
        super().__init__()
        self.attribute = attribute
        self.value_type = value_type

    def refusal(self) -> InvalidDocument:
        """Return the error for a value of another type, which this test must not be asked about."""
        return InvalidDocument(f"expected {self.attribute.name} as {self.value_type.__name__}, got another type")


class _Levels(_Test):
    """An ordered attribute: every known level is filled in when the policy is compiled."""

    __slots__ = ()

    def __missing__(self, _level: object) -> RuleSet:
        if self.attribute.permission:
            return EVERY_RULE
        raise InvalidDocument(f"expected a known level of {self.attribute.name}, got an unknown one")


class _Values(_Test):
    """A set attribute: a set of values is worked out when it is first met."""

    __slots__ = ("any_of", "known", "spared", "untested")

    def __init__(self, attribute: Attribute, every: RuleSet) -> None:
        super().__init__(attribute, frozenset)
        self.known = frozenset(map(str, attribute.values))
        self.untested = every  # the rules with no any-of on this attribute
        self.any_of = dict.fromkeys(self.known, 0)
        self.spared = dict.fromkeys(self.known, every)  # the rules whose all-of does not need this value

    def __missing__(self, values: frozenset[object]) -> RuleSet:
        name = self.attribute.name
        for value in values:
            if type(value) is not str:
                raise InvalidDocument(f"expected names in {name}, got another type")
        if not self.attribute.permission and not values <= self.known:
            raise InvalidDocument(f"expected known {name}, got an unknown one")
        # Of a permission, what is missing counts; what is not known is not given.
        counting = self.known - values if self.attribute.permission else self.known & values
        held = self.untested
        for value in counting:
            held |= self.any_of[value]
        for value in self.known - counting:
            held &= self.spared[value]
        if len(self) < MAX_REMEMBERED:
            self[values] = held
        return held


class CompiledPolicy:
    """Layers made ready to decide; made by `compile_policy` only."""

    __slots__ = (
        *("_by_obligation", "_by_route", "_obliging", "_permissions", "_reasons", "_sensitivities"),
        *("errors", "layers", "vocabulary"),
    )

    def __init__(
        self, layers: tuple[Layer, ...], vocabulary: Vocabulary, rules: list[tuple[Reason, Rule]], *, errors: list[str]
    ) -> None:
        self.layers = layers
        self.vocabulary = vocabulary
        self.errors = tuple(sorted(errors))
        """Why every decision of this policy is `block`; empty if the policy is sound."""
        self._reasons = tuple(reason for reason, _ in rules)
        self._by_route = _index((rule.at_most,) for _, rule in rules)
        self._by_obligation = _index(rule.require for _, rule in rules)
        self._obliging = sum(1 << place for place, (_, rule) in enumerate(rules) if rule.require)
        tests = _compile_tests([rule for _, rule in rules], vocabulary)
        self._permissions = [(test.attribute.name, test) for test in tests if test.attribute.permission]
        self._sensitivities = {test.attribute.name: test for test in tests if not test.attribute.permission}

    def decide(self, context: Context) -> Decision:
        """Return the decision for `context`; never raises."""
        if self.errors:
            return self._refuse(self.errors)
        try:
            matching = self._match(context)
        except InvalidDocument as error:
            return self._refuse((str(error),))
        # The tightest route comes first, and there is one, for the ceilings always match.
        for route, rules in self._by_route:  # noqa: B007
            deciding = matching & rules
            if deciding:
                break
        obliging = matching & self._obliging
        if not obliging:
            return Decision(route, (), self._explain(deciding), ())
        obligations = tuple([name for name, rules in self._by_obligation if rules & obliging])
        return Decision(route, obligations, self._explain(deciding), self._explain(obliging))

    def _match(self, context: Context) -> RuleSet:
        """Return the matching rules, or raise `InvalidDocument` for what is malformed or unknown."""
        if type(context) is not Context or not type(context.sensitivities) is type(context.permissions) is dict:
            raise InvalidDocument("expected a context of two mappings, got another type")
        # Of an attribute that is not mentioned, every test holds: not assessed is highest, not given is lowest.
        matching = EVERY_RULE
        tests = self._sensitivities
        for name, value in context.sensitivities.items():
            test = tests.get(name) if type(name) is str else None
            if test is None:
                raise InvalidDocument("expected known sensitivities, got an unknown one")
            if type(value) is test.value_type:
                matching &= test[value]
            elif value is not None:
                raise test.refusal()
        given = context.permissions
        for name, test in self._permissions:
            value = given.get(name)
            if type(value) is test.value_type:
                matching &= test[value]
            elif value is not None:
                raise test.refusal()
        return matching

    def _refuse(self, errors: tuple[str, ...]) -> Decision:
        every = tuple(name for name, _ in self._by_obligation)
        return Decision(Route.BLOCK, every, (), self._explain(self._obliging), errors)

    def _explain(self, rules: RuleSet) -> tuple[Reason, ...]:
        reasons = []
        while rules:
            place = rules.bit_length() - 1
            reasons.append(self._reasons[place])
            rules ^= 1 << place
        return tuple(reasons)


def decide(layers: Iterable[Layer], context: Context, vocabulary: Vocabulary) -> Decision:
    """Return the decision of `layers` for `context`; compile the policy where there is more than one."""
    return compile_policy(layers, vocabulary).decide(context)


def compile_policy(layers: Iterable[Layer], vocabulary: Vocabulary) -> CompiledPolicy:
    """Return `layers` made ready to decide; never raises, what fails is in `errors` and blocks."""
    kept = tuple(layers) if isinstance(layers, Iterable) else ()
    errors = [] if kept else ["expected at least one layer, got none"]
    rules = list(_sound_rules(kept, vocabulary, errors))
    # A set of rules is read from its highest bit down, so the last in order comes first.
    rules.sort(key=lambda entry: (entry[0].layer, entry[0].rule, entry[0].because), reverse=True)
    return CompiledPolicy(kept, vocabulary, rules, errors=errors)


def _sound_rules(layers: tuple[Layer, ...], vocabulary: Vocabulary, errors: list[str]) -> Iterable[tuple[Reason, Rule]]:
    """Yield each rule and ceiling that can be compiled, and put into `errors` why another cannot."""
    for layer in layers:
        if not _is_sound(layer):
            errors.append("expected a layer of a name, a ceiling and rules, got something else")
            continue
        because = f"the layer goes no further than {layer.ceiling}"
        yield Reason(layer.name, CEILING, because), Rule(CEILING, because, (), layer.ceiling)
        for rule in layer.rules:
            try:
                verify_rule(rule, vocabulary)
            except InvalidDocument as error:
                errors.append(f"layer {layer.name}: {error}")
            else:
                yield Reason(layer.name, rule.id, rule.because), rule


def _is_sound(layer: object) -> bool:
    return (
        isinstance(layer, Layer)
        and isinstance(layer.name, str)
        and type(layer.ceiling) is Route
        and isinstance(layer.rules, tuple)
    )


def _index(keys: Iterable[tuple[_Key, ...]]) -> list[tuple[_Key, RuleSet]]:
    """Return, for each key in order, the rules that have it."""
    index: dict[_Key, RuleSet] = {}
    for place, names in enumerate(keys):
        for name in names:
            index[name] = index.get(name, 0) | 1 << place
    return [(name, index[name]) for name in sorted(index)]


def _compile_tests(rules: list[Rule], vocabulary: Vocabulary) -> list[_Test]:
    conditions: dict[str, list[tuple[RuleSet, Condition]]] = {}
    for place, rule in enumerate(rules):
        for condition in rule.when:
            conditions.setdefault(condition.attribute, []).append((1 << place, condition))
    every = (1 << len(rules)) - 1
    return [
        (_compile_levels if attribute.ordered else _compile_values)(
            attribute, conditions.get(attribute.name, ()), every
        )
        for attribute in vocabulary.attributes
    ]


def _compile_levels(attribute: Attribute, conditions: Iterable[tuple[RuleSet, Condition]], every: RuleSet) -> _Levels:
    at: dict[str | int, RuleSet] = {}
    for bit, condition in conditions:
        at[condition.values[0]] = at.get(condition.values[0], 0) | bit
    held = every & ~sum(at.values())
    holding: dict[object, RuleSet] = {}
    for level in reversed(attribute.values) if attribute.permission else attribute.values:
        if attribute.permission:  # below this level, from the level under it downwards
            holding[level] = held
            held |= at.get(level, 0)
        else:  # at least this level, from itself upwards
            held |= at.get(level, 0)
            holding[level] = held
    test = _Levels(attribute, type(attribute.values[0]))
    test.update(holding)
    return test


def _compile_values(attribute: Attribute, conditions: Iterable[tuple[RuleSet, Condition]], every: RuleSet) -> _Values:
    test = _Values(attribute, every)
    for bit, condition in conditions:
        if condition.operator in {ANY_OF, MISSING_ANY_OF}:
            test.untested &= ~bit
            for value in map(str, condition.values):
                test.any_of[value] |= bit
        else:
            for value in map(str, condition.values):
                test.spared[value] &= ~bit
    return test
