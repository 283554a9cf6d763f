"""The decision: a monotone function that never raises and that a second implementation confirms."""

from __future__ import annotations

import random
from collections import UserDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Condition,
    Context,
    Decision,
    Layer,
    Reason,
    Route,
    Rule,
    compile_policy,
    decide,
    least_context,
)
from tests.conftest import examples
from tests.core.policy.policy_world import (
    ROUTES,
    SMALL,
    Document,
    all_contexts,
    at_or_above,
    build,
    layers_documents,
    random_layers,
    reference_decision,
    rule_documents,
)

CONTEXTS = all_contexts()


def tighter_or_same(tight: Decision, loose: Decision) -> bool:
    """Return whether `tight` allows no more and obliges to no less than `loose`."""
    return tight.route <= loose.route and set(loose.obligations) <= set(tight.obligations)


def test_compiled_decision_is_the_reference_decision() -> None:
    """Over every context of a small world, the compiled policy decides as the rules read aloud do."""
    draw = random.Random(5)
    for _ in range(150):
        documents = random_layers(draw)
        policy = compile_policy(build(documents), SMALL)
        assert policy.errors == ()
        for context in CONTEXTS:
            decision = policy.decide(context)
            route, obligations, deciding = reference_decision(documents, context)
            assert (str(decision.route), set(decision.obligations)) == (ROUTES[route], obligations)
            assert {(reason.layer, reason.rule) for reason in decision.rules} == deciding
            assert decision.errors == ()


@examples(60)
@given(layers_documents, st.sampled_from(CONTEXTS))
def test_more_sensitivity_or_less_permission_never_loosens(documents: list[Document], context: Context) -> None:
    """Every context above another gets a route no higher, and every obligation of it."""
    policy = compile_policy(build(documents), SMALL)
    low = policy.decide(context)
    assert all(tighter_or_same(policy.decide(high), low) for high in at_or_above(context))


@examples(100)
@given(layers_documents, st.randoms(use_true_random=False), st.sampled_from(CONTEXTS))
def test_order_changes_nothing(documents: list[Document], shuffler: random.Random, context: Context) -> None:
    """Layers and rules in any order give the same decision, down to the order of what is reported."""
    decision = decide(build(documents), context, SMALL)
    shuffled = [{**layer, "rules": shuffler.sample(layer["rules"], len(layer["rules"]))} for layer in documents]
    shuffler.shuffle(shuffled)
    assert decide(build(shuffled), context, SMALL) == decision
    for reported in (decision.rules, decision.obliged_by):
        assert list(reported) == sorted(reported, key=lambda reason: (reason.layer, reason.rule))
    assert list(decision.obligations) == sorted(set(decision.obligations))


@examples(100)
@given(layers_documents, layers_documents, rule_documents, st.sampled_from(CONTEXTS))
def test_another_rule_or_layer_only_tightens(
    documents: list[Document], others: list[Document], rule: Document, context: Context
) -> None:
    """Adding a rule to a layer, or layers to layers, never allows more nor obliges to less."""
    decision = decide(build(documents), context, SMALL)
    first, *rest = documents
    with_rule = [{**first, "rules": [*first["rules"], rule]}, *rest]
    assert tighter_or_same(decide(build(with_rule), context, SMALL), decision)
    assert tighter_or_same(decide([*build(documents), *build(others)], context, SMALL), decision)


@examples(50)
@given(layers_documents, st.sampled_from(CONTEXTS))
def test_not_assessed_counts_as_highest(documents: list[Document], context: Context) -> None:
    """`None`, an absent attribute and the highest value of each sensitivity are one and the same."""
    policy = compile_policy(build(documents), SMALL)
    highest: dict[str, Any] = {"labels": frozenset({"health", "legal"}), "tier": "R2"}
    for name, top in highest.items():
        others = {other: value for other, value in context.sensitivities.items() if other != name}
        decisions = [
            policy.decide(Context(sensitivities, context.permissions))
            for sensitivities in ({**others, name: top}, {**others, name: None}, others)
        ]
        assert decisions[0] == decisions[1] == decisions[2]


@examples(50)
@given(layers_documents, st.sampled_from(CONTEXTS))
def test_unknown_permission_is_missing(documents: list[Document], context: Context) -> None:
    """A permission that is absent, unknown or out of range gives what the lowest one gives."""
    policy = compile_policy(build(documents), SMALL)
    sensitivities, permissions = context.sensitivities, context.permissions
    lowest = policy.decide(Context(sensitivities, {"consents": frozenset(), "agreement": 0}))
    unknowns: list[dict[str, Any]] = [
        {},
        {"consents": None, "agreement": None},
        {"consents": frozenset({"moon"}), "agreement": 7},
    ]
    for unknown in unknowns:
        assert policy.decide(Context(sensitivities, unknown)) == lowest
    assert policy.decide(Context(sensitivities, {**permissions, "moon": "full"})) == policy.decide(context)


