"""Adoption, V4 to V9: each test is an attack or a promise; a refusal leaves the old state as it was."""

from __future__ import annotations

import dataclasses

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.approval import ApprovalRules, Quorum
from edge_runtime.core.basis import encode_basis, parse_basis
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Layer, Policy, Route, encode_policy
from edge_runtime.core.release import ReleaseFile, encode_release, parse_release
from edge_runtime.core.trust import Delivery, TrustState, adopt, open_prompt
from tests.simulator import Organisation, prompt_document, rules


def prompt_change(text: str = "Summarise, briefly:\n{{ notes }}") -> dict[tuple[str, str], bytes]:
    return {("prompt", "opener"): canonical.encode(prompt_document(instruction=text))}


@pytest.fixture
def organisation() -> Organisation:
    """An organisation whose first release is out."""
    made = Organisation()
    made.release(made.base_documents())
    return made


@pytest.fixture
def adopted(organisation: Organisation) -> TrustState:
    """The state of a device that runs the first release."""
    return adopt(None, organisation.deliver()).state


def refused(check: str, delivery: Delivery, state: TrustState | None = None) -> NotTrusted:
    """Assert that `delivery` is refused at `check` and that the old state stayed as it was."""
    before = encode_basis(state.basis(), ()) if state else b""
    with pytest.raises(NotTrusted) as caught:
        adopt(state.basis() if state else None, delivery)
    assert caught.value.check == check, str(caught.value)
    assert (encode_basis(state.basis(), ()) if state else b"") == before
    return caught.value


def test_a_proper_release_is_adopted_with_every_check_named(organisation: Organisation) -> None:
    """A release with its approvals and log proof is adopted; V4 to V9 each say what was verified."""
    adoption = adopt(None, organisation.deliver())

    assert [step.check for step in adoption.steps] == ["V4", "V5", "V6", "V7", "V8", "V9"]
    assert adoption.state.manifest == organisation.manifest


def test_a_second_release_builds_on_the_first(organisation: Organisation, adopted: TrustState) -> None:
    """The next release is adopted on top of the last, with a log that grew."""
    seen = adopted.checkpoint.size
    organisation.release(prompt_change())

    state = adopt(adopted.basis(), organisation.deliver(seen_size=seen)).state

    assert state.manifest.number == 2
    assert state.epochs["prompt", "opener"] == 2


def test_adopting_the_same_release_again_is_harmless(organisation: Organisation, adopted: TrustState) -> None:
    """A refresh with nothing new verifies as before, also when the release tightened its own approval rules."""
    organisation.release({("approval-rules", "approval-rules"): canonical.encode(rules(R2=3, R3=3).as_json())})
    second = adopt(adopted.basis(), organisation.deliver(seen_size=adopted.checkpoint.size)).state

    again = adopt(second.basis(), organisation.deliver(seen_size=second.checkpoint.size)).state

    assert again == second


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


def test_rollback_to_an_older_release_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """An older release, however well signed, is not adopted after a newer one."""
    first = organisation.deliver()
    organisation.release(prompt_change())
    second = adopt(adopted.basis(), organisation.deliver(seen_size=adopted.checkpoint.size)).state

    refused("V6", first, second)


def test_an_old_epoch_of_one_prompt_in_a_new_release_is_refused(
    organisation: Organisation, adopted: TrustState
) -> None:
    """A prompt cannot be put back to an earlier approved text without a new epoch and new approvals."""
    old = organisation.manifest.find("prompt", "opener")  # type: ignore[union-attr]
    organisation.release(prompt_change())
    second = adopt(adopted.basis(), organisation.deliver(seen_size=adopted.checkpoint.size)).state
    manifest = organisation.build({})
    entries = tuple(old if e.key == ("prompt", "opener") else e for e in manifest.entries)
    back = dataclasses.replace(manifest, entries=entries)
    organisation.statements += [
        organisation.state("author", back, person="p-maya", role="author", refs=[]),
        organisation.state("approve", back, person="p-tom", refs=[old]),  # type: ignore[arg-type]
        organisation.state("approve", back, person="p-ines", refs=[old]),  # type: ignore[arg-type]
    ]
    organisation.log_release(back)

    refused("V6", organisation.deliver(back, seen_size=second.checkpoint.size), second)


