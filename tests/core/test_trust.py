"""Adoption, V4 to V9 but for the approvals: each test is an attack or a promise; a refusal leaves the old state."""

from __future__ import annotations

import dataclasses

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.approval import Changed
from edge_runtime.core.basis import encode_basis, parse_basis
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Layer, Policy, Route, encode_policy
from edge_runtime.core.release import ReleaseFile, encode_release, parse_release
from edge_runtime.core.trust import TrustState, adopt, open_prompt, running
from tests.conftest import places
from tests.core.adoption import prompt_change, refused
from tests.simulator import Organisation, prompt_document, rules

NOWHERE = "sha256:" + "0" * 64


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
    """After a withdrawal nothing runs under its name; a shorter list later is refused."""
    organisation.withdraw("prompt", "opener")
    state = adopt(adopted.basis(), organisation.deliver(seen_size=1)).state
    assert running(adopted, "opener") is not None
    assert running(state, "opener") is None

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


@pytest.mark.sampled
def test_every_byte_of_a_release_counts(organisation: Organisation) -> None:
    """Flipping any one byte of the release file, trust file or a closure is refused with a typed error."""
    delivery = organisation.deliver()
    for name in ("release", "trust", "withdrawals"):
        data = getattr(delivery, name)
        for at in places(len(data), about=150):
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
    changes = (Changed("prompt", "opener", ("wording",), ("prompt/opener",)),)

    assert parse_basis(encode_basis(adopted.basis(), growth, changes)) == (adopted.basis(), growth, changes)
    assert parse_basis(encode_basis(adopted.basis(), growth, ())) == (adopted.basis(), growth, ())
    assert parse_basis(encode_basis(None, ())) == (None, (), None)


def test_release_round_trip(organisation: Organisation) -> None:
    """A release file reads back as it was written, and writes the same bytes."""
    data = organisation.deliver().release

    assert encode_release(parse_release(data)) == data
    assert isinstance(parse_release(data), ReleaseFile)


@pytest.mark.parametrize(
    "change",
    [
        {"channel": "pilot"},
        {"organisation": "other"},
        {"previous": "sha256:" + "0" * 64},
        {"role": "author", "person": "p-maya"},
    ],
)
def test_a_withdrawal_of_elsewhere_or_out_of_order_is_refused(
    organisation: Organisation, adopted: TrustState, change: dict[str, str]
) -> None:
    """A withdrawal names its channel and organisation, the withdrawal before it, and a role that may stop things."""
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
