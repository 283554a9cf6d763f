"""V6, the approvals: forged, missing, replayed, recombined, hidden, understated; each test is named for the attack."""

from __future__ import annotations

import dataclasses

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Layer, Policy, Route, encode_policy
from edge_runtime.core.quorum import AtLeast
from edge_runtime.core.trust import TrustState, adopt
from tests.core.adoption import prompt_change, refused
from tests.simulator import Organisation, prompt_document, rules, tier_rules

COMPLIANCE = [("p-ines", "compliance"), ("p-sam", "compliance")]


FAQ = ("prompt", "faq")


def test_a_release_without_approvals_is_refused_whatever_else_is_signed(
    organisation: Organisation, adopted: TrustState
) -> None:
    """A server with every key of its own but no approvals cannot ship a prompt."""
    forged = organisation.build(prompt_change())
    organisation.log_release(forged)

    refused("V6", organisation.deliver(forged, seen_size=adopted.checkpoint.size), adopted)


def test_a_forged_approval_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """An approval signed with another key than its person's is refused."""
    manifest = organisation.build(prompt_change())
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-tom", key="p-stranger"),
        organisation.state("approve", manifest, person="p-ines"),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


def test_an_approval_by_somebody_outside_the_keyring_is_refused(
    organisation: Organisation, adopted: TrustState
) -> None:
    """A signature counts only for people whom the trust file names."""
    manifest = organisation.build(prompt_change())
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-tom"),
        organisation.state("approve", manifest, person="p-stranger"),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


def test_an_approval_in_a_role_one_does_not_hold_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """A person signs only in roles the keyring makes them eligible for."""
    manifest = organisation.build(prompt_change())
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-tom", role="safety-owner"),
        organisation.state("approve", manifest, person="p-ines"),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


@pytest.mark.parametrize("approvers", [("p-tom",), ("p-maya", "p-tom"), ("p-tom", "p-tom")])
def test_too_few_distinct_people_are_refused(
    organisation: Organisation, adopted: TrustState, approvers: tuple[str, ...]
) -> None:
    """One approver, the author as approver, or one person twice never makes a quorum of two."""
    manifest = organisation.build(prompt_change())
    organisation.log_release(manifest)
    organisation.statements.append(organisation.state("author", manifest, person="p-maya", role="author"))
    organisation.statements += [
        organisation.state("approve", manifest, person=person, role=organisation.people[person][n % 2])
        for n, person in enumerate(approvers)
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


def test_an_approval_replayed_on_another_manifest_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """Approvals of one edit do not count for the next edit of the same prompt."""
    approved = organisation.build(prompt_change("first edit {{ notes }}"))
    organisation.statements += [
        organisation.state("author", approved, person="p-maya", role="author"),
        organisation.state("approve", approved, person="p-tom"),
        organisation.state("approve", approved, person="p-ines"),
    ]
    edited = organisation.build(prompt_change("second edit {{ notes }}"))
    organisation.statements.append(organisation.state("author", edited, person="p-maya", role="author"))
    organisation.log_release(edited)

    refused("V6", organisation.deliver(edited, seen_size=adopted.checkpoint.size), adopted)


def test_approved_parts_of_two_proposals_do_not_recombine(organisation: Organisation, adopted: TrustState) -> None:
    """A manifest of entries that were each approved, but never together, is refused."""
    other = {("prompt", "closer"): canonical.encode(prompt_document("closer"))}
    for part in (prompt_change(), other):
        manifest = organisation.build(part)
        organisation.statements += [
            organisation.state("author", manifest, person="p-maya", role="author"),
            organisation.state("approve", manifest, person="p-tom"),
            organisation.state("approve", manifest, person="p-ines"),
        ]
    both = organisation.build({**prompt_change(), **other})
    organisation.log_release(both)

    refused("V6", organisation.deliver(both, seen_size=adopted.checkpoint.size), adopted)


def test_a_changed_stage_or_locale_voids_the_approvals(organisation: Organisation, adopted: TrustState) -> None:
    """Locales, stages and freshness are inside what people signed."""
    approved = organisation.build(prompt_change())
    organisation.statements += [
        organisation.state("author", approved, person="p-maya", role="author"),
        organisation.state("approve", approved, person="p-tom"),
        organisation.state("approve", approved, person="p-ines"),
    ]
    for change in ({"stages": (1,)}, {"locales": ("de", "en")}, {"valid_for_s": 10**9}):
        altered = dataclasses.replace(approved, **change)
        organisation.log_release(altered)
        refused("V6", organisation.deliver(altered, seen_size=adopted.checkpoint.size), adopted)


def test_an_author_put_in_another_name_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """The server cannot name somebody else as author so that the author's own approval counts."""
    manifest = organisation.build(prompt_change(), author="p-sam")
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-maya", role="learning-designer"),
        organisation.state("approve", manifest, person="p-tom"),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


def test_the_floor_holds_when_the_rules_ask_for_less(organisation: Organisation, adopted: TrustState) -> None:
    """The trust file's floor is met whatever a release's own approval rules say."""
    organisation.floor["R2"] = 3
    organisation.release(prompt_change())

    refused("V6", organisation.deliver(seen_size=adopted.checkpoint.size), adopted)


def test_weaker_approval_rules_need_the_quorum_in_force_before(organisation: Organisation, adopted: TrustState) -> None:
    """A release that lowers the approval rules is judged by the rules it replaces."""
    weaker = {("approval-rules", "approval-rules"): canonical.encode(rules(R2=1, R3=1, R4=1).as_json())}
    organisation.release(weaker, approvers=("p-tom",))

    refused("V6", organisation.deliver(seen_size=adopted.checkpoint.size), adopted)


def tiered() -> tuple[Organisation, TrustState]:
    """Return an organisation with rules for each tier and a policy that keeps all on the device, and a device."""
    made = Organisation(floor={"R0": 1, "R1": 1, "R2": 1, "R3": 2, "R4": 2})
    coaches = ("learning-designer", "facilitator", "community-host")
    quorums = {
        "R0": AtLeast(1, coaches),
        "R1": AtLeast(1, coaches),
        "R2": AtLeast(2, coaches),
        "R3": AtLeast(2, coaches),
    }
    documents = made.base_documents()
    own = tier_rules({**quorums, "R4": AtLeast(2, ("compliance", "safety-owner"))})
    documents["approval-rules", "approval-rules"] = canonical.encode(own.as_json())
    documents["policy", "organisation"] = encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.DEVICE)))
    documents["prompt", "faq"] = canonical.encode(prompt_document("faq", tier="R0"))
    made.sign(documents, [("p-tom", "facilitator"), ("p-ines", "community-host"), *COMPLIANCE])
    return made, adopt(None, made.deliver()).state


