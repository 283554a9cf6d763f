"""Checks of the rules: what a policy stops forbidding, what must be refused is refused, sensitive inputs stay near."""

from __future__ import annotations

from control_plane.policy.checks.records import Candidate, Found
from control_plane.sources.closures import UNREPRESENTED
from edge_runtime.core.approval import asks_representative, parse_rules, refuses_empty
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy import check_blocks_the_impossible, find_loosenings, find_tightenings

__all__ = ["check_loosening", "check_placement", "check_refutation"]

_PLACES = {"R0": 2, "R1": 2, "R2": 2, "R3": 1}
"""The furthest placement, by its place in device, redacted, cloud, of an input of each data class."""
_ORDER = ("device", "redacted", "cloud")


def check_loosening(candidate: Candidate) -> Found:
    """Find what the policy forbids no longer: a notice, because that is allowed, to those who see it."""
    before, after = candidate.policy(candidate.base), candidate.policy(candidate.manifest)
    if candidate.base is None:
        return Found(evidence=("this is the first policy",))
    if before is None or after is None:
        return Found(("expected a policy before and after that both read",))
    if before == after:
        return Found(evidence=("the policy stays as it is",))
    pair = ([before.layer], [after.layer], before.vocabulary)
    loosenings = find_loosenings(*pair, after_vocabulary=after.vocabulary)
    tightenings = find_tightenings(*pair, after_vocabulary=after.vocabulary)
    notices = tuple(f"loosens: {change.sentence}" for change in loosenings)
    evidence = [f"tightens: {change.sentence}" for change in tightenings]
    if not loosenings:
        evidence.insert(0, "nothing that was forbidden becomes allowed")
    return Found(notices=notices, evidence=tuple(evidence))


def check_refutation(candidate: Candidate) -> Found:
    """Find a policy that allows an impossible request, and approval rules that an empty set of approvals meets (V9).

    Or those by which what is measured about people could change without whoever represents them; also in a release that
    goes back to rules of earlier days.
    """
    policies = [e for e in candidate.manifest.entries if e.kind == "policy"]
    rules = [e for e in candidate.manifest.entries if e.kind == "approval-rules"]
    problems = [
        f"expected one {kind} in a release, got {len(found)}"
        for kind, found in (("policy", policies), ("set of approval rules", rules))
        if len(found) != 1
    ]
    policy = candidate.policy(candidate.manifest)
    if policies and (policy is None or not check_blocks_the_impossible(policy)):
        problems.append("expected the policy to block an impossible request, and it does not")
    for entry in rules:
        try:
            made = parse_rules(candidate.closures[entry.digest])
        except InvalidDocument as error:
            problems.append(str(error))
            continue
        if not refuses_empty(made):
            problems.append("expected the approval rules to refuse an empty set, and they do not")
        if not asks_representative(made):
            problems.append(UNREPRESENTED)
    tried = "an impossible request, an empty set of approvals, and measuring people without their representative"
    return Found(tuple(problems), evidence=(f"{tried} were tried",))


def check_placement(candidate: Candidate) -> Found:
    """Find inputs that may go further than their data class allows, or are more sensitive than the script's tier."""
    problems = []
    for entry, prompt in candidate.scripts():
        for declared in prompt.inputs.inputs.values():
            if _ORDER.index(prompt.placement) > _PLACES[declared.data_class]:
                furthest = _ORDER[_PLACES[declared.data_class]]
                problems.append(f"{entry.name}: input {declared.name!r} is {declared.data_class}: {furthest} at most")
            if declared.data_class > prompt.tier:
                problems.append(f"{entry.name}: input {declared.name!r} is {declared.data_class}, above its tier")
    return Found(tuple(problems), evidence=("placement and tier compared with the data class of every input",))
