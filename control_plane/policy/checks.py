"""The named checks of a proposal, each with evidence that approvers read.

schema                  every new content reads as a device reads it, and is what its entry says
template                its templates use declared inputs and nothing but variables, if, for and the short filter list
cases                   its golden cases come out through the pure pipeline of a device
policy-loosening        whether the policy forbids less than before, with the situation as a sentence: a notice, because
                        a loosening is allowed, to those who see it
refutation-probes       the policy blocks an impossible request, the approval rules refuse an empty set (V9)
placement-vs-data-class sensitive inputs are not placed where they must not go, and the tier is not below them
disclosure-present      what may leave the device is said to the person, wherever something may leave
hand-off-present        the release has an approved human hand-off, on the device
tier                    no entry falls to a lower tier than its last release had

Promises: all failures are listed, not the first; the functions are those of the shared core; no text of a person.
Does not: store results or decide about approval (see `registry.review`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from control_plane.policy.cases import run_cases
from control_plane.registry.closures import check_closure
from control_plane.registry.records import CheckResult
from edge_runtime.core import canonical
from edge_runtime.core.approval import missing_for, parse_rules
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest
from edge_runtime.core.policy import (
    Policy,
    check_blocks_the_impossible,
    find_loosenings,
    find_tightenings,
    parse_policy,
)
from edge_runtime.core.prompt import Prompt, parse_prompt
from edge_runtime.core.template import check_template, texts_of

__all__ = ["CHECKS", "WHOLE_RELEASE", "Candidate", "run_checks"]

WHOLE_RELEASE = ("approval-rules", "handoff", "policy")
"""Kinds whose content every check needs, changed or not."""
_SCRIPTS = ("handoff", "prompt")
_MAY_LEAVE = ("redacted", "cloud")
_PLACES = {"R0": 2, "R1": 2, "R2": 2, "R3": 1}
"""The furthest placement, by its place in device, redacted, cloud, of an input of each data class."""
_ORDER = ("device", "redacted", "cloud")
MAX_EVIDENCE = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest, the one that it follows, what it introduces, the closures by digest, golden cases by name."""

    manifest: Manifest
    base: Manifest | None
    introduced: tuple[Entry, ...]
    closures: Mapping[str, bytes]
    cases: Mapping[str, JsonObject]

    def prompts(self) -> Iterator[tuple[Entry, Prompt]]:
        """Yield the introduced scripts that read at all; `schema` tells of the others."""
        for entry in self.introduced:
            if entry.kind in _SCRIPTS:
                try:
                    yield entry, parse_prompt(self.closures[entry.digest])
                except InvalidDocument:
                    continue

    def policy(self, manifest: Manifest | None) -> Policy | None:
        """Return the policy of a manifest, if it has one that reads."""
        for entry in manifest.entries if manifest else ():
            if entry.kind == "policy":
                try:
                    return parse_policy(self.closures[entry.digest])
                except InvalidDocument:
                    return None
        return None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a check found: problems fail it, notices are for approvers to read, evidence says what was done."""

    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


def run_checks(candidate: Candidate) -> tuple[CheckResult, ...]:
    """Return the result of every check, in the order of the list above."""
    return tuple(_result(name, check(candidate)) for name, check in CHECKS.items())


def _result(name: str, found: _Found) -> CheckResult:
    status = "failed" if found.problems else "notice" if found.notices else "passed"
    lines = (*found.problems, *found.notices, *found.evidence)
    more = (f"and {len(lines) - MAX_EVIDENCE} more",) if len(lines) > MAX_EVIDENCE else ()
    return CheckResult(name, status, (*lines[:MAX_EVIDENCE], *more))


def _schema(candidate: Candidate) -> _Found:
    problems = []
    for entry in candidate.introduced:
        data = candidate.closures[entry.digest]
        try:
            if canonical.digest(data) != entry.digest:
                raise InvalidDocument("expected content with the digest of its entry, got other content")
            check_closure(entry.kind, data)
        except InvalidDocument as error:
            problems.append(f"{entry.kind} {entry.name}: {error}")
    problems += [
        f"{entry.kind} {entry.name}: expected the name and tier of its entry inside"
        for entry, prompt in candidate.prompts()
        if (prompt.name, prompt.tier) != (entry.name, entry.tier)
    ]
    return _Found(tuple(problems), evidence=(f"{len(candidate.introduced)} contents read",))


def _template(candidate: Candidate) -> _Found:
    problems, count = [], 0
    for entry, prompt in candidate.prompts():
        inputs = set(prompt.inputs.inputs)
        outputs = set(prompt.output.get("properties", ()))
        texts = [(prompt.instruction, inputs), (prompt.reply, inputs | outputs)]
        texts += [(text, inputs) for text in texts_of(prompt.fill)]
        for text, declared in texts:
            count += 1
            try:
                check_template(text, declared)
            except InvalidDocument as error:
                problems.append(f"{entry.name}: {error}")
    return _Found(tuple(problems), evidence=(f"{count} templates checked",))


def _cases(candidate: Candidate) -> _Found:
    policy = candidate.policy(candidate.manifest)
    problems: list[str] = []
    run, without = 0, []
    for entry, prompt in candidate.prompts():
        cases = candidate.cases.get(entry.name)
        if cases is None:
            without.append(entry.name)
            continue
        run += len(cases["cases"])
        problems += [f"{entry.name}: {line}" for line in run_cases(prompt, cases, policy)]
    notices = (f"no cases for {', '.join(without)}",) if without else ()
    return _Found(tuple(problems), notices, (f"{run} cases run",))


def _policy_loosening(candidate: Candidate) -> _Found:
    before, after = candidate.policy(candidate.base), candidate.policy(candidate.manifest)
    if candidate.base is None:
        return _Found(evidence=("this is the first policy",))
    if before is None or after is None:
        return _Found(("expected a policy before and after that both read",))
    if before == after:
        return _Found(evidence=("the policy stays as it is",))
    pair = ([before.layer], [after.layer], before.vocabulary)
    loosenings = find_loosenings(*pair, after_vocabulary=after.vocabulary)
    tightenings = find_tightenings(*pair, after_vocabulary=after.vocabulary)
    notices = tuple(f"loosens: {change.sentence}" for change in loosenings)
    evidence = [f"tightens: {change.sentence}" for change in tightenings]
    if not loosenings:
        evidence.insert(0, "nothing that was forbidden becomes allowed")
    return _Found(notices=notices, evidence=tuple(evidence))


def _refutation_probes(candidate: Candidate) -> _Found:
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
            tiers = parse_rules(candidate.closures[entry.digest]).tiers
        except InvalidDocument as error:
            problems.append(str(error))
            continue
        if any(missing_for(quorum, (), excluded=frozenset())[0] == 0 for quorum in tiers.values()):
            problems.append("expected the approval rules to refuse an empty set, and they do not")
    return _Found(tuple(problems), evidence=("an impossible request and an empty set of approvals were tried",))


def _placement(candidate: Candidate) -> _Found:
    problems = []
    for entry, prompt in candidate.prompts():
        for declared in prompt.inputs.inputs.values():
            if _ORDER.index(prompt.placement) > _PLACES[declared.data_class]:
                furthest = _ORDER[_PLACES[declared.data_class]]
                problems.append(f"{entry.name}: input {declared.name!r} is {declared.data_class}: {furthest} at most")
            if declared.data_class > prompt.tier:
                problems.append(f"{entry.name}: input {declared.name!r} is {declared.data_class}, above its tier")
    return _Found(tuple(problems), evidence=("placement and tier compared with the data class of every input",))


def _disclosure(candidate: Candidate) -> _Found:
    leaving = [(entry, prompt) for entry, prompt in candidate.prompts() if prompt.placement in _MAY_LEAVE]
    problems = [
        f"{entry.name}: expected a disclosure that says what may leave the device"
        for entry, prompt in leaving
        if not prompt.disclosure.strip()
    ]
    return _Found(tuple(problems), evidence=(f"{len(leaving)} scripts may send something, each says so",))


def _handoff(candidate: Candidate) -> _Found:
    handoffs = [entry for entry in candidate.manifest.entries if entry.kind == "handoff"]
    problems = [] if handoffs else ["expected a human hand-off in every release, got none"]
    for entry in handoffs:
        try:
            prompt = parse_prompt(candidate.closures[entry.digest])
        except InvalidDocument:
            problems.append(f"{entry.name}: expected a hand-off that reads")
            continue
        if (prompt.tier, prompt.placement) != ("R4", "device"):
            problems.append(f"{entry.name}: expected tier R4 and placement device of a hand-off")
    return _Found(tuple(problems), evidence=(f"{len(handoffs)} hand-off texts",))


def _tier(candidate: Candidate) -> _Found:
    before = {entry.key: entry for entry in candidate.base.entries} if candidate.base else {}
    problems = [
        f"{entry.kind} {entry.name}: expected tier {before[entry.key].tier} or higher, got {entry.tier}"
        for entry in candidate.introduced
        if entry.key in before and entry.tier < before[entry.key].tier
    ]
    return _Found(tuple(problems), evidence=("no entry falls to a lower tier",) if not problems else ())


CHECKS: dict[str, Callable[[Candidate], _Found]] = {
    "schema": _schema,
    "template": _template,
    "cases": _cases,
    "policy-loosening": _policy_loosening,
    "refutation-probes": _refutation_probes,
    "placement-vs-data-class": _placement,
    "disclosure-present": _disclosure,
    "hand-off-present": _handoff,
    "tier": _tier,
}