def faq_change() -> dict[tuple[str, str], bytes]:
    return {FAQ: canonical.encode(prompt_document("faq", tier="R0", title="New"))}


@pytest.mark.parametrize("kind", ["policy", "approval-rules"])
def test_a_loosened_policy_under_a_low_stated_tier_is_refused(kind: str) -> None:
    """Policy and approval rules are of the highest tier, whatever a manifest states."""
    organisation, state = tiered()
    documents = {
        "policy": {("policy", "organisation"): organisation.base_documents()["policy", "organisation"]},
        "approval-rules": {("approval-rules", "approval-rules"): canonical.encode(rules(R2=1).as_json())},
    }[kind]
    manifest = organisation.build(documents)
    low = tuple(e._replace(tier="R0") if e.kind == kind else e for e in manifest.entries)
    manifest = dataclasses.replace(manifest, entries=low)
    organisation.vouch(manifest, [("p-tom", "facilitator")])

    refused("V6", organisation.deliver(manifest, seen_size=state.checkpoint.size), state)


def test_a_change_hidden_from_the_author_s_list_is_refused() -> None:
    """A draft that one person approved cannot ride on a harmless change that leaves it out of what it states."""
    organisation, state = tiered()
    draft = organisation.build(prompt_change("Do as you are told {{ notes }}"))
    organisation.statements += [
        organisation.state("author", draft, person="p-maya", role="author"),
        organisation.state("approve", draft, person="p-tom", role="facilitator"),
    ]
    manifest = organisation.build({**prompt_change("Do as you are told {{ notes }}"), **faq_change()})
    faq = [entry for entry in manifest.entries if entry.key == FAQ]
    organisation.vouch(manifest, [("p-tom", "facilitator")], refs=faq)

    refused("V6", organisation.deliver(manifest, seen_size=state.checkpoint.size), state)


@pytest.mark.parametrize("change", ["remove", "settings"])
def test_a_removal_or_new_settings_on_a_low_tier_change_are_refused(change: str) -> None:
    """What a release removes, and how long it says it is valid, count for its tier."""
    organisation, state = tiered()
    manifest = organisation.build(faq_change())
    if change == "remove":
        manifest = dataclasses.replace(manifest, entries=tuple(e for e in manifest.entries if e.name != "opener"))
    else:
        manifest = dataclasses.replace(manifest, valid_for_s=2**53 - 1)
    organisation.vouch(manifest, [("p-tom", "facilitator")])

    refused("V6", organisation.deliver(manifest, seen_size=state.checkpoint.size), state)


def test_a_low_tier_change_alone_needs_its_own_quorum_only() -> None:
    """The counterpart: a change of tier R0 passes with one approval."""
    organisation, state = tiered()
    manifest = organisation.build(faq_change())
    organisation.vouch(manifest, [("p-tom", "facilitator")])

    adopt(state.basis(), organisation.deliver(manifest, seen_size=state.checkpoint.size))


def test_an_approval_signed_as_author_or_administrator_does_not_count(
    organisation: Organisation, adopted: TrustState
) -> None:
    """The floor takes approvals in approvers' roles only."""
    manifest = organisation.build(prompt_change())
    organisation.people["p-tom"] = (*organisation.people["p-tom"], "author")
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-tom", role="author"),
        organisation.state("approve", manifest, person="p-ines"),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)


def test_a_device_that_missed_a_loosening_of_the_rules_follows() -> None:
    """P5: rules lowered by their quorum hold for what comes after, also on a device that missed that release."""
    organisation, state = tiered()
    one = tier_rules({**{t: AtLeast(2, ("compliance",)) for t in TIERS}, "R2": AtLeast(1, ("facilitator",))})
    organisation.sign({("approval-rules", "approval-rules"): canonical.encode(one.as_json())}, COMPLIANCE)
    organisation.sign(prompt_change("third {{ notes }}"), [("p-tom", "facilitator")])

    late = adopt(state.basis(), organisation.deliver(seen_size=state.checkpoint.size)).state

    assert late.manifest.number == 3
    assert adopt(None, organisation.deliver()).state.manifest == late.manifest


@pytest.mark.parametrize("change", [{"channel": "pilot"}, {"organisation": "other"}])
def test_a_statement_for_another_channel_or_organisation_does_not_count(
    organisation: Organisation, adopted: TrustState, change: dict[str, str]
) -> None:
    """An approval given for the pilot is none for production."""
    manifest = organisation.build(prompt_change())
    organisation.log_release(manifest)
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author"),
        organisation.state("approve", manifest, person="p-tom"),
        organisation.state("approve", manifest, person="p-ines", **change),
    ]

    refused("V6", organisation.deliver(manifest, seen_size=adopted.checkpoint.size), adopted)
