"""The leaf record: one byte string per record, nothing unknown, no room for text of a person."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat, NotProven
from audit import record as record_module
from audit.record import (
    MAX_INTEGER,
    Act,
    Auth,
    LeafObject,
    LeafRecord,
    canonical,
    commit,
    encode_leaf,
    parse_canonical,
    parse_leaf,
    verify_commitment,
)
from audit.tiles import MAX_ENTRY_BYTES
from tests.audit.audit_logs import VECTORS, record

JCS = VECTORS / "jcs"
DATA = encode_leaf(record(3))


def test_golden_leaf() -> None:
    """The bytes of a leaf are fixed: they are what history is hashed from."""
    assert DATA == (
        b'{"act":"approved","actor":"p-3","after":"","at":"2026-03-01T09:00:03Z","auth":"passphrase","before":"",'
        b'"format":"mentorplane-leaf/1","manifest":"sha256:' + b"0" * 63 + b'4","meaning":"approval",'
        b'"object":{"digest":"sha256:' + b"0" * 63 + b'3","kind":"prompt","name":"opening-3"},'
        b'"reason":"","role":"approver","seq":3,"statement":""}'
    )


DIGESTS = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(lambda b: "sha256:" + b.hex()))
WORDS = st.from_regex(re.compile(r"[a-z][a-z0-9-]{0,20}"), fullmatch=True)
NAMES = st.from_regex(re.compile(r"[A-Za-z0-9][!-~]{0,40}"), fullmatch=True)
RECORDS = st.builds(
    LeafRecord,
    act=st.sampled_from(Act),
    actor=NAMES,
    role=WORDS,
    auth=st.sampled_from(Auth),
    object=st.builds(LeafObject, kind=WORDS, name=NAMES | st.just(""), digest=DIGESTS),
    at=st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    seq=st.integers(0, MAX_INTEGER),
    before=DIGESTS,
    after=DIGESTS,
    manifest=DIGESTS,
    statement=DIGESTS,
    meaning=WORDS | st.just(""),
    reason=st.just("") | st.text().map(lambda text: commit(text, b"s" * 16)),
)


@given(RECORDS)
def test_any_record_round_trips_and_is_rfc_8785(leaf: LeafRecord) -> None:
    """Parse is the inverse of encode, and the bytes are what an RFC 8785 library writes."""
    data = encode_leaf(leaf)
    assert parse_leaf(data) == leaf
    assert rfc8785.dumps(json.loads(data)) == data


def changed(**values: Any) -> bytes:
    """The record's JSON with some fields set, or removed if the value is ..."""
    document = json.loads(DATA) | values
    return rfc8785.dumps({name: value for name, value in document.items() if value is not ...})


@pytest.mark.parametrize(
    "values",
    [
        {"note": ""},
        {"reason": ...},
        {"format": "mentorplane-leaf/2"},
        {"format": ...},
        {"act": "praised"},
        {"act": ["approved"]},
        {"auth": "telepathy"},
        {"actor": ""},
        {"actor": "Jane Doe"},
        {"actor": "j\u00e4ne"},
        {"actor": "x" * 201},
        {"role": "Approver"},
        {"role": None},
        {"before": "sha256:" + "A" * 64},
        {"before": "sha256:" + "a" * 63},
        {"after": "a" * 64},
        {"manifest": None},
        {"statement": "hmac-sha256:" + "a" * 64},
        {"meaning": "I think it is fine"},
        {"reason": "because it reads better"},
        {"reason": "sha256:" + "a" * 64},
        {"at": "2026-03-01T09:00:03+00:00"},
        {"at": "2026-03-01T09:00:03.0Z"},
        {"at": "2026-03-01 09:00:03Z"},
        {"at": "2026-02-30T09:00:03Z"},
        {"at": "2026-03-01T09:00:60Z"},
        {"at": "2026-03-01T24:00:00Z"},
        {"at": "0000-03-01T09:00:00Z"},
        {"at": 5},
        {"seq": -1},
        {"seq": "3"},
        {"seq": True},
        {"seq": None},
        {"object": "prompt"},
        {"object": {"kind": "prompt", "name": "x"}},
        {"object": {"kind": "prompt", "name": "x", "digest": "", "text": ""}},
        {"object": {"kind": "", "name": "x", "digest": ""}},
        {"object": {"kind": "prompt", "name": "two words", "digest": ""}},
        {"object": {"kind": "prompt", "name": 1, "digest": ""}},
    ],
    ids=str,
)
def test_record_with_anything_unexpected_is_refused(values: dict[str, Any]) -> None:
    """Unknown, missing and ill-typed fields are refused, and free text fits into none of them."""
    with pytest.raises(InvalidFormat):
        parse_leaf(changed(**values))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        DATA + b"\n",
        b" " + DATA,
        b"\xef\xbb\xbf" + DATA,
        DATA.replace(b'"seq":3', b'"seq":3.0'),
        DATA.replace(b'"seq":3', b'"seq":03'),
        DATA.replace(b'"seq":3', b'"seq":-0'),
        DATA.replace(b'"seq":3', b'"seq":3e0'),
        DATA.replace(b'"seq":3', b'"seq":NaN'),
        DATA.replace(b'"seq":3', b'"seq":9007199254740992'),
        DATA.replace(b'"seq":3', b'"seq":' + b"9" * 5000),
        DATA.replace(b'"seq":3', b'"seq":3,"seq":3'),
        DATA.replace(b'"act"', b'"\\u0061ct"'),
        DATA.replace(b'"p-3"', b'"\\ud800"'),
        DATA.replace(b'"p-3"', b'"p\xff3"'),
        DATA.replace(b'{"act":"approved",', b"{").replace(b"}", b',"act":"approved"}'),
        b"[" * 60_000,
        b"[" * 20_000 + b"]" * 20_000,
        b'"' + b"a" * MAX_ENTRY_BYTES + b'"',
    ],
    ids=lambda data: data[-60:].decode(errors="replace"),
)
def test_other_bytes_for_a_record_are_refused(data: bytes) -> None:
    """Blanks, escapes, repeated keys, other numbers, other orders and other encodings are refused."""
    assert parse_leaf(DATA) == record(3)
    with pytest.raises(InvalidFormat):
        parse_leaf(data)


