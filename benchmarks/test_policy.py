"""How long a decision takes with 100 rules, beside Cedar with 100 equivalent `forbid` policies.

Run `pytest benchmarks/test_policy.py`. Targets: a decision in at most 5 microseconds, 100 rules compiled in at
most 3 milliseconds, on one core. Cedar gets its policies and entities parsed beforehand, and answers the single
question "may this text go to the cloud as it is"; ours finds the route among four, the obligations and the
reasons. Both answer the same on every context that is timed, which the first test checks.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import cedarpy
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Attribute,
    Condition,
    Context,
    Layer,
    Policy,
    Route,
    Rule,
    compile_policy,
    encode_policy,
    find_loosening,
    parse_policy,
)

RULES = 100
CONTEXTS = 500


def _condition(draw: random.Random, attribute: Attribute) -> Condition:
    if attribute.ordered:
        return Condition(attribute.name, attribute.operators[0], (draw.choice(attribute.values[1:6]),))
    values = tuple(draw.sample(list(attribute.values), draw.choice([1, 2, 3 if len(attribute.values) > 2 else 1])))
    return Condition(attribute.name, draw.choice(attribute.operators), values)


def _rules() -> tuple[Rule, ...]:
    draw = random.Random(41)
    rules = []
    for number in range(RULES):
        attributes = draw.sample(DEFAULT_VOCABULARY.attributes, draw.choice([1, 2, 2, 3]))
        when = tuple(_condition(draw, attribute) for attribute in attributes)
        require = ("no-telemetry",) if number % 4 == 0 else ()
        rules.append(Rule(f"rule-{number}", "a reason", when, draw.choice([Route.DEVICE, Route.REDACTED]), require))
    return tuple(rules)


def _context(draw: random.Random) -> Context:
    """Return an everyday context: little that is sensitive, most permissions given."""
    values: dict[str, dict[str, Any]] = {"sensitivities": {}, "permissions": {}}
    for attribute in DEFAULT_VOCABULARY.attributes:
        every, missing = list(attribute.values), draw.choice([0, 1])
        if attribute.permission:
            value: Any = every[-1 - missing] if attribute.ordered else frozenset(every[missing:])
        else:
            few = draw.choice([0, 0, 0, 1])
            value = every[few] if attribute.ordered else frozenset(draw.sample(every, 2 * few))
        values["permissions" if attribute.permission else "sensitivities"][attribute.name] = value
    return Context(**values)


LAYERS = [Layer("organisation", Route.CLOUD, _rules())]
POLICY = compile_policy(LAYERS, DEFAULT_VOCABULARY)
EVERYDAY = [_context(random.Random(seed)) for seed in range(CONTEXTS)]
MOST_RULES = Context({}, {})  # nothing assessed and nothing permitted: every rule matches


def _level(attribute: str, value: str | int) -> int:
    found = DEFAULT_VOCABULARY.find(attribute)
    assert found is not None
    return found.values.index(value)


def _cedar_condition(condition: Condition) -> str:
    name = f"context.{condition.attribute}"
    listed = "[" + ", ".join(f'"{value}"' for value in condition.values) + "]"
    return {
        "any_of": lambda: f"{name}.containsAny({listed})",
        "all_of": lambda: f"{name}.containsAll({listed})",
        "at_least": lambda: f"{name} >= {_level(condition.attribute, condition.values[0])}",
        "missing_any_of": lambda: f"!{name}.containsAll({listed})",
        "missing_all_of": lambda: f"!{name}.containsAny({listed})",
        "below": lambda: f"{name} < {_level(condition.attribute, condition.values[0])}",
    }[condition.operator]()


def _cedar_policies() -> cedarpy.PolicySet:
    policies = ["permit(principal, action, resource);"]
    for rule in LAYERS[0].rules:
        when = " && ".join(_cedar_condition(condition) for condition in rule.when)
        policies.append(f'@id("{rule.id}") forbid(principal, action == Action::"cloud", resource) when {{ {when} }};')
    return cedarpy.PolicySet.from_str("\n".join(policies))


def _cedar_request(context: Context) -> dict[str, Any]:
    values = {**context.sensitivities, **context.permissions}
    return {
        "principal": 'Device::"one"',
        "action": 'Action::"cloud"',
        "resource": 'Text::"one"',
        "context": {
            name: sorted(value) if isinstance(value, frozenset) else _level(name, value)
            for name, value in values.items()
            if value is not None
        },
    }


@pytest.fixture(scope="module")
def ask_cedar() -> Callable[[dict[str, Any]], bool]:
    """Return a question to a Cedar policy set that was parsed once."""
    policies, entities = _cedar_policies(), cedarpy.Entities.from_json_str("[]")
    return lambda request: cedarpy.is_authorized(request, policies, entities).allowed


def test_both_answer_alike(ask_cedar: Callable[[dict[str, Any]], bool]) -> None:
    answers = [POLICY.decide(context).route is Route.CLOUD for context in EVERYDAY]
    assert answers == [ask_cedar(_cedar_request(context)) for context in EVERYDAY]
    assert 0.05 < sum(answers) / CONTEXTS < 0.95


@pytest.mark.benchmark(group="decision, 100 rules, everyday contexts")
def test_decision(benchmark: BenchmarkFixture) -> None:
    contexts = itertools.cycle(EVERYDAY)
    benchmark(lambda: POLICY.decide(next(contexts)))


@pytest.mark.benchmark(group="decision, 100 rules, everyday contexts")
def test_decision_with_nothing_remembered(benchmark: BenchmarkFixture) -> None:
    fresh = [compile_policy(LAYERS, DEFAULT_VOCABULARY) for _ in range(CONTEXTS)]
    pairs = itertools.cycle(list(zip(fresh, EVERYDAY, strict=True)))

    def ask() -> None:
        policy, context = next(pairs)
        policy.decide(context)

    benchmark.pedantic(ask, rounds=CONTEXTS, iterations=1)  # type: ignore[no-untyped-call]


@pytest.mark.benchmark(group="decision, 100 rules, everyday contexts")
def test_decision_of_cedar(benchmark: BenchmarkFixture, ask_cedar: Callable[[dict[str, Any]], bool]) -> None:
    requests = itertools.cycle([_cedar_request(context) for context in EVERYDAY])
    benchmark(lambda: ask_cedar(next(requests)))


@pytest.mark.benchmark(group="decision, 100 rules, every rule matches")
def test_decision_with_every_rule_matching(benchmark: BenchmarkFixture) -> None:
    assert len(POLICY.decide(MOST_RULES).rules) > RULES / 3
    benchmark(POLICY.decide, MOST_RULES)


@pytest.mark.benchmark(group="decision, 100 rules, malformed context")
def test_decision_that_blocks_by_error(benchmark: BenchmarkFixture) -> None:
    unknown = Context({"mood": "low"}, {})
    assert POLICY.decide(unknown).errors
    benchmark(POLICY.decide, unknown)


@pytest.mark.benchmark(group="preparing 100 rules")
def test_compile(benchmark: BenchmarkFixture) -> None:
    benchmark(compile_policy, LAYERS, DEFAULT_VOCABULARY)


@pytest.mark.benchmark(group="preparing 100 rules")
def test_parse(benchmark: BenchmarkFixture) -> None:
    data = encode_policy(Policy(DEFAULT_VOCABULARY, LAYERS[0]))
    benchmark(parse_policy, data)


@pytest.mark.benchmark(group="preparing 100 rules")
def test_parse_of_cedar(benchmark: BenchmarkFixture) -> None:
    benchmark(_cedar_policies)


@pytest.mark.benchmark(group="does one policy of 100 rules loosen another")
def test_find_no_loosening(benchmark: BenchmarkFixture) -> None:
    tighter = [*LAYERS, Layer("learner", Route.REDACTED)]
    assert benchmark(find_loosening, LAYERS, tighter, DEFAULT_VOCABULARY) is None
