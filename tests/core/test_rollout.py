"""Rollout by stages: what a device draws, what words open or halt, and every way to open more than people signed."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import dsse
from edge_runtime.core.asked import settings_changes
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.manifest import PREVIOUS, Manifest
from edge_runtime.core.release import encode_release, parse_release
from edge_runtime.core.rollout import (
    Rollout,
    encode_words,
    loosens_stages,
    parse_words,
    read_rollout,
    verify_plan,
)
from edge_runtime.core.trust import adopt
from tests.simulator import CHANNEL, Organisation

STAGES = (1, 10, 50, 100)


@pytest.fixture
def organisation() -> Organisation:
    """An organisation with a release in four stages."""
    made = Organisation()
    manifest = made.build(made.base_documents(), stages=STAGES)
    made.vouch(manifest, (("p-tom", "facilitator"), ("p-ines", "compliance")))
    made.manifest = manifest
    return made


def live(organisation: Organisation) -> Manifest:
    assert organisation.manifest is not None
    return organisation.manifest


def said(organisation: Organisation, *acts: str, **changes: str) -> list[dsse.Envelope]:
    """Return linked words of the release manager about the release."""
    organisation.words.clear()
    for act in acts:
        organisation.say(act, **changes)
    return list(organisation.words)


def read(organisation: Organisation, words: list[dsse.Envelope], seen: Rollout | None = None) -> Rollout:
    head = live(organisation).encode().split(b"\n")[0]
    return read_rollout(head, words, keyring=organisation.trust().people, seen=seen)


def test_each_word_opens_one_stage_of_those_that_people_signed(organisation: Organisation) -> None:
    """Without a word the first stage is open; three words open all of four."""
    for opened, percent in enumerate(STAGES):
        rollout = read(organisation, said(organisation, *["open"] * opened))
        assert (rollout.stage, rollout.of, rollout.percent) == (opened + 1, 4, percent)
        assert (rollout.release, rollout.halted) == (1, False)


def test_a_halt_lets_nobody_in_any_more(organisation: Organisation) -> None:
    """Whoever may stop things may halt; no place is low enough then."""
    rollout = read(organisation, said(organisation, "open", "halt"))
    assert (rollout.stage, rollout.halted) == (2, True)
    assert not any(rollout.admits(bytes([n]) * 32) for n in range(256))
    by_tom = said(organisation, "halt", person="p-tom", role="facilitator")
    assert read(organisation, by_tom).halted


@given(st.binary(min_size=32, max_size=32), st.integers(1, 100), st.integers(1, 100))
def test_who_is_in_at_a_percentage_is_in_at_every_higher_one(key: bytes, one: int, other: int) -> None:
    """Rollout is monotone, and at 100 % everybody is in."""
    low, high, everybody = (
        Rollout("sha256:x", 2, 1, 1, percent, False, ()) for percent in [*sorted((one, other)), 100]
    )
    assert not low.admits(key) or high.admits(key)
    assert everybody.admits(key)


def test_places_are_spread_evenly_and_drawn_anew_for_each_release() -> None:
    """Of 4,000 devices about a tenth is in at 10 %, and in another release it is another tenth."""
    keys = [number.to_bytes(32) for number in range(4000)]
    first, second = (Rollout(f"sha256:{name}", 2, 1, 1, 10, False, ()) for name in "ab")
    chosen, others = ({key for key in keys if one.admits(key)} for one in (first, second))
    assert 340 < len(chosen) < 460
    assert 340 < len(others) < 460
    assert len(chosen & others) < 80


def test_an_emergency_and_a_manifest_of_the_version_before(organisation: Organisation) -> None:
    """An emergency goes to everybody at once; stages of the version before are read alike."""
    calm, organisation.manifest = live(organisation), dataclasses.replace(live(organisation), emergency=True)
    assert read(organisation, []).percent == 100
    organisation.manifest = dataclasses.replace(calm, version=PREVIOUS)
    assert read(organisation, said(organisation, "open")).percent == 10


def test_words_are_read_as_they_are_written(organisation: Organisation) -> None:
    """Round trip; another channel's are refused."""
    words = tuple(said(organisation, "open", "halt"))
    data = encode_words(CHANNEL, words)
    assert parse_words(data, CHANNEL) == words
    with pytest.raises(InvalidDocument):
        parse_words(data, "pilot")


