"""Does B loosen A: the comparison agrees with brute force over every context, both ways."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given

from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Condition,
    Layer,
    Policy,
    Route,
    Rule,
    check_blocks_the_impossible,
    compare,
    compile_policy,
    describe_changes,
    find_loosening,
    find_loosenings,
    find_tightenings,
    impossible_contexts,
    least_context,
    least_contexts,
    read_rules,
    read_vocabulary,
    worst_route_with,
)
from tests.conftest import drawn, examples
from tests.core.policy.policy_world import (
    SMALL,
    SMALL_DOCUMENT,
    Document,
    all_contexts,
    at_or_above,
    build,
    changed_layers,
    holds,
    layers_documents,
    random_layers,
    reference_decision,
)

PAIRS = 1000
CONTEXTS = all_contexts(unassessed=False)  # a sensitivity that nobody assessed decides as the highest one does


@cache
def _where(name: str, operator: str, operand: Any) -> tuple[bool, ...]:
    test = {operator: list(operand) if isinstance(operand, tuple) else operand}
    return tuple(holds(name, test, context) for context in CONTEXTS)


def _everywhere(layers: list[Document]) -> list[tuple[int, frozenset[str]]]:
    """Return route and obligations at every context, one after the other."""
    bounds = [min((["block", "device", "redacted", "cloud"].index(layer["ceiling"]) for layer in layers), default=0)]
    routes, obligations = bounds * len(CONTEXTS), [frozenset[str]()] * len(CONTEXTS)
    for rule in (rule for layer in layers for rule in layer["rules"]):
        bound = ["block", "device", "redacted", "cloud"].index(rule["at_most"])
        tests = [
            _where(name, operator, tuple(operand) if isinstance(operand, list) else operand)
            for name, test in rule["when"].items()
            for operator, operand in test.items()
        ]
        for place in range(len(CONTEXTS)):
            if all(test[place] for test in tests):
                routes[place] = min(routes[place], bound)
                obligations[place] = obligations[place] | frozenset(rule.get("require", []))
    return list(zip(routes, obligations, strict=True))


def _loosens(before: list[Document], after: list[Document]) -> bool:
    pairs = zip(_everywhere(before), _everywhere(after), strict=True)
    return any(new[0] > old[0] or not old[1] <= new[1] for old, new in pairs)


@pytest.mark.hypothesis
def test_the_answer_agrees_with_brute_force() -> None:
    """On 1,000 layered pairs no loosening is missed, none is false, and each counter-example really is one."""
    draw = random.Random(20250301)
    loosened = 0
    pairs = drawn(PAIRS)
    for number in range(pairs):
        before = random_layers(draw)
        after = changed_layers(draw, before) if number % 4 else random_layers(draw)
        found = find_loosening(build(before), build(after), SMALL)
        assert (found is not None) == _loosens(before, after), (before, after)
        if found is not None:
            loosened += 1
            assert found.context is not None
            old, old_obligations, _ = reference_decision(before, found.context)
            new, new_obligations, _ = reference_decision(after, found.context)
            assert new > old if found.because == "route" else not old_obligations <= new_obligations
    assert pairs / 5 < loosened < pairs * 4 / 5, "the pairs must try both answers"


@examples(100)
@given(layers_documents, layers_documents)
def test_every_change_is_one_and_tightening_is_loosening_backwards(
    before: list[Document], after: list[Document]
) -> None:
    """All changes are real, the first loosening comes first, and swapping the policies swaps the lists."""
    old, new = build(before), build(after)
    both, back = compare(old, new, SMALL), compare(new, old, SMALL)
    assert [c.context for c in both.tightenings] == [c.context for c in back.loosenings]
    assert both.loosenings == find_loosenings(old, new, SMALL)
    assert both.tightenings == find_tightenings(old, new, SMALL)
    assert find_loosening(old, new, SMALL) == next(iter(both.loosenings), None)
    for change in (*both.loosenings, *both.tightenings):
        assert change.context is not None
        assert change.before is not None
        assert change.after is not None
        assert change.before == compile_policy(old, SMALL).decide(change.context)
        assert change.after == compile_policy(new, SMALL).decide(change.context)


@examples(50)
@given(layers_documents)
def test_a_policy_does_not_loosen_itself_nor_by_another_layer(documents: list[Document]) -> None:
    """The same policy, and the policy with a layer more, loosen nothing."""
    layers = build(documents)
    assert find_loosening(layers, layers[::-1], SMALL) is None
    assert find_loosening(layers, [*layers, Layer("learner", Route.DEVICE)], SMALL) is None


@examples(100)
@given(layers_documents)
def test_a_rule_holds_exactly_above_its_least_contexts(documents: list[Document]) -> None:
    """A rule matches a context if and only if one of its least contexts is that context or lies below it."""
    for document in (rule for layer in documents for rule in layer["rules"]):
        (rule,) = read_rules([document], SMALL)
        above = [context for least in least_contexts(rule, SMALL) for context in at_or_above(least)]
        for context in CONTEXTS:
            matches = all(holds(name, test, context) for name, test in document["when"].items())
            assert matches == (context in above)


HEALTH = Condition("labels", "any_of", ("health",))
STAY = Rule("stay", "health is special", (HEALTH,), Route.DEVICE, ("no-telemetry",))
ORGANISATION = Layer("organisation", Route.CLOUD, (STAY,))


def test_the_counter_example_is_a_sentence() -> None:
    """A rule moved from the device to redaction is shown to an approver in words."""
    moved = Layer("organisation", Route.CLOUD, (Rule("stay", "x", (HEALTH,), Route.REDACTED, ("no-telemetry",)),))
    found = find_loosening([ORGANISATION], [moved], DEFAULT_VOCABULARY)
    assert found is not None
    assert found.because == "route"
    assert found.sentence == (
        "a text about health, with every consent given: before it stayed on the device; "
        "now it may leave after redaction"
    )


def test_a_dropped_obligation_loosens() -> None:
    """The same route with an obligation less is a loosening of its own kind, and a tightening backwards."""
    bare = Layer("organisation", Route.CLOUD, (Rule("stay", "x", (HEALTH,), Route.DEVICE),))
    (found,) = find_loosenings([ORGANISATION], [bare], DEFAULT_VOCABULARY)
    assert found.because == "obligations"
    assert found.sentence.endswith(
        "before it stayed on the device, with no-telemetry; now it stays on the device, with no obligation"
    )
    (back,) = find_tightenings([bare], [ORGANISATION], DEFAULT_VOCABULARY)
    assert back.because == "obligations"
    assert find_loosening([bare], [ORGANISATION], DEFAULT_VOCABULARY) is None


def test_dropping_the_last_layer_loosens_nothing_but_obligations() -> None:
    """No layer blocks everything, so it can lose an obligation but never allow more."""
    (found,) = find_loosenings([ORGANISATION], [], DEFAULT_VOCABULARY)
    assert found.because == "obligations"
    assert find_loosening([Layer("organisation", Route.CLOUD)], [], DEFAULT_VOCABULARY) is None
    assert find_loosening([], [Layer("organisation", Route.DEVICE)], DEFAULT_VOCABULARY) is not None


def test_repairing_a_broken_policy_loosens() -> None:
    """A policy with an error blocks everything, so the repaired one allows more; breaking one never does."""
    broken = Layer(
        "organisation", Route.CLOUD, (Rule("x", "r", (Condition("mood", "any_of", ("low",)),), Route.CLOUD),)
    )
    assert find_loosening([broken], [Layer("organisation", Route.DEVICE)], SMALL) is not None
    assert find_loosening([Layer("organisation", Route.DEVICE)], [broken], SMALL) is None


@pytest.mark.parametrize(
    ("edit", "phrase"),
    [
        ({"labels": {"set": ["health", "legal", "grief"]}}, "labels takes other values"),
        ({"tier": {"levels": ["R1", "R0", "R2"]}}, "tier takes other values"),
        ({"mood": {"levels": ["fine", "low"]}}, "mood is added"),
        ({"tier": None}, "tier is removed"),
    ],
)
def test_a_change_of_vocabulary_loosens(edit: Document, phrase: str) -> None:
    """Whatever changes in the words is reported first, as a loosening with a reason of its own."""
    sensitivities = {**SMALL_DOCUMENT["sensitivities"], **edit}
    sensitivities = {name: form for name, form in sensitivities.items() if form}
    changed = read_vocabulary({**SMALL_DOCUMENT, "sensitivities": sensitivities})
    layers = [Layer("organisation", Route.CLOUD, (STAY,))]
    found = find_loosening(layers, layers, SMALL, after_vocabulary=changed)
    assert found is not None
    assert (found.because, found.context) == ("vocabulary", None)
    assert phrase in found.sentence


def test_the_order_of_a_set_means_nothing() -> None:
    """Listing the values of a set in another order is no change of the vocabulary."""
    sensitivities = {**SMALL_DOCUMENT["sensitivities"], "labels": {"set": ["legal", "health"]}}
    reordered = read_vocabulary({**SMALL_DOCUMENT, "sensitivities": sensitivities})
    assert describe_changes(SMALL, reordered) == ()


def test_a_removed_permission_still_shows_what_it_lets_out() -> None:
    """A rule that goes together with its permission is shown by a context, besides the vocabulary."""
    smaller = read_vocabulary({**SMALL_DOCUMENT, "permissions": {"agreement": {"maximum": 2}}})
    rule = Rule("ask", "r", (Condition("consents", "missing_any_of", ("cloud",)),), Route.DEVICE)
    before, after = Layer("organisation", Route.CLOUD, (rule,)), Layer("organisation", Route.CLOUD)
    first, second = find_loosenings([before], [after], SMALL, after_vocabulary=smaller)
    assert (first.because, second.because) == ("vocabulary", "route")


def test_can_a_crisis_ever_leave() -> None:
    """The question is answered at the least context, where the policy is loosest."""
    crisis = Rule("crisis", "a person first", (Condition("crisis", "at_least", ("crisis",)),), Route.DEVICE)
    layers = [Layer("organisation", Route.CLOUD, (crisis,))]
    assert worst_route_with(layers, DEFAULT_VOCABULARY, {"crisis": "crisis"}).route is Route.DEVICE
    assert worst_route_with(layers, DEFAULT_VOCABULARY, {"crisis": "low_mood"}).route is Route.CLOUD
    assert worst_route_with(layers, DEFAULT_VOCABULARY, {}).route is Route.CLOUD
    both: dict[str, Any] = {"crisis": "crisis", "labels": frozenset({"health"})}
    assert worst_route_with([*layers, ORGANISATION], DEFAULT_VOCABULARY, both).obligations == ("no-telemetry",)


@examples(50)
@given(layers_documents)
def test_no_context_with_a_sensitivity_beats_its_worst_route(documents: list[Document]) -> None:
    """Enumerated: what `worst_route_with` says is reached, and nothing with that sensitivity goes further."""
    layers = build(documents)
    policy = compile_policy(layers, SMALL)
    for wanted in ("R1", "R2"):
        worst = worst_route_with(layers, SMALL, {"tier": wanted}).route
        assert worst == max(
            policy.decide(context).route for context in CONTEXTS if str(context.sensitivities["tier"]) >= wanted
        )


@pytest.mark.parametrize(
    "asked",
    [{"crysis": "crisis"}, {"crisis": "crysis"}, {"labels": "health"}, {"consents": frozenset()}, {"crisis": 2}],
)
def test_a_misspelled_question_is_refused(asked: Any) -> None:
    """A question about nothing would get a reassuring answer, so it gets none."""
    with pytest.raises(ValueError, match="expected sensitivities of the vocabulary"):
        worst_route_with([ORGANISATION], DEFAULT_VOCABULARY, asked)


def test_the_impossible_is_blocked() -> None:
    """Check V9: the laxest policy there is still blocks each probe, and lists an error, which is why."""
    lax = Layer("organisation", Route.CLOUD)
    assert check_blocks_the_impossible(Policy(DEFAULT_VOCABULARY, lax))
    policy = compile_policy([lax], DEFAULT_VOCABULARY)
    probes = impossible_contexts(DEFAULT_VOCABULARY)
    assert len(probes) == 8
    assert all(policy.decide(probe).errors for probe in probes)
    assert policy.decide(least_context(DEFAULT_VOCABULARY)).route is Route.CLOUD


def test_the_probes_refute_an_evaluator_that_ignores_the_unknown() -> None:
    """If decisions forgot what they do not know, the check would say so."""
    policy = compile_policy([Layer("organisation", Route.CLOUD)], DEFAULT_VOCABULARY)
    calm = least_context(DEFAULT_VOCABULARY)
    for probe in impossible_contexts(DEFAULT_VOCABULARY):
        forgotten = {name: calm.sensitivities[name] for name in probe.sensitivities if name in calm.sensitivities}
        assert policy.decide(type(probe)(forgotten, probe.permissions)).route is Route.CLOUD
