"""What a change of an entry means, as sentences: of policies, contracts, approval rules, and what is measured.

    loosens, tightens         a policy allows more, or less, in a situation that is given exactly
    breaks                    a contract refuses calls, or gives outputs, that another version did not
    asks-less, asks-more      approval rules are met by fewer people, or by more; `asks-otherwise` by other people
    measures-more, -less      an agreement or a session type counts more about people, or less

Promises: every sentence about a policy comes with a situation in which the two decide differently, and where there is
none nothing is said; that about a contract with a call or an output.
Does not: decide whether a change is good. Source: `core.policy.compare`, `policy.compatibility`, `core.quorum`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.diffs.approvals import compare_rules
from control_plane.policy.compatibility import Version, find_breaks
from edge_runtime.core import canonical
from edge_runtime.core.approval import parse_rules
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.measures import Measure, exceeds, read_measures
from edge_runtime.core.policy import Change, Context, Decision, compare, parse_policy
from edge_runtime.core.prompt import parse_prompt

__all__ = ["Meaning", "meaning_of"]

MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a change of an entry means; `example` is the exact situation, call or output that shows it."""

    kind: str
    name: str
    effect: str
    sentence: str
    example: JsonObject | None = None


def meaning_of(
    key: tuple[str, str], before: bytes | None, after: bytes | None, *, samples: tuple[JsonObject, ...] = ()
) -> tuple[Meaning, ...]:
    """Return what the change of an entry means; empty if words alone change, or it is new or gone.

    Args:
        key: its kind and name.
        before: its closure in force, if any.
        after: its closure to be, if any.
        samples: outputs of golden cases, for examples of contracts.
    """
    if before is None or after is None:
        return ()
    kind, name = key
    try:
        found = {
            "approval-rules": _of_rules,
            "agreement": _of_measures,
            "handoff": lambda old, new: _of_contracts(old, new, samples),
            "policy": _of_policies,
            "prompt": lambda old, new: _of_contracts(old, new, samples),
            "session-type": _of_measures,
        }.get(kind, _of_nothing)(before, after)
        return tuple(Meaning(kind, name, *one) for one in found)
    except InvalidDocument:
        return ()  # the check `schema` tells of what does not read


_Said = tuple[str, str, JsonObject | None]


def _of_nothing(_before: bytes, _after: bytes) -> Iterator[_Said]:
    return iter(())


def _of_policies(before: bytes, after: bytes) -> Iterator[_Said]:
    old, new = parse_policy(before), parse_policy(after)
    found = compare([old.layer], [new.layer], old.vocabulary, after_vocabulary=new.vocabulary)
    for effect, changes in (("loosens", found.loosenings), ("tightens", found.tightenings)):
        yield from ((effect, change.sentence, _situation(change)) for change in changes)


def _situation(change: Change) -> JsonObject | None:
    if change.context is None or change.before is None or change.after is None:
        return None
    return {**_context(change.context), "before": _decision(change.before), "after": _decision(change.after)}


def _context(context: Context) -> JsonObject:
    return {
        "sensitivities": {name: _value(value) for name, value in sorted(context.sensitivities.items())},
        "permissions": {name: _value(value) for name, value in sorted(context.permissions.items())},
    }


def _value(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _decision(decision: Decision) -> JsonObject:
    return {
        "route": str(decision.route),
        "obligations": sorted(decision.obligations),
        "rules": [reason.rule for reason in decision.rules],
    }


def _of_contracts(before: bytes, after: bytes, samples: tuple[JsonObject, ...]) -> Iterator[_Said]:
    earlier = [Version("the version in force", parse_prompt(before))]
    for one in find_breaks(parse_prompt(after), earlier, "full", samples=samples):
        yield "breaks", f"{one.direction}: {one.sentence}", one.example


def _of_rules(before: bytes, after: bytes) -> Iterator[_Said]:
    found = compare_rules(parse_rules(before), parse_rules(after))
    yield from ((effect, sentence, None) for effect, sentence in found)


def _of_measures(before: bytes, after: bytes) -> Iterator[_Said]:
    old, new = _measures(before), _measures(after)
    for effect, one, other in (("measures-more", new, old), ("measures-less", old, new)):
        for name, measure in one.items():
            if way := exceeds(measure, other.get(name)):
                said = f"{measure.what}: " + (_MORE if effect == "measures-more" else _LESS).get(way, way)
                yield effect, said, measure.as_json()


_MORE = {"it is not agreed at all": "it is measured from now on"}
_LESS = {"it is not agreed at all": "it is measured no longer"}


def _measures(closure: bytes) -> Mapping[str, Measure]:
    document = canonical.parse(closure, max_bytes=MAX_BYTES)
    fields = Fields({"measures": document.get("measures", [])}, "measures", tagged=False)
    return {measure.id: measure for measure in read_measures(fields)}
