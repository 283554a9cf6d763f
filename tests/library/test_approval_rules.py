"""The approval rules of the library: they apply to every change, and ask those who answer for it."""

from __future__ import annotations

import pytest

from control_plane.sources.closures import freeze
from edge_runtime.core.approval import CHANGES, SETTINGS, Case, parse_rules
from edge_runtime.core.manifest import KINDS, TIERS
from edge_runtime.core.quorum import Missing, find_missing, roles_of
from tests.starter import LIBRARY

RULES = parse_rules(freeze(next(source for source in LIBRARY if source.kind == "approval-rules"), ()))


def _fewest(case: Case) -> int:
    """Return how many people must approve a case at the fewest, by the rule that asks for most."""
    [rules] = RULES.alternatives(case)
    return max(find_missing(rule.need, ()).people for rule in rules)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("change", CHANGES)
def test_approval_rules_apply_to_every_change(tier: str, change: str) -> None:
    """One person up to R1 and for filing below R4, two where it matters, three where people are measured."""
    usual = 1 if tier < "R2" or (change == "filing" and tier < "R4") else 2
    more = {"measured": 3, "contract": 2, "loosening": 2}.get(change, 0)
    for kind in (*KINDS, SETTINGS):
        case = Case(kind, tier, frozenset({change}), frozenset({f"{kind}/a"}), changed=1)
        assert _fewest(case) == max(usual, more)


def test_approval_rules_ask_those_who_answer_for_it() -> None:
    """Safety owner and compliance for R4, one of them for loosening, the employees' representative for measuring."""

    def roles(tier: str, change: str) -> set[str]:
        [rules] = RULES.alternatives(Case("prompt", tier, frozenset({change}), frozenset({"prompt/a"}), changed=1))
        return {rule.id for rule in rules}

    needs = {rule.id: rule.need for rule in RULES.rules}
    assert roles("R4", "wording") == {"safety"}
    assert roles_of(needs["safety"]) == {"compliance", "safety-owner"}
    assert roles("R1", "loosening") == {"everyday", "loosening"}
    coaches = [("p1", "facilitator"), ("p2", "learning-designer"), ("p3", "community-host")]
    assert find_missing(needs["loosening"], coaches) == Missing(1, ("compliance", "safety-owner"))
    assert roles("R3", "measured") == {"work-content", "measured"}
    assert find_missing(needs["measured"], coaches) == Missing(1, ("employee-representative",))


def test_more_than_ten_changes_take_two_people() -> None:
    """Size counts, whatever the tier."""
    for changed, people in ((10, 1), (11, 2)):
        assert _fewest(Case("prompt", "R0", frozenset({"wording"}), frozenset({"prompt/a"}), changed)) == people
