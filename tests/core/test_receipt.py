"""Receipts as bytes: strict, content-free, and commitments that say nothing to whoever lacks the secret."""

from __future__ import annotations

import pytest

from audit.commitment import commit
from audit.frozen import replace
from audit.merkle import leaf_hash
from edge_runtime.core import canonical
from edge_runtime.core.canonical import digest
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.receipt import FORMAT_1, LEAST_LEAVES, Receipt, leaves_of, parse_receipt, said, salt_of

SECRET = b"s" * 32


def receipt(number: int = 1, **other: object) -> Receipt:
    """A receipt as it is written."""
    made = Receipt(
        number=number,
        previous=digest(b"before"),
        at="2026-11-27T10:00:00Z",
        prompt="opener",
        version=digest(b"version"),
        manifest=digest(b"manifest"),
        route="redacted",
        rules=("organisation/consent",),
        findings={"PERSON": 1},
        sent_bytes=7,
        outcome="answered",
        release=3,
        stage=2,
        obligations=("no-telemetry",),
        model="small",
        checks={"schema": True, "values": False},
        commitments=(("output", commit("so", salt_of(SECRET, number, "output"))),),
    )
    return replace(made, **other)


def test_a_receipt_reads_back_and_no_flipped_byte_goes_unseen() -> None:
    """Encode and parse are inverse for both versions; a changed byte is refused, or is another receipt."""
    for made in (receipt(), replace(receipt(), form=FORMAT_1)):
        data = made.encode()
        read = parse_receipt(data)
        assert (read.encode(), read.digest) == (data, made.digest)
        for at in range(len(data)):
            flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            try:
                assert parse_receipt(flipped).digest != made.digest
            except InvalidDocument:
                continue
    assert parse_receipt(receipt().encode()) == receipt()


def test_what_the_version_before_did_not_say_is_empty() -> None:
    """A line of the version before is read as it was written, and commits to nothing."""
    before = parse_receipt(replace(receipt(), form=FORMAT_1).encode())
    assert (before.commitments, before.release, before.obligations, before.model) == ((), 0, (), "")


def test_a_receipt_has_no_room_for_a_text() -> None:
    """A commitment that is none, a member more, and a version that nobody knows are refused."""
    good = receipt().as_json()
    for spoilt in (
        {**good, "commitments": [{"place": "output", "commitment": "We agreed that Priya calls."}]},
        {**good, "commitments": [{"place": "output", "commitment": commit("a", SECRET), "text": "a"}]},
        {**good, "text": "We agreed"},
        {**good, "format": "mentorplane-receipt/3"},
        {**good, "stage": "2"},
    ):
        with pytest.raises(InvalidDocument) as caught:
            parse_receipt(canonical.encode(spoilt))
        assert "Priya" not in str(caught.value)


def test_equal_texts_cannot_be_told_by_their_commitments() -> None:
    """Attack: to guess a text. Each place of each receipt has a salt of its own, and none of them gives another."""
    salts = {salt_of(SECRET, number, place) for number in range(1, 20) for place in ("output", "input/a", "input/b")}
    assert len(salts) == 57
    assert len({commit("yes", salt) for salt in salts}) == 57
    assert salt_of(SECRET, 1, "1\0output") != salt_of(SECRET, 11, "output")


def test_what_is_no_text_has_one_form() -> None:
    """Lists and numbers are committed to as JSON in one form; a text that is no Unicode raises nothing."""
    assert said({"b": [1, True], "a": "é"}) == '{"a":"é","b":[1,true]}'
    assert said("lone \ud800") == "lone ?"


@pytest.mark.parametrize(("receipts", "leaves"), [(1, 64), (64, 64), (65, 128)])
def test_a_tree_tells_nothing_of_how_much_ran(receipts: int, leaves: int) -> None:
    """Attack: to count runs by the size of the tree or a place in it. It has 64 leaves for one to 64, in order."""
    given = [receipt(number) for number in range(1, receipts + 1)]
    made = leaves_of(given, SECRET)
    assert (len(made), len(set(made)), made) == (leaves, leaves, sorted(made))
    assert {leaf_hash(one.encode()) for one in given} <= set(made)
    assert LEAST_LEAVES == 64
    assert not set(leaves_of(given, b"t" * 32)) & (set(made) - {leaf_hash(one.encode()) for one in given})
