"""Approval rules: which of them a change must meet. Adding a rule only tightens; what no rule fits is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical
from edge_runtime.core.approval import (
    CHANGES,
    NOT_APPROVING,
    SETTINGS,
    ApprovalRule,
    ApprovalRules,
    Case,
    When,
    asks_representative,
    keeps_measured,
    parse_rules,
    refuses_empty,
    tightens,
)
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import KINDS, TIERS
from edge_runtime.core.quorum import AllOf, AnyOf, AtLeast, Tree, find_missing
from tests.conftest import examples
from tests.simulator import rules, tier_rules

ROLES = ("compliance", "facilitator", "safety-owner")
PATHS = ("prompt/a", "prompt/a/x", "prompt/b/x", "policy/x")
NEEDS: st.SearchStrategy[Tree] = st.one_of(
    st.sampled_from(ROLES),
    st.builds(AtLeast, st.integers(1, 3), st.sets(st.sampled_from(ROLES), min_size=1).map(sorted).map(tuple)),
    st.permutations(ROLES).map(lambda roles: AllOf(tuple(roles[:2]))),
)


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.sets(st.sampled_from(values), min_size=1, max_size=3).map(sorted).map(tuple))


WHENS = st.builds(
    When,
    some(("R1", "R4")),
    some(("filing", "loosening", "wording")),
    some(("policy", "prompt")),
    some(("prompt/**", "prompt/a/*", "*/x")),
    st.sampled_from([0, 0, 1, 11]),
)
RULES = st.lists(st.tuples(WHENS, NEEDS), min_size=1, max_size=4).map(
    lambda found: ApprovalRules(
        tuple(ApprovalRule(f"r{n}", "b", when, need) for n, (when, need) in enumerate(found)), "compliance"
    )
)
CASES = st.builds(
    Case,
    st.sampled_from(["policy", "prompt", SETTINGS]),
    st.sampled_from(["R1", "R2", "R4"]),
    st.sets(st.sampled_from(["addition", "filing", "loosening", "wording"]), min_size=1).map(frozenset),
    st.sets(st.sampled_from(PATHS), min_size=1, max_size=2).map(frozenset),
    st.sampled_from([1, 10, 11]),
)
SIGNERS = st.lists(st.tuples(st.sampled_from(["p1", "p2", "p3", "p4"]), st.sampled_from(ROLES)), max_size=5)


def is_met(made: ApprovalRules, case: Case, signers: list[tuple[str, str]]) -> bool:
    """Return whether these people may let this change pass."""
    return any(
        all(find_missing(rule.need, signers).people == 0 for rule in chosen) for chosen in made.alternatives(case)
    )


def fits(when: When, case: Case) -> bool:
    """Return whether a rule applies to a known case, from the definition."""
    globs = {"prompt/**": lambda p: p.startswith("prompt/"), "prompt/a/*": lambda p: p == "prompt/a/x"}
    globs["*/x"] = lambda p: p == "policy/x"
    return (
        (not when.tiers or case.tier in when.tiers)
        and (not when.changes or bool(set(when.changes) & set(case.changes or ())))
        and (not when.kinds or case.kind in when.kinds)
        and (not when.paths or any(globs[glob](path) for glob in when.paths for path in case.paths or ()))
        and case.changed >= when.at_least_changed
    )


@examples(60)
@given(RULES, CASES)
def test_the_rules_that_apply_are_those_that_fit(made: ApprovalRules, case: Case) -> None:
    """All that fit by the definition, none else; and none at all is a refusal."""
    fitting = tuple(rule for rule in made.rules if fits(rule.when, case))
    assert made.alternatives(case) == ((fitting,) if fitting else ())


@examples(60)
@given(RULES, RULES, CASES, SIGNERS)
def test_adding_a_rule_only_tightens(
    made: ApprovalRules, more: ApprovalRules, case: Case, signers: list[tuple[str, str]]
) -> None:
    """What the rules let pass before is all that may pass with more of them, where a rule applied before."""
    both = dataclasses.replace(made, rules=(*made.rules, *more.rules))
    if made.alternatives(case) and is_met(both, case, signers):
        assert is_met(made, case, signers)


@examples(40)
@given(RULES, CASES, SIGNERS)
def test_what_is_not_known_is_asked_for_the_least(
    made: ApprovalRules, case: Case, signers: list[tuple[str, str]]
) -> None:
    """A device that missed releases never refuses what a known kind of change and path let pass."""
    if is_met(made, case, signers):
        assert is_met(made, dataclasses.replace(case, changes=None, paths=None), signers)
        assert is_met(made, dataclasses.replace(case, paths=None), signers)
        assert is_met(made, dataclasses.replace(case, changes=None), signers)


@examples(40)
@given(RULES, RULES, CASES, SIGNERS)
def test_rules_that_are_proved_tighter_are(
    before: ApprovalRules, after: ApprovalRules, case: Case, signers: list[tuple[str, str]]
) -> None:
    """Nothing passes the tighter rules that did not pass before; rules are as tight as themselves."""
    assert tightens(before, before)
    for one in (after, dataclasses.replace(before, rules=(*before.rules, *after.rules))):
        if tightens(one, before):
            assert keeps_measured(one, before)
            assert is_met(before, case, signers) or not is_met(one, case, signers)


def test_a_rule_more_is_proved_tighter_where_every_change_was_ruled() -> None:
    """The usual case: a rule for one kind of change beside a rule for each tier."""
    more = ApprovalRule("measured", "b", When(changes=("measured",)), "employee-representative")
    base = rules()
    assert tightens(dataclasses.replace(base, rules=(*base.rules, more)), base)
    assert not tightens(base, dataclasses.replace(base, rules=(*base.rules, more)))
    assert tightens(rules(R2=3), base)
    assert not tightens(rules(R2=1), base)


REPRESENTED = ApprovalRule(
    "measured", "b", When(changes=("measured",)), AllOf(("employee-representative", "compliance"))
)


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (REPRESENTED, True),
        (dataclasses.replace(REPRESENTED, when=When()), True),
        (dataclasses.replace(REPRESENTED, when=When(at_least_changed=1, kinds=KINDS, tiers=TIERS)), True),
        (dataclasses.replace(REPRESENTED, need=AtLeast(1, ("employee-representative", "compliance"))), False),
        (dataclasses.replace(REPRESENTED, need=AnyOf(("employee-representative", "compliance"))), False),
        (dataclasses.replace(REPRESENTED, when=When(changes=("loosening",))), False),
        (dataclasses.replace(REPRESENTED, when=When(at_least_changed=2)), False),
        (dataclasses.replace(REPRESENTED, when=When(kinds=("agreement", "session-type"))), False),
        (dataclasses.replace(REPRESENTED, when=When(tiers=TIERS[1:])), False),
        (dataclasses.replace(REPRESENTED, when=When(paths=("session-type/**",))), False),
    ],
)
def test_what_is_measured_never_changes_without_whoever_represents_people(rule: ApprovalRule, asks: bool) -> None:
    """Rules ask for them in every case, or they do not ask: a tier, kind, folder or size left out is a way around."""
    base = rules()
    assert not asks_representative(base)
    assert asks_representative(dataclasses.replace(base, rules=(*base.rules, rule))) == asks


@examples(30)
@given(RULES)
def test_rules_read_back_as_they_were_written(made: ApprovalRules) -> None:
    """And the probe of V9 finds that nobody alone is enough: an empty set is always refused."""
    assert parse_rules(canonical.encode(made.as_json())) == made
    assert refuses_empty(made)


@pytest.mark.parametrize("broken", [ApprovalRules((), "compliance"), rules()], ids=["no rule", "an empty quorum"])
def test_the_probe_finds_rules_that_refuse_nothing(broken: ApprovalRules) -> None:
    """No rule at all is no rule set; a quorum of nobody is met by nobody, so the probe holds."""
    if broken.rules:
        broken = dataclasses.replace(broken, emergency=AtLeast(0, ()))
        assert refuses_empty(broken)
    else:
        assert not refuses_empty(broken)


GLOBS = {
    "prompt/*": ({"prompt/a"}, {"prompt/a/b", "policy/a"}),
    "prompt/**": ({"prompt/a", "prompt/a/b"}, {"prompts/a", "policy/prompt/a"}),
    "**/hand-*": ({"handoff/hand-off", "prompt/a/b/hand-x"}, {"hand-off", "prompt/a"}),
    "session-type/sessions/micro*": ({"session-type/sessions/micro-session.de"}, {"session-type/sessions/x/micro"}),
    "prompt/a.b": ({"prompt/a.b"}, {"prompt/aXb", "prompt/aab"}),
}


@pytest.mark.parametrize("glob", GLOBS)
def test_paths_match_as_globs_do(glob: str) -> None:
    """A star stays within its part, two stars cross parts, and nothing else is special."""
    yes, no = GLOBS[glob]
    for path in (*yes, *no):
        case = Case("prompt", "R0", frozenset({"wording"}), frozenset({path}), 1)
        assert When(paths=(glob,)).fits_path(case) == (path in yes)


def put(path: str, value: object) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        *above, last = path.split(".")
        for part in above:
            document = document[int(part) if part.isdigit() else part]
        document[int(last) if last.isdigit() else last] = value

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        put("format", "mentorplane-approval-rules/1"),
        put("name", "other"),
        put("rules", []),
        put("rules.1.id", "r0"),
        put("rules.0.because", " "),
        put("rules.0.because", "two\nlines"),
        put("rules.0.when", {"tiers": []}),
        put("rules.0.when", {"tiers": ["R5"]}),
        put("rules.0.when", {"tiers": ["R0", "R0"]}),
        put("rules.0.when", {"changes": ["other"]}),
        put("rules.0.when", {"kinds": ["cases"]}),
        put("rules.0.when", {"paths": ["/prompt"]}),
        put("rules.0.when", {"paths": ["prompt/a**"]}),
        put("rules.0.when", {"paths": ["prompt/(a)"]}),
        put("rules.0.when", {"paths": ["*a*a*a*a*a/b"]}),
        put("rules.0.when", {"at_least_changed": 0}),
        put("rules.0.when", {"unless": ["R0"]}),
        put("rules.0.need", {"at_least": 0, "of": ["compliance"]}),
        put("rules.0.need", []),
        put("emergency", {}),
        put("emergency", "author"),
        put("grant_days", 0),
        put("review_due_days", 91),
        put("more", 1),
        lambda document: document.pop("emergency"),
        *(put("rules.0.need", {"all_of": ["compliance", role]}) for role in NOT_APPROVING),
    ],
)
def test_rules_that_say_nothing_or_too_much_are_refused(edit: Callable[[Any], None]) -> None:
    """Empty lists, unknown words, negations, roles in which nobody approves, quorums of nobody."""
    document = json.loads(canonical.encode(rules().as_json()))
    edit(document)
    with pytest.raises(InvalidDocument):
        parse_rules(canonical.encode(document))


def test_every_word_that_a_rule_may_use_is_taken() -> None:
    """All tiers, kinds of change and kinds of content, the release's settings among them."""
    when = When(TIERS, CHANGES, (*KINDS, SETTINGS), ("**",), 1)
    made = tier_rules({}, ApprovalRule("all", "b", when, "compliance"))
    assert parse_rules(canonical.encode(made.as_json())) == made
