"""Mandates: whoever approves held the role when the log took the approval; the log's word, or that of witnesses.

The attacker holds the online keys and the key of the log, and the keys of people whose term has ended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from audit.checkpoint import cosign
from audit.note import add_signatures
from audit.record import Act, LeafObject
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.grants import Grant
from edge_runtime.core.mandates import Mandates, encode_mandates, parse_mandates
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.release import divide_release, encode_release
from edge_runtime.core.trust import Delivery, TrustState, adopt
from edge_runtime.core.trustfile import Term, encode_trust, parse_trust
from tests.mandates import granted, mandates_for, seconds, terms_until
from tests.simulator import AT, ORGANISATION, PEOPLE, Organisation, prompt_document, unsafe_witness

BEFORE, LATER = "2026-02-01T09:30:00Z", "2026-03-20T09:30:00Z"
TERM_END = "2026-03-10T09:30:00Z"
WORDING = {("prompt", "opener"): canonical.encode(prompt_document(instruction="Briefly:\n{{ notes }}"))}
ROLE = "facilitator"
GRANT = Grant("g-1", ORGANISATION, "p-tom", ROLE, since="2026-03-02T09:00:00Z", until="2026-04-20T09:30:00Z")
"""To Tom, from half an hour before what is signed."""


@pytest.fixture
def organisation() -> Organisation:
    """An organisation whose first terms end in eight days, with one release."""
    made = Organisation()
    terms_until(made, TERM_END)
    made.release(made.base_documents())
    return made


@pytest.fixture
def witnessed(organisation: Organisation) -> Organisation:
    """The same, with three witnesses, of whom it takes two."""
    organisation.witnesses, organisation.cosigning = (1, 2, 3), (1, 2)
    organisation.witnessed_from = len(organisation.leaves)
    return organisation


def seen(organisation: Organisation) -> TrustState:
    """Return what a device knows that adopted what is released."""
    return adopt(None, organisation.deliver()).state


def next_release(organisation: Organisation, *approvers: str, at: str = AT, **cosigned: str) -> Manifest:
    """Have the next release approved at a time, and the checkpoint over each approval cosigned at others."""
    manifest = organisation.build(WORDING)
    organisation.statements.append(organisation.state("author", manifest, person="p-maya", role="author"))
    for person in approvers or ("p-tom", "p-ines"):
        envelope = organisation.state("approve", manifest, person=person, at=at)
        organisation.statements.append(envelope)
        if when := cosigned.get(person.removeprefix("p-")):
            size = len(organisation.leaves) + len(cosigned)
            organisation.cosigned[canonical.digest(envelope.payload)] = (size, seconds(when))
    organisation.log_release(manifest)
    return manifest


def delivered(organisation: Organisation, manifest: Manifest, state: TrustState) -> Delivery:
    """Return what a device fetches that knows the release before."""
    return organisation.deliver(manifest, seen_size=state.checkpoint.size)


def altered(
    organisation: Organisation, manifest: Manifest, state: TrustState, change: Callable[[Mandates], Mandates]
) -> Delivery:
    """Return the same with other mandates."""
    usual = delivered(organisation, manifest, state)
    mandates = encode_mandates(change(parse_mandates(mandates_for(organisation, manifest))))
    log = organisation.proof(len(organisation.leaves) - 1)
    release, parts = divide_release(manifest.encode(), organisation.statements, log, mandates=mandates)
    return dataclasses.replace(usual, release=encode_release(release), parts=parts)


def under(note: bytes) -> Callable[[Mandates], Mandates]:
    """Return what puts every approval under the same checkpoint."""
    return lambda mandates: dataclasses.replace(mandates, checkpoints=(note,) * len(mandates.checkpoints))


def refused(state: TrustState, delivery: Delivery, match: str, check: str = "V6") -> None:
    """Assert that a delivery is refused, and that what is known is as it was."""
    before = state.basis()
    with pytest.raises(NotTrusted, match=match) as caught:
        adopt(before, delivery)
    assert caught.value.check == check
    assert state.basis() == before


def test_approvals_in_the_first_term_are_adopted(organisation: Organisation) -> None:
    """Everybody's first term is in force: the release is adopted, and what is kept opens again."""
    state = seen(organisation)
    manifest = next_release(organisation)
    after = adopt(state.basis(), delivered(organisation, manifest, state)).state
    assert after.manifest.number == 2