def test_two_releases_of_one_number_are_told_apart(organisation: Organisation, adopted: TrustState) -> None:
    """A second release number 1 is refused by a device that has seen another one."""
    other = Organisation()
    other.release({**other.base_documents(), **prompt_change("another first release {{ notes }}")})

    refused("V6", other.deliver(), adopted)


def test_a_release_that_is_not_in_the_log_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """Without its own leaf a release is refused, however well approved."""
    organisation.release(prompt_change())
    organisation.leaves.pop()

    refused("V7", organisation.deliver(seen_size=adopted.checkpoint.size, index=0), adopted)


def test_a_log_that_was_rewritten_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """A log that does not contain what the device saw before is refused: the fleet witnesses it."""
    organisation.release(prompt_change())
    organisation.leaves[0] = organisation.leaves[0].replace(b"p-sam", b"p-tom")

    refused("V7", organisation.deliver(seen_size=1), adopted)


def test_a_checkpoint_of_another_key_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """Only the log key that the trust file names may sign the log."""
    organisation.release(prompt_change())
    delivery = organisation.deliver(seen_size=1)
    organisation.origin = "other.example/log"
    foreign = organisation.deliver(seen_size=1)

    refused("V7", dataclasses.replace(delivery, release=foreign.release), adopted)


def test_a_changed_policy_text_is_refused(organisation: Organisation) -> None:
    """A closure whose bytes do not have the approved digest is refused."""
    delivery = organisation.deliver()
    loose = encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.BLOCK)))
    swapped = dict.fromkeys(delivery.closures, loose)

    refused("V5", dataclasses.replace(delivery, closures=swapped))


def test_a_prompt_altered_on_disk_is_refused_when_it_is_used(organisation: Organisation, adopted: TrustState) -> None:
    """V5 holds on first use too: other bytes under an approved name do not run."""
    with pytest.raises(NotTrusted, match="digest") as caught:
        open_prompt(adopted, "opener", canonical.encode(prompt_document(fallback="altered")))
    assert caught.value.check == "V5"


def test_a_withdrawn_prompt_stops_and_stays_stopped_when_the_list_vanishes(
    organisation: Organisation, adopted: TrustState
) -> None:
    """After a withdrawal the prompt does not open; a shorter list later is refused."""
    full = organisation.closures[organisation.manifest.find("prompt", "opener").digest]  # type: ignore[union-attr]
    organisation.withdraw("prompt", "opener")
    state = adopt(adopted.basis(), organisation.deliver(seen_size=1)).state
    with pytest.raises(NotTrusted, match="withdrawn"):
        open_prompt(state, "opener", full)

    organisation.withdrawals.clear()

    refused("V6", organisation.deliver(seen_size=1), state)


def test_a_model_that_this_device_does_not_hold_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """V8: a release that relies on an unknown model file is refused."""
    from edge_runtime.core.manifest import Model

    manifest = organisation.build({}, models=(Model("reader", "sha256:" + "0" * 64, 1),))
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author", refs=[]),
        organisation.state("approve", manifest, person="p-tom", role="facilitator", refs=[]),
        organisation.state("approve", manifest, person="p-ines", refs=[]),
    ]
    organisation.log_release(manifest)

    refused("V8", organisation.deliver(manifest, seen_size=1), adopted)


def test_every_byte_of_a_release_counts(organisation: Organisation) -> None:
    """Flipping any one byte of the release file, trust file or a closure is refused with a typed error."""
    delivery = organisation.deliver()
    for name in ("release", "trust", "withdrawals"):
        data = getattr(delivery, name)
        for at in range(0, len(data), 7 if len(data) > 4000 else 1):
            flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            altered = dataclasses.replace(delivery, **{name: flipped})
            if name == "trust":
                # TUF vouches for the trust file (V3); here only that nothing but our own errors come out
                try:
                    adopt(None, altered)
                except MentorplaneError:
                    continue
            else:
                with pytest.raises(MentorplaneError):
                    adopt(None, altered)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"a":1.5}',
        b'{"a":9007199254740993}',
        b'{"a":1,"a":1}',
        b'{ "a":1}',
        b"[" * 2000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"\xff\xfe",
    ],
)
def test_malformed_documents_are_refused(data: bytes) -> None:
    """Floats, big integers, duplicate keys, other spellings and deep nesting are refused before any meaning is read."""
    with pytest.raises(InvalidDocument):
        parse_release(data)