def test_every_flipped_byte_gives_another_record_or_none() -> None:
    """No changed byte is overlooked: either the record does not parse, or it is another one."""
    for at in range(len(DATA)):
        for mask in (0x01, 0x20, 0x80):
            try:
                other = parse_leaf(DATA[:at] + bytes([DATA[at] ^ mask]) + DATA[at + 1 :])
            except InvalidFormat:
                continue
            assert other != record(3)


@pytest.mark.parametrize(
    "values",
    [
        {"at": datetime(2026, 3, 1)},  # noqa: DTZ001 - a naive time is what is refused
        {"at": datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)},
        {"act": "praised"},
        {"actor": "Jane Doe"},
        {"seq": True},
        {"seq": 2**53},
        {"seq": 1.5},
        {"reason": "it reads better"},
        {"object": LeafObject("prompt", "x", b"y")},  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_wrong_record_is_never_written(values: dict[str, Any]) -> None:
    """What would not be accepted when read is refused when written."""
    with pytest.raises(ValueError, match="expected"):
        encode_leaf(replace(record(3), **values))


def test_time_is_written_in_utc() -> None:
    """A time of another zone is the same instant in the record."""
    at = datetime(2026, 3, 1, 11, 0, 3, tzinfo=timezone(timedelta(hours=2)))
    assert encode_leaf(replace(record(3), at=at)) == DATA


def test_fields_are_those_that_the_docstring_lists() -> None:
    """The table of fields in the module docstring is complete."""
    listed = re.findall(r"^    ([a-z]+)  +", record_module.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted(json.loads(DATA))
    assert set(listed) == {field.name for field in fields(LeafRecord)} | {"format"}


@pytest.mark.parametrize("name", ["arrays", "unicode"])
def test_jcs_vector_within_the_restriction(name: str) -> None:
    """Vectors with ASCII keys and integers canonicalise to the published bytes."""
    value = json.loads((JCS / "input" / f"{name}.json").read_bytes())
    expected = (JCS / "output" / f"{name}.json").read_bytes()
    assert canonical(value) == expected == bytes.fromhex((JCS / "outhex" / f"{name}.txt").read_text())
    assert parse_canonical(expected) == value


@pytest.mark.parametrize("name", ["french", "structures", "values", "weird"])
def test_jcs_vector_beyond_the_restriction_is_refused(name: str) -> None:
    """Vectors with floats or other keys are refused rather than written in a form of our own."""
    with pytest.raises(InvalidFormat):
        canonical(json.loads((JCS / "input" / f"{name}.json").read_bytes()))


ASCII_KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_equals_rfc_8785(value: Any) -> None:
    """For ASCII keys and integers the bytes are those of an RFC 8785 library, and read back."""
    data = canonical(value)
    assert data == rfc8785.dumps(value)
    assert parse_canonical(data) == value


@pytest.mark.parametrize("value", [1.0, float("nan"), 2**53, -(2**53), {1: 2}, {"\u00e9": 1}, b"x", (1,), "\ud800"])
def test_value_beyond_the_restriction_is_refused(value: Any) -> None:
    """Floats, large integers, other keys, other types and lone surrogates are refused, nested as well."""
    for nested in (value, [value], {"a": value}):
        with pytest.raises(InvalidFormat):
            canonical(nested)


def test_commitment_binds_text_and_salt() -> None:
    """A commitment verifies for its text and salt only, and says nothing without the salt."""
    salt, text = b"0123456789abcdef", "it reads better aloud"
    commitment = commit(text, salt)
    assert re.fullmatch("hmac-sha256:[0-9a-f]{64}", commitment)
    assert commitment != commit(text, b"another salt 16b")
    verify_commitment(commitment, text, salt)
    for other in ((commitment, text + ".", salt), (commitment, text, salt + b"0"), ("", text, salt)):
        with pytest.raises(NotProven):
            verify_commitment(*other)
    with pytest.raises(ValueError, match="expected a salt"):
        commit(text, b"short")


def test_commitment_equals_a_known_value() -> None:
    """The construction is HMAC-SHA256 under the salt: test case 1 of RFC 4231."""
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert commit("Hi There", b"\x0b" * 20) == f"hmac-sha256:{expected}"