def test_a_trust_file_without_terms_asks_for_no_mandates(organisation: Organisation) -> None:
    """The version before of the trust file knows no terms: releases without mandates are adopted, as they were."""
    organisation.terms = None
    assert encode_trust(organisation.trust()).startswith(b'{"floor"')
    assert b'"mentorplane-trust/3"' in encode_trust(organisation.trust())
    assert seen(organisation).manifest.number == 1


def test_attack_mandates_left_out(organisation: Organisation) -> None:
    """A release that proves nothing, in this version or the one before, is refused where the trust file has terms."""
    state = seen(organisation)
    manifest = next_release(organisation)
    log = organisation.proof(len(organisation.leaves) - 1)
    usual = delivered(organisation, manifest, state)
    release, parts = divide_release(manifest.encode(), organisation.statements, log)
    refused(state, dataclasses.replace(usual, release=encode_release(release), parts=parts), "got none")
    refused(
        state, altered(organisation, manifest, state, lambda one: dataclasses.replace(one, approvals=())), "without"
    )


def test_attack_approval_after_the_term_ended(organisation: Organisation) -> None:
    """Signed and logged after everybody's term: refused, whether they write the true time or an earlier one."""
    state = seen(organisation)
    refused(state, delivered(organisation, next_release(organisation, at=LATER), state), "first term")


def test_attack_back_dated_approval_that_witnesses_saw_later(witnessed: Organisation) -> None:
    """The statement and the log's own entry say a time before the end; the quorum cosigned after it: refused."""
    state = seen(witnessed)
    late = next_release(witnessed, at=BEFORE, tom=LATER, ines=AT)
    refused(state, delivered(witnessed, late, state), "first term")


def test_an_approval_that_witnesses_saw_in_time_counts_after_the_term(witnessed: Organisation) -> None:
    """What was cosigned before the end is released after it: decided in time stays decided."""
    state = seen(witnessed)
    manifest = next_release(witnessed, at=AT, tom=AT, ines=AT)
    assert adopt(state.basis(), delivered(witnessed, manifest, state)).state.manifest.number == 2


def test_attack_a_later_checkpoint_in_place_of_the_first(witnessed: Organisation) -> None:
    """A checkpoint that was cosigned after the end proves nothing about before: refused, unlike the first one."""
    state = seen(witnessed)
    manifest = next_release(witnessed, at=AT, tom=AT, ines=AT)
    later = witnessed.checkpoint(at_s=seconds(LATER))
    whole = len(witnessed.leaves)
    witnessed.cosigned = {one: (whole, at_s) for one, (_, at_s) in witnessed.cosigned.items()}
    refused(state, altered(witnessed, manifest, state, under(later)), "first term")


def test_attack_an_earlier_checkpoint_that_lacks_the_approval(witnessed: Organisation) -> None:
    """A checkpoint from before the approval was logged, cosigned in time, does not hold it: refused."""
    state = seen(witnessed)
    early = witnessed.checkpoint(at_s=seconds(BEFORE))
    manifest = next_release(witnessed, at=LATER, tom=LATER, ines=LATER)
    refused(state, altered(witnessed, manifest, state, under(early)), "in the log")