def test_basis_round_trip(organisation: Organisation, adopted: TrustState) -> None:
    """What a generation was adopted on reads back as it was written."""
    growth = (b"\x01" * 32,)

    assert parse_basis(encode_basis(adopted.basis(), growth)) == (adopted.basis(), growth)
    assert parse_basis(encode_basis(None, ())) == (None, ())


def test_release_round_trip(organisation: Organisation) -> None:
    """A release file reads back as it was written, and writes the same bytes."""
    data = organisation.deliver().release

    assert encode_release(parse_release(data)) == data
    assert isinstance(parse_release(data), ReleaseFile)


def tiered() -> tuple[Organisation, TrustState]:
    """Return an organisation with rules for each tier and a policy that keeps all on the device, and a device."""
    made = Organisation(floor={"R0": 1, "R1": 1, "R2": 1, "R3": 2, "R4": 2})
    coaches = ("learning-designer", "facilitator", "community-host")
    quorums = {"R0": Quorum(1, coaches), "R1": Quorum(1, coaches), "R2": Quorum(2, coaches), "R3": Quorum(2, coaches)}
    documents = made.base_documents()
    own = ApprovalRules({**quorums, "R4": Quorum(2, ("compliance", "safety-owner"))})
    documents["approval-rules", "approval-rules"] = canonical.encode(own.as_json())
    documents["policy", "organisation"] = encode_policy(Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.DEVICE)))
    documents["prompt", "faq"] = canonical.encode(prompt_document("faq", tier="R0"))
    made.sign(documents, [("p-tom", "facilitator"), ("p-ines", "community-host"), *COMPLIANCE])
    return made, adopt(None, made.deliver()).state


NOWHERE = "sha256:" + "0" * 64
COMPLIANCE = [("p-ines", "compliance"), ("p-sam", "compliance")]
FAQ = ("prompt", "faq")


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
    low = tuple(dataclasses.replace(e, tier="R0") if e.kind == kind else e for e in manifest.entries)
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
    one = ApprovalRules({**{t: Quorum(2, ("compliance",)) for t in TIERS}, "R2": Quorum(1, ("facilitator",))})
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


@pytest.mark.parametrize(
    "change", [{"channel": "pilot"}, {"organisation": "other"}, {"previous": "sha256:" + "0" * 64}]
)
def test_a_withdrawal_of_elsewhere_or_out_of_order_is_refused(
    organisation: Organisation, adopted: TrustState, change: dict[str, str]
) -> None:
    """A withdrawal names its channel and organisation, and the withdrawal before it."""
    organisation.withdraw("prompt", "opener", **change)

    refused("V6", organisation.deliver(seen_size=1), adopted)


def test_a_hand_off_text_cannot_be_withdrawn(organisation: Organisation, adopted: TrustState) -> None:
    """P6: a withdrawal that names a hand-off text is refused by the device."""
    text = {("handoff", "help"): canonical.encode(prompt_document("help", tier="R4", placement="device"))}
    organisation.release(text)
    state = adopt(adopted.basis(), organisation.deliver(seen_size=1)).state
    organisation.withdraw("handoff", "help")

    refused("V6", organisation.deliver(seen_size=2), state)


def test_a_leaf_of_another_act_does_not_prove_a_release(organisation: Organisation, adopted: TrustState) -> None:
    """V7: the leaf must say released, and of this manifest."""
    manifest = organisation.release(prompt_change())
    organisation.leaves[-1] = organisation.leaves[-1].replace(b'"released"', b'"rejected"')

    refused("V7", organisation.deliver(manifest, seen_size=1), adopted)


def test_a_release_on_another_base_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """The next release builds on the one in use, by its digest."""
    manifest = organisation.build(prompt_change(), base="sha256:" + "0" * 64)
    organisation.vouch(manifest, [("p-tom", "facilitator"), ("p-ines", "community-host")])

    refused("V6", organisation.deliver(manifest, seen_size=1), adopted)


def test_a_prompt_of_another_name_or_tier_inside_does_not_open(organisation: Organisation) -> None:
    """The bytes of a prompt say the name and tier that were approved."""
    data = canonical.encode(prompt_document("other"))
    organisation.release({("prompt", "closer"): data})
    state = adopt(None, organisation.deliver()).state

    with pytest.raises(InvalidDocument, match="inside"):
        open_prompt(state, "closer", data)
