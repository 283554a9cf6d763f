"""Kinds of change: decided from bytes alone; each attack states a lower kind than what it does."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.approval import CHANGES, EVERY_CHANGE, ApprovalRule, ApprovalRules, Changed, When
from edge_runtime.core.change import changed_digests, find_changes, kinds_of_change, path_of
from edge_runtime.core.manifest import KINDS, Entry
from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Layer,
    Policy,
    Route,
    encode_policy,
    read_vocabulary,
    vocabulary_document,
)
from edge_runtime.core.quorum import AtLeast
from tests.simulator import prompt_document, rules, tier_rules
from tests.vectors import generate, generate_kinds

Edit = Callable[[dict[str, Any]], object]
DOCUMENTS: dict[str, dict[str, Any]] = {
    "agreement": generate_kinds.agreement(),
    "handoff": generate.handoff(),
    "include": generate_kinds.include(),
    "model": generate_kinds.model(),
    "policy": generate.policy(),
    "prompt": prompt_document(
        rules=[{"id": "quiet", "because": "b", "when": {}, "at_most": "redacted", "require": ["no-telemetry"]}]
    ),
    "session-type": generate_kinds.session_type(),
    "vocabulary": generate_kinds.vocabulary(),
}


def edited(kind: str, edit: Edit) -> frozenset[str]:
    """Return the kinds of change from the example of that kind to an edited copy of it."""
    after = copy.deepcopy(DOCUMENTS[kind])
    edit(after)
    return kinds_of_change(kind, canonical.encode(DOCUMENTS[kind]), canonical.encode(after))


def put(path: str, value: object) -> Edit:
    """Return the edit that puts `value` at a path of member names and positions."""

    def edit(document: dict[str, Any]) -> None:
        *above, last = path.split(".")
        holder: Any = document
        for part in above:
            holder = holder[int(part) if part.isdigit() else part]
        holder[int(last) if last.isdigit() else last] = value

    return edit


RULE = {"id": "more", "because": "b", "when": {}, "at_most": "device"}
INPUT = {"type": "string", "maxLength": 20000, "x-data-class": "R2"}
PARTY = {"id": "manager", "title": "Your manager", "promises": []}
STORED = {"id": "notes", "what": "Your notes", "where": "server", "keep_days": 0, "seen_by": ["learner"]}
CONSENT = {"id": "telemetry", "sentence": "Count my sessions.", "without": "All works."}


@pytest.mark.parametrize(
    ("kind", "edit", "kinds"),
    [
        ("prompt", put("folder", "openings"), {"filing"}),
        ("prompt", put("tags", ["new"]), {"filing"}),
        ("prompt", put("owner", "compliance"), {"filing"}),
        ("prompt", put("review_by", "2028-01-31"), {"filing"}),
        ("prompt", put("instruction", "Do:\n{{ notes }}"), {"wording"}),
        ("prompt", put("fill", {"summary": ["x"]}), {"wording"}),
        ("prompt", put("max_tokens", 9), {"wording"}),
        ("prompt", put("disclosure", "Another text"), {"wording"}),
        ("prompt", put("disclosure", " "), {"wording", "loosening"}),
        ("prompt", put("placement", "cloud"), {"loosening"}),
        ("prompt", put("placement", "device"), {"tightening"}),
        ("prompt", put("tier", "R1"), {"loosening"}),
        ("prompt", put("tier", "R3"), {"tightening"}),
        ("prompt", put("inputs.properties.notes.x-data-class", "R1"), {"contract", "loosening"}),
        ("prompt", put("inputs.properties.notes.x-data-class", "R3"), {"contract", "tightening"}),
        ("prompt", put("inputs.properties.notes.x-untrusted", False), {"contract", "loosening"}),
        ("prompt", put("inputs.properties.more", INPUT), {"contract"}),
        ("prompt", put("inputs", {**prompt_document()["inputs"], "required": []}), {"contract"}),  # type: ignore[dict-item]
        ("prompt", put("output.properties.summary.maxItems", 3), {"contract"}),
        ("prompt", put("rules", []), {"loosening", "measured", "wording"}),
        ("prompt", put("rules.0.require", ["other"]), {"loosening", "tightening", "measured"}),
        ("prompt", put("rules.0.because", "c"), {"wording"}),
        ("prompt", lambda d: d["rules"].append(RULE), {"tightening", "wording"}),
        ("handoff", put("fallback", "Talk to somebody."), {"wording"}),
        ("policy", put("owner", "compliance"), {"filing"}),
        ("policy", put("ceiling", "device"), {"tightening"}),
        ("policy", put("rules.0.because", "another"), {"wording"}),
        ("policy", put("rules.0.require", ["logged"]), {"loosening", "tightening", "measured"}),
        ("policy", lambda d: d["rules"].reverse(), {"wording"}),
        ("policy", lambda d: d["rules"].pop(), {"loosening", "wording"}),
        ("include", put("text", "Answer in JSON."), {"wording"}),
        ("include", put("tier", "R1"), {"loosening"}),
        ("agreement", put("measures", []), {"measured"}),
        ("agreement", put("measures.0.from_people", 1), {"measured"}),
        ("agreement", put("ending", "Any time."), {"wording"}),
        ("agreement", put("version", 2), {"tightening"}),
        ("agreement", lambda d: d["parties"].append(PARTY), {"loosening", "wording"}),
        ("agreement", put("parties.0.promises", []), {"loosening", "wording"}),
        ("agreement", put("outside", []), {"loosening", "wording"}),
        ("agreement", put("stored.0", STORED), {"loosening"}),
        ("agreement", put("stored.0.keep_days", 30), {"tightening"}),
        ("agreement", put("stored.0.seen_by", ["learner", "programme"]), {"loosening"}),
        ("agreement", lambda d: d["consents"].append(CONSENT), {"loosening", "wording"}),
        ("session-type", put("measures.0.keep_days", 366), {"measured"}),
        ("session-type", put("boundaries", []), {"loosening"}),
        ("session-type", put("boundaries", ["One topic.", "No homework."]), {"tightening"}),
        ("session-type", put("handoff", "other"), {"loosening"}),
        ("session-type", put("title", "Short"), {"wording"}),
        ("model", put("thresholds.health", 9000), {"loosening"}),
        ("model", put("file.size_bytes", 21), {"loosening"}),
        ("model", put("licence", "MIT"), {"wording"}),
        ("vocabulary", put("meanings.labels", "Another meaning."), {"loosening", "wording"}),
        ("vocabulary", put("folder", ""), {"loosening", "filing"}),
    ],
)
def test_each_change_is_of_just_its_kinds(kind: str, edit: Edit, kinds: set[str]) -> None:
    """What each member of each kind of content means when it changes."""
    assert edited(kind, edit) == kinds


def test_a_model_that_finds_something_else_measures_something_else() -> None:
    """A label more is a change of what is measured about people."""

    def edit(document: dict[str, Any]) -> None:
        document["labels"].append("mood")
        document["thresholds"]["mood"] = 5000
        document["scores"].append({**document["scores"][0], "label": "mood"})

    assert edited("model", edit) == {"loosening", "measured", "wording"}


def test_a_removal_slipped_into_a_wording_change_is_seen() -> None:
    """A new text beside a rule that is gone, a class that fell, or a placement further, is not of wording alone."""

    def slip(more: Edit) -> frozenset[str]:
        def edit(document: dict[str, Any]) -> None:
            document["reply"] = "Better: {{ summary }}"
            more(document)

        return edited("prompt", edit)

    assert slip(put("rules", [])) >= {"wording", "loosening", "measured"}
    assert slip(put("placement", "cloud")) == {"wording", "loosening"}
    assert slip(put("inputs.properties.notes.x-data-class", "R0")) == {"wording", "contract", "loosening"}


@pytest.mark.parametrize("laxer", [{"x-data-class": "R0"}, {"x-untrusted": False}])
def test_an_input_put_under_another_name_does_not_lose_its_class(laxer: dict[str, Any]) -> None:
    """Renaming a sensitive input to a harmless one, or to one that nobody else writes, is a loosening all the same."""

    def edit(document: dict[str, Any]) -> None:
        notes = document["inputs"]["properties"].pop("notes")
        document["inputs"]["properties"]["text"] = {**notes, **laxer}
        document["inputs"]["required"] = ["text"]
        document["instruction"] = "{{ text }}"

    assert edited("prompt", edit) == {"contract", "loosening", "wording"}


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_what_came_or_went_is_an_addition_or_a_removal(kind: str) -> None:
    """And of what is measured where it measures; a vocabulary loosens always."""
    data = canonical.encode(DOCUMENTS[kind])
    more = {"agreement": {"measured"}, "model": {"measured"}, "session-type": {"measured"}, "vocabulary": {"loosening"}}
    assert kinds_of_change(kind, None, data) == {"addition", *more.get(kind, ())}
    assert kinds_of_change(kind, data, None) == {"removal", *more.get(kind, ())}
    assert kinds_of_change(kind, data, data) - {"loosening"} == {"filing"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"a":1.5}', b"\xff", b'{"format":"x/1"}'], ids=repr)
def test_what_cannot_be_read_is_of_every_kind(kind: str, data: bytes) -> None:
    """Before, after, or on both sides."""
    good = canonical.encode(DOCUMENTS[kind]) if kind in DOCUMENTS else canonical.encode(rules().as_json())
    assert kinds_of_change(kind, good, data) == EVERY_CHANGE
    assert kinds_of_change(kind, data, good) == EVERY_CHANGE
    assert kinds_of_change(kind, None, data) == EVERY_CHANGE
    assert kinds_of_change("other", good, good) == EVERY_CHANGE
    assert kinds_of_change(kind, None, None) == EVERY_CHANGE


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_every_member_is_known_to_some_kind_of_change(kind: str) -> None:
    """A member more or less that the parsers might take one day is of every kind until somebody says what it means."""
    for name in DOCUMENTS[kind]:
        assert edited(kind, lambda document, name=name: document.pop(name)) == EVERY_CHANGE
    assert edited(kind, put("new_member", 1)) == EVERY_CHANGE


def approval(*more: ApprovalRule, **days: int) -> bytes:
    """Return approval rules of two people for each tier, and more rules."""
    made = tier_rules({f"R{n}": AtLeast(2, ("compliance", "facilitator")) for n in range(5)}, *more)
    return canonical.encode(dataclasses.replace(made, **days).as_json())


MEASURED = ApprovalRule("measured", "they have a say", When(changes=("measured",)), "employee-representative")


def test_approval_rules_loosen_unless_they_are_sure_not_to() -> None:
    """A rule more tightens, a rule less loosens, and so does anything that is not proved."""
    fewer = rules(R2=1)
    assert kinds_of_change("approval-rules", approval(), approval(MEASURED)) == {"tightening"}
    assert kinds_of_change("approval-rules", approval(), approval(grant_days=57)) == {"loosening"}
    assert kinds_of_change("approval-rules", approval(), approval(grant_days=55)) == {"tightening"}
    assert "loosening" in kinds_of_change("approval-rules", approval(), canonical.encode(fewer.as_json()))
    assert kinds_of_change("approval-rules", approval(), approval(dataclasses.replace(MEASURED, id="m2"))) == {
        "tightening"
    }
    emergency = dataclasses.replace(tier_rules({"R0": "compliance"}), emergency="compliance")
    calm = dataclasses.replace(emergency, emergency=AtLeast(1, ("compliance", "facilitator")))
    data = [canonical.encode(one.as_json()) for one in (emergency, calm)]
    assert kinds_of_change("approval-rules", *data) == {"loosening"}
    assert kinds_of_change("approval-rules", *reversed(data)) == {"tightening"}


def test_a_rule_that_opens_what_nobody_could_approve_loosens() -> None:
    """Where a change was refused because no rule applied, a new rule is a way, not one more condition."""
    closed = ApprovalRules((ApprovalRule("low", "b", When(tiers=("R0",)), "compliance"),), "compliance")
    opened = dataclasses.replace(
        closed, rules=(*closed.rules, ApprovalRule("r4", "b", When(tiers=("R4",)), "author-x"))
    )
    data = [canonical.encode(one.as_json()) for one in (closed, opened)]
    assert kinds_of_change("approval-rules", *data) == {"loosening", "measured"}


@pytest.mark.parametrize(
    "weaker",
    [
        (),
        (dataclasses.replace(MEASURED, need=AtLeast(1, ("employee-representative", "compliance"))),),
        *(
            (dataclasses.replace(MEASURED, when=dataclasses.replace(MEASURED.when, **narrower)),)
            for narrower in (
                {"tiers": ("R4",)},
                {"kinds": ("model",)},
                {"paths": ("model/*",)},
                {"at_least_changed": 2},
                {"changes": ("wording",)},
            )
        ),
    ],
)
def test_attack_rules_that_drop_whoever_is_measured_before_measuring_more(weaker: tuple[ApprovalRule, ...]) -> None:
    """A rule about what is measured that goes, asks for others or fits less often is a change of what is measured."""
    assert kinds_of_change("approval-rules", approval(MEASURED), approval(*weaker)) == {"loosening", "measured"}
    longer = kinds_of_change("approval-rules", approval(MEASURED), approval(MEASURED, grant_days=57))
    assert longer == {"loosening"}, "what has nothing to do with it is none"


def test_attack_other_words_for_what_is_looked_for_in_a_text() -> None:
    """An attribute or a value more is one that people are looked at for; scripts may have rules in each of them."""
    words = vocabulary_document(DEFAULT_VOCABULARY)
    more = {**words, "sensitivities": {**words["sensitivities"], "mood": {"set": ["low"]}}}
    made = [encode_policy(Policy(read_vocabulary(one), Layer("organisation", Route.CLOUD))) for one in (words, more)]
    assert {"loosening", "measured"} <= kinds_of_change("policy", *made)

    def edit(document: dict[str, Any]) -> None:
        document["sensitivities"]["mood"] = {"set": ["low"]}
        document["meanings"]["mood"] = "How somebody feels."

    assert {"loosening", "measured"} <= edited("vocabulary", edit)


def entry(kind: str, name: str, data: bytes, *, tier: str = "R4", epoch: int = 1) -> Entry:
    return Entry(kind, name, epoch, canonical.digest(data), tier, "p-maya")


def changes(before: dict[Entry, bytes], after: dict[Entry, bytes]) -> dict[tuple[str, str], Changed]:
    """Return what changes between two sets of entries, asked with just the closures that are needed."""
    keyed = [{one.key: one for one in side} for side in (before, after)]
    wanted = changed_digests(*keyed)
    closures = {one.digest: data for side in (before, after) for one, data in side.items() if one.digest in wanted}
    return {change.key: change for change in find_changes(*keyed, closures)}


def test_a_policy_put_under_another_name_is_compared_all_the_same() -> None:
    """Removing the policy and adding a looser one under a new name is a loosening, not just an addition."""
    strict = encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.DEVICE)))
    loose = encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD)))
    found = changes({entry("policy", "organisation", strict): strict}, {entry("policy", "another", loose): loose})
    assert found["policy", "another"].changes == ("addition", "loosening")
    assert found["policy", "organisation"].changes == ("removal",)


def test_a_tier_stated_lower_is_a_loosening_whatever_the_bytes() -> None:
    """The entry's tier counts, for kinds whose content states none too."""
    data = canonical.encode(DOCUMENTS["include"])
    found = changes(
        {entry("include", "a", data, tier="R3"): data}, {entry("include", "a", data, tier="R1", epoch=2): data}
    )
    assert found["include", "a"].changes == ("filing", "loosening")