LAX = [
    Layer(
        "organisation",
        Route.CLOUD,
        (Rule("log", "because", (Condition("labels", "any_of", ("legal",)),), Route.CLOUD, ("no-telemetry",)),),
    )
]
CALM: dict[str, Any] = {"labels": frozenset[str](), "tier": "R0"}
FULL: dict[str, Any] = {"consents": frozenset({"analytics", "cloud"}), "agreement": 2}


class Odd(str):
    """A text that refuses to be looked at."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash("labels")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("never looked at")


@pytest.mark.parametrize(
    "context",
    [
        None,
        "labels",
        {},
        Context(None, {}),  # type: ignore[arg-type]
        Context({}, None),  # type: ignore[arg-type]
        Context(["labels"], {}),  # type: ignore[arg-type]
        Context({**CALM, "mood": "low"}, FULL),
        Context({**CALM, "mood": None}, FULL),
        Context({**CALM, "consents": frozenset({"cloud"})}, FULL),
        Context({**CALM, 7: "R0"}, FULL),  # type: ignore[dict-item]
        Context({"tier": "R0", Odd("labels"): frozenset()}, FULL),
        Context({**CALM, "tier": "R9"}, FULL),
        Context({**CALM, "tier": 0}, FULL),
        Context({**CALM, "tier": frozenset({"R0"})}, FULL),
        Context({**CALM, "labels": frozenset({"weather"})}, FULL),
        Context({**CALM, "labels": frozenset({"health", "weather"})}, FULL),
        Context({**CALM, "labels": frozenset({1})}, FULL),  # type: ignore[arg-type]
        Context({**CALM, "labels": frozenset({Odd("health")})}, FULL),
        Context({**CALM, "labels": "health"}, FULL),
        Context({**CALM, "labels": {"health"}}, FULL),  # type: ignore[dict-item]
        Context({**CALM, "labels": ["health"]}, FULL),  # type: ignore[dict-item]
        Context(CALM, {**FULL, "agreement": True}),
        Context(CALM, {**FULL, "agreement": "2"}),
        Context(CALM, {**FULL, "agreement": 2.0}),  # type: ignore[dict-item]
        Context(CALM, {**FULL, "consents": "cloud"}),
        Context(CALM, {**FULL, "consents": ("cloud",)}),  # type: ignore[dict-item]
        Context(CALM, {**FULL, "consents": frozenset({None})}),  # type: ignore[arg-type]
    ],
)
def test_the_malformed_and_the_unknown_block(context: Any) -> None:
    """What nobody can mean is blocked with every obligation and a listed error, and never raises."""
    policy = compile_policy(LAX, SMALL)
    assert policy.decide(Context(CALM, FULL)).route is Route.CLOUD
    decision = policy.decide(context)
    assert decision.route is Route.BLOCK
    assert decision.obligations == ("no-telemetry",)
    assert decision.rules == ()
    assert len(decision.errors) == 1
    assert policy.decide(Context(CALM, FULL)).route is Route.CLOUD


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["health", "R1"])


@examples(200)
@given(scalars | st.lists(scalars) | st.sets(scalars) | st.frozensets(scalars) | st.dictionaries(scalars, scalars))
def test_no_value_makes_decide_raise(value: Any) -> None:
    """Whatever stands where a value should, the answer is a decision and repeats nothing of the value."""
    policy = compile_policy(LAX, SMALL)
    for context in (
        Context({"labels": value}, FULL),
        Context({"tier": value}, FULL),
        Context(CALM, {"consents": value, "agreement": value}),
        Context({"anything": value}, FULL),
    ):
        decision = policy.decide(context)
        assert decision.errors == () or decision.route is Route.BLOCK
    assert policy.decide(value).route is Route.BLOCK


def test_errors_repeat_no_text() -> None:
    """A text that strays into a context is not repeated in the error."""
    policy = compile_policy(LAX, SMALL)
    secret = "Priya is leaving in May"
    for context in (
        Context({secret: secret}, FULL),
        Context({"labels": frozenset({secret}), "tier": "R0"}, FULL),
        Context({"labels": frozenset[str](), "tier": secret}, FULL),
        Context(CALM, {"agreement": secret, "consents": frozenset()}),
    ):
        decision = policy.decide(context)
        assert decision.errors
        assert "Priya" not in repr(decision)


def test_no_layer_blocks() -> None:
    """Without a layer nothing is allowed, and neither is with something that is no list of layers."""
    nothing: list[Any] = [[], (), None, 7]
    for layers in nothing:
        decision = decide(layers, Context(CALM, FULL), SMALL)
        assert decision == Decision(Route.BLOCK, (), (), (), ("expected at least one layer, got none",))


GOOD = Condition("labels", "any_of", ("health",))


@pytest.mark.parametrize(
    "broken",
    [
        "rule",
        Rule("x", "because", (Condition("labels", "at_least", ("health",)),), Route.CLOUD),
        Rule("x", "because", (Condition("mood", "any_of", ("low",)),), Route.CLOUD),
        Rule("x", "because", (Condition("labels", "any_of", ()),), Route.CLOUD),
        Rule("x", "because", (Condition("tier", "at_least", ("R1", "R2")),), Route.CLOUD),
        Rule("x", "because", (Condition("labels", "any_of", ("weather",)),), Route.CLOUD),
        Rule("x", "because", (Condition("labels", "any_of", ["health"]),), Route.CLOUD),  # type: ignore[arg-type]
        Rule("x", "because", (GOOD, GOOD), Route.CLOUD),
        Rule("x", "because", (GOOD, "tier"), Route.CLOUD),  # type: ignore[arg-type]
        Rule("x", "because", [GOOD], Route.CLOUD),  # type: ignore[arg-type]
        Rule("x", "because", (GOOD,), 3),  # type: ignore[arg-type]
        Rule("x", "because", (GOOD,), Route.CLOUD, ["no-telemetry"]),  # type: ignore[arg-type]
        Rule("x", "because", (GOOD,), Route.CLOUD, (None,)),  # type: ignore[arg-type]
        Rule("ceiling", "because", (GOOD,), Route.CLOUD),
        Rule("x", "", (GOOD,), Route.CLOUD),
        Rule(None, "because", (GOOD,), Route.CLOUD),  # type: ignore[arg-type]
    ],
)
def test_a_rule_that_fails_blocks(broken: Any) -> None:
    """A rule that the vocabulary cannot express blocks every context, and its error is listed."""
    policy = compile_policy([*LAX, Layer("device", Route.CLOUD, (broken,))], SMALL)
    assert len(policy.errors) == 1
    decision = policy.decide(Context(CALM, FULL))
    assert (decision.route, decision.errors) == (Route.BLOCK, policy.errors)


@pytest.mark.parametrize("broken", [None, "layer", Layer("x", "cloud"), Layer("x", Route.CLOUD, None), Layer(3, 3)])  # type: ignore[arg-type]
def test_a_layer_that_fails_blocks(broken: Any) -> None:
    """Something else in the place of a layer blocks every context."""
    decision = decide([*LAX, broken], Context(CALM, FULL), SMALL)
    assert decision.route is Route.BLOCK
    assert decision.errors == ("expected a layer of a name, a ceiling and rules, got something else",)


def test_the_decision_names_what_set_the_route_and_what_obliged() -> None:
    """A rule that obliges without setting the route is listed apart from those that set it."""
    rule = Rule("stay", "health is special", (GOOD,), Route.DEVICE)
    policy = compile_policy([*LAX, Layer("prompt", Route.DEVICE, (rule,))], SMALL)
    decision = policy.decide(Context({"labels": frozenset({"health", "legal"}), "tier": "R0"}, FULL))
    assert decision == Decision(
        Route.DEVICE,
        ("no-telemetry",),
        (
            Reason("prompt", "ceiling", "the layer goes no further than device"),
            Reason("prompt", "stay", "health is special"),
        ),
        (Reason("organisation", "log", "because"),),
    )


def test_a_context_owns_its_values() -> None:
    """Changing the mapping a context was made from, whatever its type, changes no decision."""
    given: UserDict[str, Any] = UserDict({"labels": frozenset[str](), "tier": "R0"})
    context = Context(given, FULL)
    given["labels"] = frozenset({"legal"})
    assert compile_policy(LAX, SMALL).decide(context).obligations == ()


def test_remembered_values_stay_bounded() -> None:
    """A stream of unknown consents fills no memory beyond the bound, and decides alike throughout."""
    policy = compile_policy(LAX, SMALL)
    lowest = policy.decide(Context(CALM, {}))
    assert all(
        policy.decide(Context(CALM, {"consents": frozenset({f"c{number}"})})) == lowest for number in range(3000)
    )
    ((_, consents),) = [entry for entry in policy._permissions if entry[0] == "consents"]
    assert len(consents) <= 1024


def test_routes_are_ordered_and_print_their_names() -> None:
    """The order is block, device, redacted, cloud, and `print` shows the word."""
    assert [str(route) for route in sorted(Route)] == list(ROUTES)


def test_every_value_of_the_default_vocabulary_is_known() -> None:
    """Each value of each attribute of the default vocabulary can be decided on without an error."""
    policy = compile_policy(LAX, DEFAULT_VOCABULARY)
    for attribute in DEFAULT_VOCABULARY.attributes:
        for value in attribute.values:
            shape: Any = value if attribute.ordered else frozenset({value})
            assert policy.decide(least_context(DEFAULT_VOCABULARY, {attribute.name: shape})).errors == ()
