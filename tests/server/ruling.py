"""What the model of the state machine knows: proposals, and sets of approval rules with what each of them asks for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from tests.server import library
from tests.server.library import CASES, CLOSING, OPENER, POLICY, policy, script

RULES = "approval-rules.yaml"
TIERS = {OPENER: "R2", CLOSING: "R1", POLICY: "R4", RULES: "R4"}
FLOOR = {"R1": 1, "R2": 2, "R4": 2}
"""The least number of people for each tier, whatever the rules say."""
_COLLEAGUES = frozenset({"learning-designer", "facilitator", "community-host"})
_SAFETY = frozenset({"compliance", "safety-owner"})


@dataclass(frozen=True)
class Needs:
    """How many people in which roles: for each tier, and for what goes out in haste."""

    by_tier: dict[str, tuple[int, frozenset[str]]]
    emergency: tuple[int, frozenset[str]]


def rules(word: str) -> str:
    """Return the text of a set of rules."""
    return _SETS[word][0]


def _changed(before: str, after: str) -> str:
    assert library.RULES.count(before) == 1
    return library.RULES.replace(before, after)


_USUAL = {"R1": (1, _COLLEAGUES), "R2": (2, _COLLEAGUES), "R4": (2, _SAFETY)}
_SETS = {
    "": (library.RULES, Needs(_USUAL, (1, _SAFETY))),
    "Bye": (
        _changed("{at_least: 1, of: [learning-designer,", "{at_least: 2, of: [learning-designer,"),
        Needs({**_USUAL, "R1": (2, _COLLEAGUES)}, (1, _SAFETY)),
    ),
    "Thanks": (
        _changed("{at_least: 2, of: [learning-designer,", "{at_least: 1, of: [compliance, learning-designer,"),
        Needs({**_USUAL, "R2": (1, _COLLEAGUES | {"compliance"})}, (1, _SAFETY)),
    ),
    "Well done": (
        _changed("emergency: {at_least: 1,", "emergency: {at_least: 2,"),
        Needs(_USUAL, (2, _SAFETY)),
    ),
}
NEEDS = dict(_SETS.values())
Files = dict[str, str]


@dataclass
class Known:
    """What the model knows of a proposal."""

    channel: str
    files: Files
    base: int
    ends: datetime
    state: str = "open"
    wrote: set[str] = field(default_factory=set)
    approved: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Who approved, and for whom if that was somebody else."""
    seen: dict[str, Files] = field(default_factory=dict)
    checked: datetime | None = None
    emergency: bool = False
    derived: tuple[str, int, bool] | None = None
    """A channel, the number of one of its releases or 0 for what is live, and whether all of it is taken."""
    undoes_after: float = math.inf
    at: datetime | None = None


@dataclass
class Hasty:
    """A break-glass release that is to be reviewed: by when, for what, under which rules, and who had a part in it."""

    number: int
    due: datetime
    tiers: frozenset[str]
    needs: tuple[Needs, ...]
    out: set[str]
    reviewed: dict[str, str] = field(default_factory=dict)


def is_quorum(tiers: Collection[str], signed: dict[str, str], needs: Mapping[str, tuple[int, frozenset[str]]]) -> bool:
    """Return whether for each tier some group of people is large enough, each in a role that counts."""
    return all(
        any(all(role in needs[tier][1] for _, role in group) for group in combinations(signed.items(), needs[tier][0]))
        for tier in tiers
    )


def change(what: str, word: str) -> Files:
    """Return the files of a change."""
    if what == "opener":
        cases = CASES.replace("You did the checklist.", f"{word} the checklist.")
        return {OPENER: script("opener", fill=f"{word} {{{{ work }}}}."), "cases/opener.yaml": cases}
    if what == "closing":
        return {CLOSING: script("closing", tier="R1", fill=f"{word} {{{{ work }}}}.")}
    if what == "rules":
        return {RULES: rules(word)}
    return {POLICY: policy(at_most={"Bye": "block", "Thanks": "redacted", "Well done": "device"}[word])}


def content_of(one: Known) -> frozenset[tuple[str, str]]:
    """Return what a proposal says, whatever its channel: its governed files."""
    return frozenset((path, text) for path, text in one.files.items() if not path.startswith("cases/"))