def test_attack_a_checkpoint_that_too_few_witnesses_cosigned(witnessed: Organisation) -> None:
    """One of the two that it takes says that the approval came in time: refused at V7."""
    state = seen(witnessed)
    manifest = next_release(witnessed, at=LATER, tom=AT, ines=AT)
    witnessed.cosigning = (1,)
    few = witnessed.checkpoint(witnessed.cosigned.popitem()[1][0], at_s=seconds(AT))
    witnessed.cosigning = (1, 2)
    witnessed.cosigned = dict.fromkeys(witnessed.logged, (len(witnessed.leaves) - 1, seconds(AT)))
    refused(state, altered(witnessed, manifest, state, under(few)), "witness policy", check="V7")


def test_attack_one_witness_of_the_quorum_signs_an_early_time(witnessed: Organisation) -> None:
    """The time that counts is that by which a quorum had cosigned, not the earliest of any one witness: refused."""
    state = seen(witnessed)
    manifest = next_release(witnessed, at=LATER, tom=LATER, ines=LATER)
    size = len(witnessed.leaves) - 1
    witnessed.cosigned = {one: (size, seconds(LATER)) for one in witnessed.cosigned}
    witnessed.cosigning = (2,)
    note = witnessed.checkpoint(size, at_s=seconds(LATER))
    note = add_signatures(note, cosign(note, unsafe_witness(1), time_s=seconds(BEFORE)))
    witnessed.cosigning = (1, 2)
    refused(state, altered(witnessed, manifest, state, under(note)), "first term")


def test_attack_an_own_checkpoint_where_no_witness_is_asked(organisation: Organisation) -> None:
    """Without witnesses, approvals stand under the checkpoint of the release, of the log that the device saw grow."""
    state = seen(organisation)
    manifest = next_release(organisation, tom=AT, ines=AT)
    refused(state, delivered(organisation, manifest, state), "under the checkpoint of the release")


def test_attack_the_proof_of_another_entry(organisation: Organisation) -> None:
    """The place of one approval with the bytes of another, or an entry about another act or statement: refused."""
    state = seen(organisation)
    manifest = next_release(organisation)

    def swap(mandates: Mandates) -> Mandates:
        tom, ines = mandates.approvals
        return dataclasses.replace(mandates, approvals=(dataclasses.replace(tom, entry=ines.entry), ines))

    def misplace(mandates: Mandates) -> Mandates:
        tom, ines = mandates.approvals
        entry = dataclasses.replace(tom.entry, index=ines.entry.index)
        return dataclasses.replace(mandates, approvals=(dataclasses.replace(tom, entry=entry), ines))

    refused(state, altered(organisation, manifest, state, swap), "this very approval")
    refused(state, altered(organisation, manifest, state, misplace), "in the log")
    [tom, _] = list(organisation.logged.values())[-2:]
    organisation.leaves[tom] = organisation.leaves[tom].replace(b'"approved"', b'"rejected"')
    refused(state, delivered(organisation, manifest, state), "this very approval")


def test_a_grant_after_the_first_term_is_adopted(witnessed: Organisation) -> None:
    """Two people granted the role anew: an approval while that is in force counts, and none without it."""
    state = seen(witnessed)
    assert witnessed.terms is not None
    witnessed.terms["p-tom"] = Term("")
    proof = granted(witnessed, GRANT, "p-ines", "p-sam")
    manifest = next_release(witnessed)
    refused(state, delivered(witnessed, manifest, state), "first term")
    witnessed.mandated["p-tom"] = (proof,)
    assert adopt(state.basis(), delivered(witnessed, manifest, state)).state.manifest.number == 2


GRANTS = {
    "ended by then": ({"until": AT}, ("p-ines", "p-sam"), "begun and not ended"),
    "not begun": ({"since": "2026-03-02T10:00:00Z"}, ("p-ines", "p-sam"), "begun and not ended"),
    "of another role": ({"role": "learning-designer"}, ("p-ines", "p-sam"), "own role"),
    "to somebody else": ({"person": "p-maya", "role": "learning-designer"}, ("p-ines", "p-sam"), "own role"),
    "by one person": ({}, ("p-ines",), "second person"),
    "by the holder": ({}, ("p-tom", "p-ines"), "other than whom"),
    "of another organisation": ({"organisation": "other"}, ("p-ines", "p-sam"), "this organisation"),
    "not taken over": ({"previous": "g-0"}, ("p-ines", "p-sam"), "taken over"),
    "delegated by a stranger": ({"behalf": "p-sam"}, ("p-ines",), "lacks"),
}


