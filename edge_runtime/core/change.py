"""Kinds of change: what a release does to each entry, decided from its bytes before and after.

Approval rules ask different people for different kinds of change, so nobody may state the kind: server and device both
work it out here. A change is of one or more kinds:

    addition, removal   the entry was not there before, or is not there after
    filing              nothing but folder, tags, owner and review date
    wording             any text that people read or a model is told
    contract            inputs or output of a script
    loosening           something that was forbidden, asked for or kept near is so no longer
    tightening          the reverse
    measured            what is measured about people: measures, a model's labels, the words of a policy, a rule against
                        telemetry that goes; and that approval rules may ask for less where these change

Promises: what cannot be read, or differs in a member that is not listed here, is of every kind.
Does not: compare records (see `change_judges`), say who must agree (see `approval`). Source: docs/adr/0018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core import change_judges as judges
from edge_runtime.core.agreement import parse_agreement
from edge_runtime.core.approval import EVERY_CHANGE, Changed, parse_rules
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.filing import FILING
from edge_runtime.core.include import parse_include
from edge_runtime.core.manifest import Entry
from edge_runtime.core.model import parse_model_card
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Vocabulary, parse_policy
from edge_runtime.core.prompt import parse_prompt
from edge_runtime.core.session_type import parse_session_type
from edge_runtime.core.vocabulary import parse_vocabulary

__all__ = ["changed_digests", "find_changes", "kinds_of_change", "path_of"]

MAX_BYTES = 1_000_000
ONE_EACH = ("approval-rules", "policy")
"""Kinds of which a release holds one: put under another name, it is compared with the one before all the same."""
Key = tuple[str, str]


@frozen
class _Members:
    """How one kind is read, and what a difference in each of its members means; filing and tier mean it for all.

    `measured` is the member that says what is measured about people; `judged` are those that `judge` compares. What is
    listed nowhere may do anything.
    """

    parse: Callable[[bytes], object]
    wording: frozenset[str]
    judged: frozenset[str] = frozenset()
    judge: Callable[[Any, Any, Vocabulary], set[str]] = judges.judge_nothing
    contract: frozenset[str] = frozenset()
    measured: str = ""


_TEXTS = frozenset({"title", "purpose", "locale", "translation_of"})
_SCRIPT = _Members(
    parse_prompt,
    wording=_TEXTS
    | {"audience", "competencies", "disclosure", "fallback", "fill", "includes", "instruction", "max_tokens", "reply"}
    | {"session_types", "target_behaviour"},
    judged=frozenset({"placement", "rules", "tools", "validators"}),
    judge=judges.judge_scripts,
    contract=frozenset({"compatibility", "inputs", "output"}),
)
_KINDS: Mapping[str, _Members] = {
    "agreement": _Members(
        parse_agreement,
        wording=_TEXTS | {"ending"},
        judged=frozenset({"consents", "outside", "parties", "scope", "stored", "version"}),
        judge=judges.judge_agreements,
        measured="measures",
    ),
    "approval-rules": _Members(
        parse_rules,
        wording=frozenset(),
        judged=frozenset({"checks_fresh_days", "compatibility", "emergency", "grant_days", "proposal_expires_days"})
        | {"review_due_days", "rules"},
        judge=judges.judge_rules,
    ),
    "handoff": _SCRIPT,
    "include": _Members(parse_include, wording=_TEXTS | {"includes", "text"}),
    "model": _Members(
        parse_model_card,
        wording=_TEXTS | {"licence", "scores"},
        judged=frozenset({"file", "locales", "self_test", "task", "thresholds"}),
        judge=judges.judge_models,
        measured="labels",
    ),
    "policy": _Members(
        parse_policy,
        wording=frozenset({"vocabulary_from"}),
        judged=frozenset({"ceiling", "rules", "vocabulary"}),
        judge=judges.judge_policies,
    ),
    "prompt": _SCRIPT,
    "session-type": _Members(
        parse_session_type,
        wording=_TEXTS | {"lengths", "stages"},
        judged=frozenset({"agreement", "boundaries", "escalation", "handoff"}),
        judge=judges.judge_session_types,
        measured="measures",
    ),
    "vocabulary": _Members(
        parse_vocabulary,
        wording=_TEXTS | {"meanings"},
        judged=frozenset({"permissions", "sensitivities"}),
        judge=judges.judge_vocabularies,
    ),
}


def changed_digests(before: Mapping[Key, Entry], after: Mapping[Key, Entry]) -> frozenset[str]:
    """Return the digests of the closures that `find_changes` reads."""
    pairs = list(_pairs(before, after))
    policies = [entry for entry in after.values() if entry.kind == "policy"] if pairs else []
    return frozenset(entry.digest for entry in (*(one for pair in pairs for one in pair), *policies) if entry)


def find_changes(
    before: Mapping[Key, Entry], after: Mapping[Key, Entry], closures: Mapping[str, bytes]
) -> tuple[Changed, ...]:
    """Return what a release changes, sorted by kind and name.

    Args:
        before: the entries in force, by kind and name; none before the first release.
        after: the entries of the release.
        closures: bytes by digest, as `changed_digests` asks; a change whose bytes are not there is of every kind.
    """
    words = _words(after.values(), closures)
    found: dict[Key, Changed] = {}
    for old, new in _pairs(before, after):
        entries = [entry for entry in (old, new) if entry]
        data = [closures.get(entry.digest) if entry else None for entry in (old, new)]
        if any(entry and one is None for entry, one in zip((old, new), data, strict=True)):
            kinds: frozenset[str] = EVERY_CHANGE
        else:
            kinds = kinds_of_change(entries[-1].kind, *data, vocabulary=words)
        if old and new:
            kinds |= judges.judge_levels(old.tier, new.tier) | ({"addition"} if old.name != new.name else set())
        paths = {path_of(entry.kind, entry.name, closures.get(entry.digest, b"")) for entry in entries}
        shown = entries[-1]
        found[shown.key] = Changed(shown.kind, shown.name, tuple(sorted(kinds)), tuple(sorted(paths)))
    return tuple(found[key] for key in sorted(found))


def _pairs(before: Mapping[Key, Entry], after: Mapping[Key, Entry]) -> Iterable[tuple[Entry | None, Entry | None]]:
    """Yield the entry before and after of each that differs; None where there is none."""
    only = {entry.kind: entry for entry in before.values() if entry.kind in ONE_EACH}
    for key, entry in after.items():
        old = before.get(key) or only.get(entry.kind)
        if old != entry:
            yield old, entry
    for key, entry in before.items():
        if key not in after:
            yield entry, None


def _words(entries: Iterable[Entry], closures: Mapping[str, bytes]) -> Vocabulary:
    """Return the words that the release's policy speaks: those that the rules of its scripts are read in."""
    digests = [entry.digest for entry in entries if entry.kind == "policy"]
    try:
        return parse_policy(closures[digests[0]]).vocabulary
    except (InvalidDocument, LookupError):
        return DEFAULT_VOCABULARY


