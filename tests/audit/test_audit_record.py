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

from audit import InvalidFormat
from audit import record as record_module
from audit.record import (
    FORMAT_1,
    Act,
    Auth,
    LeafActor,
    LeafObject,
    LeafReason,
    LeafRecord,
    check_leaf,
    encode_leaf,
    parse_leaf,
)
from audit.tiles import MAX_ENTRY_BYTES
from tests.audit.audit_logs import record
from tests.audit.audit_records import RECORDS, RECORDS_1

DATA = encode_leaf(record(3))


def test_golden_leaf() -> None:
    """The bytes of a leaf are fixed: they are what history is hashed from."""
    assert DATA == (
        b'{"act":"approved","actor":{"auth":"passphrase","behalf":"","client":"console","id":"p-3","name":"",'
        b'"role":"approver","session":""},"after":"","at":"2026-03-01T09:00:03Z","before":"","channel":"production",'
        b'"checks":"","clock":"server","diff":"","format":"mentorplane-leaf/2","holds":[],'
        b'"id":"01990000-0003-7000-8000-000000000003","manifest":"sha256:' + b"0" * 63 + b'4","models":"",'
        b'"object":{"digest":"sha256:' + b"0" * 63 + b'3","kind":"prompt","name":"opening-3","version":""},'
        b'"organisation":"example","outcome":"done","policy":"","prev":2,"reason":{"code":"","text":""},'
        b'"retention":"governance","seq":3,"signature":{"key":"","meaning":"approval","statement":""},"subject":"",'
        b'"ticket":"","tier":""}'
    )


@given(RECORDS | RECORDS_1)
def test_any_record_round_trips_and_is_rfc_8785(leaf: LeafRecord) -> None:
    """Parse is the inverse of encode, for both versions, and the bytes are what an RFC 8785 library writes."""
    data = encode_leaf(leaf)
    assert parse_leaf(data) == leaf
    assert check_leaf(data) == leaf.seq
    assert rfc8785.dumps(json.loads(data)) == data


def changed(values: dict[str, Any], data: bytes = DATA) -> bytes:
    """The record's JSON with some members set, "outer.inner" too, or removed if the value is ..."""
    document = json.loads(data)
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        if inner:
            document[outer][inner] = value
        else:
            document[outer] = value
    return rfc8785.dumps({name: value for name, value in document.items() if value is not ...})


@pytest.mark.parametrize(
    "values",
    [
        {"note": ""},
        {"reason": ...},
        {"format": "mentorplane-leaf/1"},
        {"format": "mentorplane-leaf/3"},
        {"format": ...},
        {"act": "praised"},
        {"act": ["approved"]},
        {"actor.auth": "telepathy"},
        {"actor": ""},
        {"actor.id": ""},
        {"actor.id": "Jane Doe"},
        {"actor.id": "j\u00e4ne"},
        {"actor.id": 'jane"'},
        {"actor.id": "x" * 129},
        {"actor.role": "Approver"},
        {"actor.role": None},
        {"actor.client": ""},
        {"actor.client": "telnet"},
        {"actor.name": "Jane"},
        {"actor.session": "mp_token"},
        {"outcome": "maybe"},
        {"outcome": ""},
        {"act": "refused"},
        {"act": "signed-in-failed"},
        {"clock": "client"},
        {"organisation": ""},
        {"organisation": "Coaching Inc"},
        {"id": ""},
        {"id": "01990000-0003-4000-8000-000000000003"},
        {"id": "01990000-0003-7000-C000-000000000003"},
        {"tier": "R5"},
        {"ticket": "please do it"},
        {"retention": "for ever"},
        {"prev": 3},
        {"prev": -2},
        {"prev": "2"},
        {"holds": ["b", "a"]},
        {"holds": ["a", "a"]},
        {"holds": ["two words"]},
        {"holds": [1]},
        {"holds": "a"},
        {"holds": sorted(f"h{number}" for number in range(101))},
        {"object.version": "01"},
        {"object.version": "v1"},
        {"object.version": 1},
        {"before": "sha256:" + "A" * 64},
        {"before": "sha256:" + "a" * 63},
        {"after": "a" * 64},
        {"manifest": None},
        {"signature.statement": "hmac-sha256:" + "a" * 64},
        {"signature.meaning": "I think it is fine"},
        {"reason": "because it reads better"},
        {"reason.text": "because it reads better"},
        {"reason.text": "sha256:" + "a" * 64},
        {"reason.code": "It reads better"},
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
        {"object": {"kind": "prompt", "name": "x", "digest": ""}},
        {"object": {"kind": "prompt", "name": "x", "digest": "", "version": "", "text": ""}},
        {"object.kind": ""},
        {"object.name": "two words"},
        {"object.name": 1},
    ],
    ids=str,
)
def test_record_with_anything_unexpected_is_refused(values: dict[str, Any]) -> None:
    """Unknown, missing and ill-typed fields are refused, and free text fits into none of them."""
    with pytest.raises(InvalidFormat):
        parse_leaf(changed(values))
    with pytest.raises(InvalidFormat):
        check_leaf(changed(values))


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
        DATA.replace(b'"holds":[]', b'"holds":[""]'),
        DATA.replace(b'"holds":[]', b'"holds":["a",]'),
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
        {"actor": LeafActor("Jane Doe", "approver", Auth.TOKEN, "cli")},
        {"actor": LeafActor("p-3", "approver", Auth.TOKEN)},
        {"act": Act.REFUSED},
        {"id": ""},
        {"organisation": ""},
        {"holds": ("b", "a")},
        {"prev": 3},
        {"format": "mentorplane-leaf/3"},
        {"format": FORMAT_1},
        {"seq": True},
        {"seq": 2**53},
        {"seq": 1.5},
        {"reason": LeafReason(text="it reads better")},
        {"object": LeafObject("prompt", "x", b"y")},  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_wrong_record_is_never_written(values: dict[str, Any]) -> None:
    """What would not be accepted when read is refused when written."""
    with pytest.raises(ValueError, match="expected"):
        encode_leaf(replace(record(3), **values))


