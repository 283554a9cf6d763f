"""What a change of approval rules asks of people: in each kind of situation, more, fewer, or others.

A situation is one kind of change of one kind of entry, of one tier, at a path and of a size: all that the rules of
either version tell apart. In each, every rule that fits must be met on its own, and where none fits nobody can approve.
Whoever is sure to meet the one and not the other, by `core.quorum.implies`, is asked for more; where that decides
nothing, the number of people does. Situations in which the same changes are told together.

Promises: a situation in which the two ask for different people is told. Does not: know who holds which role.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from edge_runtime.core.approval import CHANGES, SETTINGS, ApprovalRules, Case
from edge_runtime.core.manifest import KINDS, LEAST_TIERS, TIERS
from edge_runtime.core.prompt import keeps_compatible
from edge_runtime.core.quorum import Tree, describe, find_missing, implies

__all__ = ["compare_rules"]

Needs = tuple[Tree, ...]
_ELSEWHERE = "elsewhere"
_DAYS = {
    "proposal_expires_days": "a proposal expires after {} days",
    "checks_fresh_days": "a report of checks is fresh for {} days",
    "grant_days": "a role is granted for {} days",
    "review_due_days": "the review of an emergency is due within {} days",
}
_WORDS = (("tier", "of tier {}"), ("kind", "of kind {}"), ("change", "that is {}"), ("path", "at {}"))


def compare_rules(before: ApprovalRules, after: ApprovalRules) -> Iterator[tuple[str, str]]:
    """Yield what changes, as an effect (`asks-less`, `asks-more`, `asks-otherwise`) and a sentence."""
    every = tuple(_situations(before, after))
    told: dict[tuple[str, str], list[Case]] = {}
    for case in every:
        change = _compared(_needed(before, case), _needed(after, case))
        if change:
            told.setdefault(change, []).append(case)
    for (effect, words), where in told.items():
        yield effect, f"{_called(where, every)}: {words}"
    emergency = _compared((before.emergency,), (after.emergency,))
    if emergency:
        yield emergency[0], f"an emergency release: {emergency[1]}"
    for name, words in _DAYS.items():
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield ("asks-less" if now > was else "asks-more"), f"{words.format(now)}, before {was}"
    was, now = before.compatibility, after.compatibility
    if was != now:
        effect = "asks-more" if keeps_compatible(now, was) else "asks-less"
        yield effect, f"scripts that state no mode of compatibility are held to {now}, before {was}"


def _situations(before: ApprovalRules, after: ApprovalRules) -> Iterator[Case]:
    """Yield a case for each combination of what rules tell apart."""
    whens = [rule.when for rule in (*before.rules, *after.rules)]
    paths = [*sorted({path for when in whens for path in when.paths}), _ELSEWHERE]
    sizes = sorted({1, *(when.at_least_changed for when in whens if when.at_least_changed)})
    for kind, tier, change, path, size in product((*KINDS, SETTINGS), TIERS, CHANGES, paths, sizes):
        first = path.partition("/")[0]
        possible = path == _ELSEWHERE or "*" in first or first == kind
        if possible and tier >= LEAST_TIERS.get(kind, TIERS[0]):
            # A path of the rules stands for the paths that it matches: it matches itself, and no narrower one does.
            yield Case(kind, tier, frozenset({change}), frozenset({path}), size)


def _needed(rules: ApprovalRules, case: Case) -> Needs:
    """Return the quorums that a case needs, each met on its own; none where no rule fits: nobody can approve it."""
    for fitting in rules.alternatives(case):
        return tuple(dict.fromkeys(rule.need for rule in fitting))
    return ()


def _compared(before: Needs, after: Needs) -> tuple[str, str] | None:
    """Return what changes between what is needed, if anything does."""
    if set(before) == set(after):
        return None
    words = f"before {_said(before) or 'nobody could approve it'}, now {_said(after) or 'nobody can approve it'}"
    if not before or not after:
        return ("asks-less" if not before else "asks-more"), words
    more, less = _meets(after, before), _meets(before, after)
    if more and less:
        return None
    was, now = _people(before), _people(after)
    if more or (not less and now > was):
        return "asks-more", words
    return ("asks-less" if less or now < was else "asks-otherwise"), words


def _meets(needs: Needs, others: Needs) -> bool:
    """Return whether whoever meets all of the one meets all of the other."""
    return all(any(implies(one, other) for one in needs) for other in others)


def _people(needs: Needs) -> int:
    """Return the fewest people who could meet the largest of these."""
    return max(find_missing(need, ()).people for need in needs)


def _said(needs: Needs) -> str:
    return " and also ".join(map(describe, needs))


def _called(where: list[Case], every: tuple[Case, ...]) -> str:
    """Return what cases have in common, wherever they are not all there are."""
    words = []
    tiers = {case.tier for case in where}
    for name, said in _WORDS:
        here = list(dict.fromkeys(_value(case, name) for case in where))
        if len(here) < len({_value(case, name) for case in every if name == "tier" or case.tier in tiers}):
            words.append(said.format(" or ".join(here)))
    least = min(case.changed for case in where)
    return " ".join(["a change", *words, *([f"among {least} or more"] if least > 1 else [])])


def _value(case: Case, name: str) -> str:
    if name in {"change", "path"}:
        return min((case.changes if name == "change" else case.paths) or {""})
    return str(getattr(case, name))