@pytest.mark.parametrize("how", GRANTS)
def test_attack_a_grant_that_does_not_give_the_role(organisation: Organisation, how: str) -> None:
    """Ended, not begun, of another role or person, signed by too few, of another organisation: refused."""
    state = seen(organisation)
    changes, signers, match = GRANTS[how]
    assert organisation.terms is not None
    organisation.terms["p-tom"] = Term("")
    grant = dataclasses.replace(GRANT, **changes)
    proof = granted(organisation, grant, *signers, at=AT)
    organisation.mandated["p-tom"] = (dataclasses.replace(proof, taken_over=()),)
    refused(state, delivered(organisation, next_release(organisation), state), match)


def test_attack_approval_before_the_grant_began(organisation: Organisation) -> None:
    """The log has the approval first and the grant, which says an earlier beginning, after it: refused."""
    state = seen(organisation)
    assert organisation.terms is not None
    organisation.terms["p-tom"] = Term("")
    manifest = next_release(organisation)
    organisation.mandated["p-tom"] = (granted(organisation, GRANT, "p-ines", "p-sam"),)
    organisation.log(Act.RELEASED, LeafObject("release", "production-2"), manifest=manifest.digest)
    refused(state, delivered(organisation, manifest, state), "before the approval")


@pytest.mark.parametrize("which", ["the first term", "a grant"])
def test_attack_approval_after_the_grant_was_ended(organisation: Organisation, which: str) -> None:
    """Somebody ended it early, and the trust file says by which entry: what was approved before counts, not after."""
    state = seen(organisation)
    assert organisation.terms is not None
    if which == "a grant":
        organisation.mandated["p-tom"] = (granted(organisation, GRANT, "p-ines", "p-sam"),)
    ended = organisation.log(Act.ROLE_ENDED, LeafObject("grant", "g-1"))
    manifest = next_release(organisation)
    usual = delivered(organisation, manifest, state)
    [approved, _] = list(organisation.logged.values())[-2:]
    name = "g-1" if which == "a grant" else f"p-tom.{ROLE}"
    for entry, counts in ((ended, False), (approved, False), (approved + 1, True)):
        organisation.terms["p-tom"] = Term(TERM_END, {name: entry})
        delivery = dataclasses.replace(usual, trust=encode_trust(organisation.trust()))
        if counts:
            assert adopt(state.basis(), delivery).state.manifest.number == 2
        else:
            refused(state, delivery, "nobody had ended")


def test_a_delegate_approves_in_the_place_of_who_is_away(organisation: Organisation) -> None:
    """By the absent person's delegation and their first term or grant; when that was ended the delegate has none."""
    organisation.people["p-noa"] = (ROLE,)
    terms_until(organisation, TERM_END)
    assert organisation.terms is not None
    organisation.terms["p-noa"] = Term("")
    state = seen(organisation)
    delegation = dataclasses.replace(GRANT, id="d-1", person="p-noa", behalf="p-tom")
    organisation.mandated["p-noa"] = (granted(organisation, delegation, "p-tom"),)
    manifest = next_release(organisation, "p-noa", "p-ines")
    assert adopt(state.basis(), delivered(organisation, manifest, state)).state.manifest.number == 2
    organisation.terms["p-tom"] = Term(TERM_END, {f"p-tom.{ROLE}": 0})
    refused(state, delivered(organisation, manifest, state), "nobody had ended")


