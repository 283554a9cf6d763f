"""Envelopes: a list of them reads the same quickly and the long way, and base64 has one spelling."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import InvalidDocument

KEYS = st.from_regex(r"[0-9a-f]{4}|K|", fullmatch=True)
SIGNATURES = st.lists(st.tuples(KEYS, st.binary(max_size=4)), min_size=1, max_size=2, unique_by=lambda pair: pair[0])
ENVELOPES = st.builds(
    dsse.Envelope, st.sampled_from(("a/b", 'a"b', "a b", "é", "")), st.binary(max_size=9), SIGNATURES.map(tuple)
)


def the_long_way(listed: bytes) -> tuple[dsse.Envelope, ...] | None:
    """Return what the list holds, read member by member; None if it is refused."""
    try:
        document = canonical.parse(b'{"listed":%b}' % listed, max_bytes=100_000)
        return tuple(map(dsse.parse_envelope, document["listed"]))
    except InvalidDocument:
        return None


@given(st.lists(ENVELOPES, max_size=3))
def test_a_list_of_envelopes_reads_the_same_both_ways(envelopes: list[dsse.Envelope]) -> None:
    """What is read quickly is what the long way reads; what is not plain goes the long way."""
    listed = canonical.encode({"x": [envelope.as_json() for envelope in envelopes]})[5:-1]
    quickly = dsse.parse_envelopes(listed)
    assert quickly is None or quickly == the_long_way(listed) == tuple(envelopes)


def test_plain_envelopes_are_read_quickly() -> None:
    """Those of a release: one signature each."""
    envelopes = [dsse.Envelope("a/b", b"payload %d" % number, (("0f" * 32, bytes(64)),)) for number in range(3)]
    listed = json.dumps([e.as_json() for e in envelopes], separators=(",", ":"), sort_keys=True).encode()
    assert dsse.parse_envelopes(listed) == tuple(envelopes)


@given(st.data())
def test_a_list_with_any_byte_changed_or_gone_reads_no_more_than_the_long_way_does(data: st.DataObject) -> None:
    """Attack: blanks, other spellings, members that follow, a list cut short: what is refused is refused both ways."""
    envelopes = [dsse.Envelope("a/b", b"payload", (("0f" * 3, bytes(2)),)) for _ in range(2)]
    listed = canonical.encode({"x": [envelope.as_json() for envelope in envelopes]})[5:-1]
    at = data.draw(st.integers(0, len(listed) - 1))
    put = data.draw(
        st.sampled_from((b"", b" ", b"]", b"}", b",", b'"', b"\\", b"=", b"A", b"\n", listed[at : at + 1] * 2))
    )
    for changed in (listed[:at] + put + listed[at + 1 :], listed[:at] + put + listed[at:], listed[:at]):
        quickly = dsse.parse_envelopes(changed)
        assert quickly is None or quickly == the_long_way(changed)


@given(st.binary(max_size=12), st.text("AQgw=+/-\n é", max_size=6), st.integers(0, 16))
def test_base64_is_read_in_its_one_spelling_alone(data: bytes, put: str, at: int) -> None:
    """Blanks, other alphabets, padding that is missing or too much, bits that mean nothing: refused."""
    text = base64.b64encode(data).decode()
    assert dsse.decode_base64(text) == data
    for changed in (text[:at] + put + text[at:], text[:at] + put + text[at + len(put) :]):
        try:
            read = dsse.decode_base64(changed)
        except InvalidDocument:
            continue
        assert base64.b64encode(read).decode() == changed


def test_a_lone_surrogate_is_no_base64() -> None:
    """Text that is not Unicode is refused as any other."""
    with pytest.raises(InvalidDocument):
        dsse.decode_base64("\ud800AAA")