def path_of(kind: str, name: str, data: bytes) -> str:
    """Return `kind/folder/name`, as rules by path look at it; `kind/name` for what is filed at the top or nowhere."""
    try:
        folder = canonical.parse(data, max_bytes=MAX_BYTES).get("folder", "")
    except InvalidDocument:
        folder = ""
    return "/".join(part for part in (kind, folder if isinstance(folder, str) else "", name) if part)


def kinds_of_change(
    kind: str, before: bytes | None, after: bytes | None, *, vocabulary: Vocabulary = DEFAULT_VOCABULARY
) -> frozenset[str]:
    """Return the kinds of change from one closure to another; never none.

    Args:
        kind: of the entry.
        before: canonical bytes of its closure, None where there was none.
        after: the same, None where there is none any more.
        vocabulary: the words of the release's policy, in which the rules of scripts are read.
    """
    try:
        return _known_kinds(kind, before, after, vocabulary)
    except (InvalidDocument, LookupError, TypeError, ValueError, RecursionError):
        return EVERY_CHANGE  # fail closed: what cannot be read may do anything


@lru_cache(maxsize=256)
def _known_kinds(*case: Any) -> frozenset[str]:
    kind, before, after, vocabulary = case
    return frozenset(_kinds(kind, before, after, vocabulary=vocabulary)) or EVERY_CHANGE


def _kinds(kind: str, before: bytes | None, after: bytes | None, *, vocabulary: Vocabulary) -> set[str]:
    members = _KINDS[kind]
    records = [None if data is None else members.parse(data) for data in (before, after)]
    old, new = ({} if data is None else canonical.parse(data, max_bytes=MAX_BYTES) for data in (before, after))
    found = {"loosening"} if kind == "vocabulary" else set()  # it changes what the words of a rule mean
    found |= {"measured"} if _differs(old, new, members.measured, absent=[]) else set()
    if not (old and new):
        return found | ({"addition"} if new else {"removal"} if old else EVERY_CHANGE)
    differing = {name for name in {*old, *new} if _differs(old, new, name)}
    if not differing:
        return {"filing"}  # the same bytes, by another author or once more
    if differing - {*FILING, "tier", members.measured, *members.wording, *members.contract, *members.judged}:
        return set(EVERY_CHANGE)
    for kinds, names in (("filing", FILING), ("wording", members.wording), ("contract", members.contract)):
        found |= {kinds} if differing.intersection(names) else set()
    found |= judges.judge_levels(str(old.get("tier", "")), str(new.get("tier", "")))
    return found | members.judge(records[0], records[1], vocabulary)


def _differs(old: JsonObject, new: JsonObject, name: str, *, absent: object = None) -> bool:
    """Return whether a member differs; `true` and 1, which Python calls equal, do."""
    values = (document.get(name, absent) for document in (old, new))
    return len({canonical.encode({"": value}) for value in values}) > 1