def version_1() -> LeafRecord:
    """A record as version 1 had it."""
    return replace(
        record(3),
        actor=LeafActor("p-3", "approver", Auth.PASSPHRASE),
        format=FORMAT_1,
        id="",
        organisation="",
        channel="",
        clock="",
        retention="",
        prev=-1,
    )


def test_version_1_is_still_read_and_written_as_it_was() -> None:
    """An entry of version 1 gives a record with nothing in what it did not say, and its very bytes again."""
    data = (
        b'{"act":"approved","actor":"p-3","after":"","at":"2026-03-01T09:00:03Z","auth":"passphrase","before":"",'
        b'"format":"mentorplane-leaf/1","manifest":"sha256:' + b"0" * 63 + b'4","meaning":"approval",'
        b'"object":{"digest":"sha256:' + b"0" * 63 + b'3","kind":"prompt","name":"opening-3"},'
        b'"reason":"","role":"approver","seq":3,"statement":""}'
    )
    assert parse_leaf(data) == version_1()
    assert encode_leaf(version_1()) == data
    assert check_leaf(data) == 3


@pytest.mark.parametrize(
    "values",
    [
        {"act": "audit-read"},
        {"act": "evidence-filed"},
        {"act": "praised"},
        {"auth": "telepathy"},
        {"actor": "Jane Doe"},
        {"meaning": "I think it is fine"},
        {"reason": "because it reads better"},
        {"at": "2026-02-30T09:00:03Z"},
        {"at": "2026-03-01T24:00:00Z"},
        {"seq": True},
        {"seq": -1},
        {"object": "prompt"},
        {"object": {"kind": "prompt", "name": "x", "digest": "", "version": ""}},
        {"channel": ""},
        {"role": ...},
    ],
    ids=str,
)
def test_entry_of_version_1_with_anything_unexpected_is_refused(values: dict[str, Any]) -> None:
    """Version 1 is as strict as it was."""
    data = changed(values, encode_leaf(version_1()))
    for read in (parse_leaf, check_leaf):
        with pytest.raises(InvalidFormat):
            read(data)


@pytest.mark.parametrize(
    "values", [{"id": "01990000-0003-7000-8000-000000000003"}, {"channel": "pilot"}, {"prev": 1}, {"clock": "server"}]
)
def test_version_1_holds_no_more_than_it_held(values: dict[str, Any]) -> None:
    """What version 1 has no member for is refused rather than dropped."""
    with pytest.raises(ValueError, match="version 1"):
        encode_leaf(replace(version_1(), **values))


def test_refusal_says_which_member_is_wrong() -> None:
    """The message of the fast reader names the members, never their values."""
    with pytest.raises(InvalidFormat, match="expected reason and ticket to match the format, got something else"):
        check_leaf(changed({"ticket": "please do it", "reason.text": "no"}))


def test_time_is_written_in_utc() -> None:
    """A time of another zone is the same instant in the record."""
    at = datetime(2026, 3, 1, 11, 0, 3, tzinfo=timezone(timedelta(hours=2)))
    assert encode_leaf(replace(record(3), at=at)) == DATA


def test_fields_are_those_that_the_docstring_lists() -> None:
    """The table of fields in the module docstring is complete."""
    listed = re.findall(r"^    ([a-z]+) {1,}(?=[^ ])", record_module.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted(json.loads(DATA))
    assert set(listed) == {field.name for field in fields(LeafRecord)} | {"format"}
