"""Diffs by meaning: of policies, contracts, approval rules, and of what is measured."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.diffs.meaning import Meaning, meaning_of
from edge_runtime.core.approval import APPROVING, Case, parse_rules
from edge_runtime.core.canonical import encode
from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Condition,
    Layer,
    Policy,
    Route,
    Rule,
    compile_policy,
    encode_policy,
    least_context,
)
from edge_runtime.core.quorum import find_missing
from tests.policy.scripts import TEXT, closure

DAYS = {"proposal_expires_days": 60, "checks_fresh_days": 14, "grant_days": 56, "review_due_days": 7}
TWO = {"at_least": 2, "of": ["facilitator", "learning-designer"]}


def policy(at_most: Route) -> bytes:
    """Return a policy in which health goes so far at most."""
    health = Rule("health-stays", "health is special", (Condition("labels", "any_of", ("health",)),), at_most)
    return encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD, (health,))))


def rules(*given: dict[str, Any], **changed: Any) -> bytes:
    """Return approval rules."""
    listed = [{"id": f"rule-{n}", "because": "it matters", **rule} for n, rule in enumerate(given)]
    return encode(
        {
            "format": "mentorplane-approval-rules/2",
            "name": "approval-rules",
            "rules": listed,
            "emergency": TWO,
            **DAYS,
            **changed,
        }
    )


def of_rules(before: bytes, after: bytes) -> list[tuple[str, str]]:
    """Return what a change of approval rules means."""
    return [(one.effect, one.sentence) for one in meaning_of(("approval-rules", "approval-rules"), before, after)]


def test_a_loosening_comes_with_its_exact_situation() -> None:
    """The sentence and the example are about one situation, in which the two policies really decide differently."""
    before, after = policy(Route.DEVICE), policy(Route.REDACTED)
    [one] = meaning_of(("policy", "organisation"), before, after)
    assert one.effect == "loosens"
    assert one.sentence.startswith("a text about health, with every consent given")
    assert one.example is not None
    assert (one.example["before"]["route"], one.example["after"]["route"]) == ("device", "redacted")
    labels = frozenset(one.example["sensitivities"]["labels"])
    for given, route in ((Route.DEVICE, Route.DEVICE), (Route.REDACTED, Route.REDACTED)):
        rule = Rule("health-stays", "x", (Condition("labels", "any_of", ("health",)),), given)
        compiled = compile_policy([Layer("organisation", Route.CLOUD, (rule,))], DEFAULT_VOCABULARY)
        assert compiled.decide(least_context(DEFAULT_VOCABULARY, {"labels": labels})).route == route


def test_a_tightening_is_told_too() -> None:
    """The other way round, the same situation is told as tighter."""
    [one] = meaning_of(("policy", "organisation"), policy(Route.REDACTED), policy(Route.DEVICE))
    assert one.effect == "tightens"


def test_a_contract_tells_both_directions() -> None:
    """A new required input breaks old callers, and an old prompt breaks callers of the new one."""
    new = closure(inputs={"work": TEXT, "when": TEXT})
    found = meaning_of(("prompt", "opener"), closure(), new)
    assert {one.effect for one in found} == {"breaks"}
    assert [one.sentence.partition(":")[0] for one in found] == ["backward", "forward"]
    assert [one.example for one in found] == [{"work": ""}, {"when": "", "work": ""}]


def test_words_mean_nothing_by_themselves() -> None:
    """Where only texts change, or the entry is new or gone, there is no sentence: the words are told word by word."""
    assert meaning_of(("prompt", "opener"), closure(), closure(fallback="Another question?")) == ()
    assert meaning_of(("prompt", "opener"), None, closure()) == ()
    assert meaning_of(("prompt", "opener"), closure(), None) == ()


def test_fewer_people_are_told_with_the_situation() -> None:
    """One person instead of two, for one tier alone, is told as asking for less, there and nowhere else."""
    everywhere = {"when": {}, "need": "compliance"}
    before = rules(everywhere, {"when": {"tiers": ["R3"]}, "need": TWO})
    after = rules(everywhere, {"when": {"tiers": ["R3"]}, "need": "facilitator"})
    [(effect, sentence)] = of_rules(before, after)
    assert effect == "asks-less"
    assert sentence == (
        "a change of tier R3: before compliance and also 2 of facilitator, learning-designer, "
        "now compliance and also facilitator"
    )
    [(effect, _)] = of_rules(after, before)
    assert effect == "asks-more"


def test_other_people_are_neither_more_nor_fewer() -> None:
    """Another role in the place of one is told as asking for others."""
    [(effect, _)] = of_rules(rules({"when": {}, "need": "compliance"}), rules({"when": {}, "need": "safety-owner"}))
    assert effect == "asks-otherwise"


@pytest.mark.parametrize(
    ("after", "effect"),
    [
        (rules({"when": {"changes": ["wording"]}, "need": TWO}), "asks-more"),
        (rules({"when": {}, "need": TWO}, emergency="facilitator"), "asks-less"),
        (rules({"when": {}, "need": TWO}, checks_fresh_days=30), "asks-less"),
        (rules({"when": {}, "need": TWO}, grant_days=7), "asks-more"),
        (rules({"when": {}, "need": TWO}, compatibility="none"), "asks-less"),
        (rules({"when": {}, "need": TWO}, compatibility="full"), "asks-more"),
        (rules({"when": {}, "need": TWO}, {"when": {"at_least_changed": 5}, "need": "compliance"}), "asks-more"),
        (
            rules({"when": {}, "need": TWO}, {"when": {"paths": ["prompt/safety/**"]}, "need": "compliance"}),
            "asks-more",
        ),
    ],
)
def test_each_part_of_the_rules_is_compared(after: bytes, effect: str) -> None:
    """Rules by change, by size and by path, the emergency, and how long things hold."""
    [(got, sentence)] = of_rules(rules({"when": {}, "need": TWO}), after)
    assert got == effect, sentence


def test_what_is_told_about_rules_is_so_by_their_own_functions() -> None:
    """In a situation that is told, a set of signatures that met the rules meets them no longer, or the reverse."""
    before = rules({"when": {}, "need": TWO}, {"when": {"kinds": ["policy"]}, "need": "compliance"})
    after = rules({"when": {}, "need": TWO})
    [(effect, sentence)] = of_rules(before, after)
    assert (effect, "of kind policy" in sentence) == ("asks-less", True)
    case = Case("policy", "R4", frozenset({"wording"}), frozenset({"policy/organisation"}), 1)
    signed = [("a", "facilitator"), ("b", "learning-designer")]
    met = []
    for data in (before, after):
        [fitting] = parse_rules(data).alternatives(case)
        met.append(all(find_missing(rule.need, signed).people == 0 for rule in fitting))
    assert met == [False, True]
    assert set(APPROVING) >= {"facilitator", "learning-designer"}


def test_the_same_rules_written_otherwise_mean_the_same() -> None:
    """What is only said in another way is not told."""
    written = rules({"when": {}, "need": {"at_least": 1, "of": ["compliance"]}})
    otherwise = rules({"when": {}, "need": "compliance"})
    assert of_rules(written, otherwise) == []


def test_more_that_is_measured_is_told() -> None:
    """Who sees it, from how many people on, how long it is kept: each that goes further is told."""

    def agreement(**changed: Any) -> bytes:
        measure = {
            "id": "sessions",
            "what": "how many sessions took place",
            "why": "to plan",
            "seen_by": ["facilitator"],
            "from_people": 5,
            "keep_days": 30,
            **changed,
        }
        return encode({"measures": [measure]})

    key = ("agreement", "mentoring")
    [more] = meaning_of(key, agreement(), agreement(from_people=1))
    assert (more.effect, more.sentence) == (
        "measures-more",
        "how many sessions took place: it would be shown from 1 people on, not from 5",
    )
    [less] = meaning_of(key, agreement(), encode({"measures": []}))
    assert less == Meaning(
        *key, "measures-less", "how many sessions took place: it is measured no longer", less.example
    )