def test_a_flipped_byte_in_the_words_is_refused(organisation: Organisation) -> None:
    """Whichever byte of the published words is flipped, nothing is opened by it."""
    data = encode_words(CHANNEL, said(organisation, "open"))
    for at in range(0, len(data), 7):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises((InvalidDocument, NotTrusted)):
            read(organisation, list(parse_words(flipped, CHANNEL)))


def refused(organisation: Organisation, words: list[dsse.Envelope], seen: Rollout | None = None) -> None:
    with pytest.raises(NotTrusted) as caught:
        read(organisation, words, seen)
    assert caught.value.check == "V6"


def test_attack_stage_changed_after_approval(organisation: Organisation) -> None:
    """A manifest that is the approved one but for its stages has nobody's approval: V6, and the state stays."""
    state = adopt(None, organisation.deliver()).state
    widened = dataclasses.replace(live(organisation), stages=(100,))
    organisation.log_release(widened)
    with pytest.raises(NotTrusted) as caught:
        adopt(None, organisation.deliver(widened))
    assert caught.value.check == "V6"
    assert state.manifest.stages == STAGES
    edited = parse_release(organisation.deliver().release)
    head = edited.manifest.replace(b'"stages":[1,10,50,100]', b'"stages":[100]')
    assert head != edited.manifest
    delivery = dataclasses.replace(
        organisation.deliver(), release=encode_release(dataclasses.replace(edited, manifest=head))
    )
    with pytest.raises(NotTrusted) as caught:
        adopt(None, delivery)
    assert caught.value.check == "V6"


def test_attack_opening_by_nobody_who_may(organisation: Organisation) -> None:
    """An approver, an author, somebody outside the keyring and a forged signature open nothing."""
    refused(organisation, said(organisation, "open", person="p-tom", role="facilitator"))
    refused(organisation, said(organisation, "open", person="p-maya", role="author"))
    refused(organisation, said(organisation, "open", person="p-eve", role="release-manager"))
    refused(organisation, said(organisation, "open", key="p-tom"))
    refused(organisation, said(organisation, "open", person="p-tom", role="release-manager"))


def test_attack_opening_replayed(organisation: Organisation) -> None:
    """A word about another release, channel or organisation, one said twice, or another act opens nothing."""
    refused(organisation, said(organisation, "open") * 2)
    refused(organisation, said(organisation, "open", channel="pilot"))
    organisation.words.clear()
    organisation.say("open", organisation="other")
    refused(organisation, organisation.words)
    refused(organisation, said(organisation, "approve", role="release-manager"))
    refused(organisation, said(organisation, "withdraw"))
    before = said(organisation, "open")
    organisation.manifest = dataclasses.replace(live(organisation), fresh_for_s=120)
    refused(organisation, before)


def test_attack_stage_beyond_those_approved(organisation: Organisation) -> None:
    """As many words as there are stages, or one after a halt, are refused."""
    refused(organisation, said(organisation, *["open"] * 4))
    refused(organisation, said(organisation, "halt", "open"))
    refused(organisation, said(organisation, "halt", "halt"))


def test_attack_halt_hidden(organisation: Organisation) -> None:
    """A device that saw a halt, or a stage open, refuses a list without it; a longer one it takes."""
    words = said(organisation, "open", "halt")
    seen = read(organisation, words)
    refused(organisation, words[:1], seen)
    refused(organisation, [], seen)
    refused(organisation, said(organisation, "open", "open"), seen)
    assert read(organisation, words, read(organisation, words[:1])) == seen


def test_fewer_devices_at_each_stage_tighten() -> None:
    """More stages, or lower ones, are a tightening of the release's settings; anything sooner is a loosening."""
    settings = (("en",), (100,), (), 60, 60, ())
    staged = (("en",), STAGES, (), 60, 60, ())
    assert settings_changes(settings, staged) == {"tightening"}  # type: ignore[arg-type]
    assert settings_changes(staged, settings) == {"loosening"}  # type: ignore[arg-type]
    assert not loosens_stages(STAGES, (1, 5, 10, 50, 100))
    assert loosens_stages(STAGES, (1, 10, 100))
    assert loosens_stages((), (100,)) is False


def test_a_plan_rises_to_everybody() -> None:
    """What a release is proposed with ends at 100 % and never goes back."""
    verify_plan(STAGES)
    verify_plan((100,))
    for plan in ((), (50,), (10, 10, 100), (50, 10, 100), (0, 100), (100, 101)):
        with pytest.raises(InvalidDocument):
            verify_plan(plan)
