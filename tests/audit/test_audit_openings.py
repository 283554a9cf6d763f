"""What stands behind commitments: verified, erased by event N, missing at index N, altered at index N."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat
from audit.acts import Act
from audit.commitment import commit
from audit.openings import (
    ERASED_KIND,
    FIELDS,
    MAX_TEXT,
    CommitmentState,
    Opening,
    OpeningState,
    check_openings,
    encode_openings,
    parse_openings,
)
from audit.record import LeafObject, LeafReason, LeafRecord
from tests.audit.audit_logs import record

SALT = bytes(range(16))


def saying(seq: int, text: str, *, key: str = "k-1") -> LeafRecord:
    """A leaf whose reason is this text, under a key."""
    return replace(record(seq), reason=LeafReason(text=commit(text, SALT)), subject=key)


def erasure(seq: int, key: str) -> LeafRecord:
    """A leaf that says that a key was destroyed."""
    return replace(record(seq), act=Act.ERASED, object=LeafObject(ERASED_KIND, key))


def opening(seq: int, text: str, field: str = "reason.text") -> Opening:
    """An opening under the salt of these tests."""
    return Opening(seq, field, text, SALT)


def told(records: list[LeafRecord], *openings: Opening) -> list[str]:
    """What the report says."""
    return [str(one) for one in check_openings(records, openings).states]


def test_four_states_are_told_apart() -> None:
    """Each commitment is verified, erased by an event, missing or altered, with its index."""
    records = [saying(0, "a"), saying(1, "b", key="k-2"), saying(2, "c"), saying(3, "d"), record(4), erasure(5, "k-2")]
    assert told(records, opening(0, "a"), opening(3, "D")) == [
        "reason.text of entry 0: verified",
        "reason.text of entry 1: erased by event 5",
        "reason.text of entry 2: missing at index 2",
        "reason.text of entry 3: altered at index 3",
    ]
    report = check_openings(records, [opening(0, "a"), opening(2, "c"), opening(3, "d")])
    assert report.ok
    assert [one.seq for one in report.of(OpeningState.ERASED)] == [1]


def test_name_and_reason_are_told_apart() -> None:
    """The two commitments of one leaf are separate, and swapped openings are altered."""
    leaf = saying(0, "why")
    leaf = replace(leaf, actor=replace(leaf.actor, name=commit("who", SALT)))
    assert told([leaf], opening(0, "why"), opening(0, "who", "actor.name")) == [
        "actor.name of entry 0: verified",
        "reason.text of entry 0: verified",
    ]
    swapped = check_openings([leaf], [opening(0, "who"), opening(0, "why", "actor.name")])
    assert len(swapped.of(OpeningState.ALTERED)) == 2


def test_erasure_excuses_only_what_stood_under_its_key_before_it() -> None:
    """An erasure of another key, or one before the leaf, excuses nothing; the first of several is the one."""
    records = [erasure(0, "k-1"), saying(1, "a"), saying(2, "b", key="k-2"), saying(3, "c", key="k-3")]
    records += [erasure(4, "k-3"), erasure(5, "k-3")]
    assert told(records) == [
        "reason.text of entry 1: missing at index 1",
        "reason.text of entry 2: missing at index 2",
        "reason.text of entry 3: erased by event 4",
    ]


@pytest.mark.parametrize("changed", [{"act": Act.EXPORTED}, {"object": LeafObject("person", "k-1")}], ids=str)
def test_attack_another_leaf_passed_off_as_an_erasure(changed: dict[str, object]) -> None:
    """Only a leaf "erased" about a key is an erasure."""
    other = replace(erasure(1, "k-1"), **changed)  # type: ignore[arg-type]
    assert told([saying(0, "a"), other]) == ["reason.text of entry 0: missing at index 0"]


def test_an_altered_text_is_not_excused_by_an_erasure() -> None:
    """A wrong text under a destroyed key is altered, and one that outlived its key is said to have."""
    records = [saying(0, "a"), saying(1, "b"), erasure(2, "k-1")]
    assert told(records, opening(0, "A"), opening(1, "b")) == [
        "reason.text of entry 0: altered at index 0",
        "reason.text of entry 1: verified, although erased by event 2",
    ]


def test_attack_opening_of_nothing() -> None:
    """An opening for a leaf that commits to nothing, or that is not there, is altered and not passed over."""
    assert check_openings([record(0)], [opening(0, ""), opening(7, "x")]).states == (
        CommitmentState(0, "reason.text", OpeningState.ALTERED),
        CommitmentState(7, "reason.text", OpeningState.ALTERED),
    )


def test_opening_with_a_short_salt_is_altered() -> None:
    """A salt that no commitment is made with verifies nothing."""
    assert told([saying(0, "a")], Opening(0, "reason.text", "a", b"short")) == [
        "reason.text of entry 0: altered at index 0"
    ]


OPENINGS = st.builds(
    Opening, st.integers(0, 2**53 - 1), st.sampled_from(FIELDS), st.text(), st.binary(min_size=16, max_size=64)
)


@given(st.lists(OPENINGS, max_size=5, unique_by=lambda one: (one.seq, one.field)))
def test_openings_round_trip(openings: list[Opening]) -> None:
    """Parse gives what was encoded, in order, and its bytes again."""
    data = encode_openings(openings)
    assert sorted(parse_openings(data), key=repr) == sorted(openings, key=repr)
    assert encode_openings(parse_openings(data)) == data


DATA = encode_openings([opening(3, "clear\nand kind"), opening(3, "Jane", "actor.name")])
HEAD, NAME_LINE, REASON_LINE, _ = DATA.split(b"\n")


def test_golden_openings() -> None:
    """The bytes of a file of openings are fixed."""
    assert DATA == (
        b'{"format":"mentorplane-openings/1"}\n'
        b'{"field":"actor.name","salt":"000102030405060708090a0b0c0d0e0f","seq":3,"text":"Jane"}\n'
        b'{"field":"reason.text","salt":"000102030405060708090a0b0c0d0e0f","seq":3,"text":"clear\\nand kind"}\n'
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        DATA[:-1],
        DATA + b"\n",
        b"\n" + DATA,
        b"\xef\xbb\xbf" + DATA,
        DATA.replace(b"/1", b"/2"),
        DATA.replace(b"\n", b"\r\n"),
        DATA.replace(b"clear", b"cl\xffar"),
        DATA.replace(b"clear", b"cl\\u0065ar"),
        DATA.replace(b"clear", b"\\ud800"),
        DATA.replace(b'"seq":3', b'"seq": 3'),
        DATA.replace(b'"seq":3', b'"seq":3.0'),
        DATA.replace(b'"seq":3', b'"seq":-1'),
        DATA.replace(b'"seq":3', b'"seq":true'),
        DATA.replace(b'"seq":3', b'"seq":9007199254740992'),
        DATA.replace(b'"seq":3', b'"seq":3,"seq":3'),
        DATA.replace(b"reason.text", b"object.name"),
        DATA.replace(b"0001", b"00"),
        DATA.replace(b"0a0b", b"0A0b"),
        DATA.replace(b'"Jane"', b"7"),
        DATA.replace(b"Jane", b"x" * (MAX_TEXT + 1)),
        DATA.replace(b'"field"', b'"note":1,"field"'),
        b"\n".join([HEAD, REASON_LINE, NAME_LINE, b""]),
        b"\n".join([HEAD, NAME_LINE, NAME_LINE, b""]),
        b"\n".join([HEAD, b"[" * 20_000, b""]),
        b"\n".join([HEAD, b"null", b""]),
    ],
    ids=lambda data: data[-50:].decode(errors="replace"),
)
def test_other_forms_are_refused(data: bytes) -> None:
    """Another order, spelling, member or value is refused."""
    assert len(parse_openings(DATA)) == 2
    with pytest.raises(InvalidFormat):
        parse_openings(data)


def test_no_flipped_byte_is_overlooked() -> None:
    """Any flipped byte is refused, or what it says is no longer verified."""
    leaf = saying(3, "clear\nand kind")
    leaf = replace(leaf, actor=replace(leaf.actor, name=commit("Jane", SALT)))
    assert check_openings([leaf], parse_openings(DATA)).ok
    for at in range(len(DATA)):
        for mask in (0x01, 0x20, 0x80):
            try:
                openings = parse_openings(DATA[:at] + bytes([DATA[at] ^ mask]) + DATA[at + 1 :])
            except InvalidFormat:
                continue
            assert not check_openings([leaf], openings).ok


@pytest.mark.parametrize(
    "wrong",
    [
        [opening(1, "a"), opening(1, "b")],
        [opening(-1, "a")],
        [opening(1, "a", "act")],
        [Opening(1, "reason.text", "a", b"short")],
    ],
)
def test_wrong_openings_are_never_written(wrong: list[Opening]) -> None:
    """What would not be accepted when read is refused when written."""
    with pytest.raises(ValueError, match="expected"):
        encode_openings(wrong)