def test_attack_one_mandate_used_by_both_hands(organisation: Organisation) -> None:
    """Whoever is away and their delegate both approve: refused, though they are two people with two keys."""
    organisation.people["p-noa"] = (ROLE,)
    terms_until(organisation, TERM_END)
    state = seen(organisation)
    delegation = dataclasses.replace(GRANT, id="d-1", person="p-noa", behalf="p-tom")
    organisation.mandated["p-noa"] = (granted(organisation, delegation, "p-tom"),)
    manifest = next_release(organisation, "p-noa", "p-tom")
    refused(state, delivered(organisation, manifest, state), "used twice")


def test_attack_what_was_delegated_is_delegated_on(organisation: Organisation) -> None:
    """A delegation of a delegate: refused, whatever the first one says."""
    organisation.people |= {"p-noa": (ROLE,), "p-lou": (ROLE,)}
    terms_until(organisation, TERM_END)
    state = seen(organisation)
    first = dataclasses.replace(GRANT, id="d-1", person="p-noa", behalf="p-tom")
    second = dataclasses.replace(first, id="d-2", person="p-lou", behalf="p-noa")
    proofs = (granted(organisation, second, "p-noa"), granted(organisation, first, "p-tom"))
    organisation.mandated["p-lou"] = proofs
    manifest = next_release(organisation, "p-lou", "p-ines")
    refused(state, delivered(organisation, manifest, state), "whom they act for")


def test_entries_from_before_the_witnesses_count_by_the_log(witnessed: Organisation) -> None:
    """What was logged before these witnesses were asked is judged by its own entry, under the release's checkpoint."""
    witnessed.witnessed_from = 0
    state = seen(witnessed)
    manifest = next_release(witnessed, at=AT)
    witnessed.cosigned = {}
    witnessed.witnessed_from = len(witnessed.leaves)
    assert adopt(state.basis(), delivered(witnessed, manifest, state)).state.manifest.number == 2


def test_mandates_read_back_to_the_same_bytes_and_nothing_else(organisation: Organisation) -> None:
    """A round trip; a number of a checkpoint or grant that is not there, and an unknown member, are refused."""
    organisation.mandated["p-tom"] = (granted(organisation, GRANT, "p-ines", "p-sam"),)
    manifest = next_release(organisation)
    data = mandates_for(organisation, manifest)
    mandates = parse_mandates(data)
    assert encode_mandates(mandates) == data
    tom, ines = mandates.approvals
    for spoilt in (dataclasses.replace(tom, checkpoint=1), dataclasses.replace(tom, grants=(1,))):
        with pytest.raises(InvalidDocument, match="that are there"):
            parse_mandates(encode_mandates(dataclasses.replace(mandates, approvals=(spoilt, ines))))
    with pytest.raises(InvalidDocument):
        parse_mandates(data[:-1] + b',"zz":1}')


def test_every_flipped_byte_of_mandates_is_refused(organisation: Organisation) -> None:
    """They are a part of the release, which names their digest: no byte is free."""
    state = seen(organisation)
    manifest = next_release(organisation)
    usual = delivered(organisation, manifest, state)
    data = mandates_for(organisation, manifest)
    digest = canonical.digest(data)
    for at in range(0, len(data), 1997):
        parts = {**usual.parts, digest: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]}
        refused(state, dataclasses.replace(usual, parts=parts), "every part", check="V5")


def test_the_keyring_reads_back_with_terms(organisation: Organisation) -> None:
    """A trust file with terms, ended grants and a first witnessed entry gives its bytes back."""
    organisation.terms = {person: Term(TERM_END if person == "p-tom" else "", {"g-1": 7}) for person in PEOPLE}
    organisation.witnessed_from = 12
    data = encode_trust(organisation.trust())
    assert encode_trust(parse_trust(data)) == data
    assert parse_trust(data).terms == organisation.terms
    for spoilt in (data.replace(b'"g-1"', b'"G 1"'), data.replace(TERM_END.encode(), b"tomorrow")):
        with pytest.raises(InvalidDocument):
            parse_trust(spoilt)