def test_a_content_that_is_not_there_is_of_every_kind() -> None:
    """A server that lost a closure asks for all, never for the least."""
    data = canonical.encode(DOCUMENTS["include"])
    one = entry("include", "a", data)
    [found] = find_changes({one.key: one}, {one.key: one._replace(epoch=2)}, {})
    assert found.changes == CHANGES


def test_paths_are_those_before_and_after() -> None:
    """What is moved out of a guarded folder is judged there too; unfiled content stands at the top."""
    old = canonical.encode(prompt_document(folder="safety/crisis"))
    new = canonical.encode(prompt_document(folder=""))
    found = changes({entry("prompt", "opener", old): old}, {entry("prompt", "opener", new, epoch=2): new})
    assert found["prompt", "opener"].paths == ("prompt/opener", "prompt/safety/crisis/opener")
    assert path_of("approval-rules", "approval-rules", approval()) == "approval-rules/approval-rules"
    assert path_of("prompt", "x", b"broken") == "prompt/x"


def test_what_stays_is_not_listed_and_needs_no_content() -> None:
    """One change in a library asks for its two contents and the policy, not for the library."""
    policy = canonical.encode(DOCUMENTS["policy"])
    kept = {entry("policy", "organisation", policy): policy}
    kept |= {entry("prompt", f"p{n}", str(n).encode()): str(n).encode() for n in range(50)}
    old, new = (canonical.encode(prompt_document(title=title)) for title in ("a", "b"))
    before, after = {**kept, entry("prompt", "x", old): old}, {**kept, entry("prompt", "x", new, epoch=2): new}
    assert len(changed_digests({e.key: e for e in before}, {e.key: e for e in after})) == 3
    assert changes(before, after) == {("prompt", "x"): Changed("prompt", "x", ("wording",), ("prompt/x",))}
    assert changed_digests({e.key: e for e in before}, {e.key: e for e in before}) == frozenset()


def test_rules_of_scripts_are_read_in_the_words_of_the_release_s_policy() -> None:
    """A script's rule about a word that only this organisation has is compared, not taken for unreadable."""
    words = vocabulary_document(DEFAULT_VOCABULARY)
    words = {**words, "sensitivities": {**words["sensitivities"], "mood": {"set": ["low"]}}}
    policy = encode_policy(Policy(read_vocabulary(words), Layer("organisation", Route.CLOUD)))
    document = prompt_document(rules=[{**RULE, "when": {"mood": {"any_of": ["low"]}}}])
    old, new, looser = (canonical.encode({**document, **more}) for more in ({}, {"title": "New"}, {"rules": []}))
    kept = {entry("policy", "organisation", policy): policy}

    def kinds(after: bytes) -> tuple[str, ...]:
        sides = [{**kept, entry("prompt", "x", data, epoch=n): data} for n, data in enumerate((old, after), 1)]
        return changes(*sides)["prompt", "x"].changes

    assert kinds(new) == ("wording",)
    assert kinds(looser) == ("loosening", "wording")
    assert kinds_of_change("prompt", old, new) == EVERY_CHANGE
