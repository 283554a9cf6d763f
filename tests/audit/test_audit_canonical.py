"""Canonical JSON and commitments: one byte string for a value, and texts that the log does not hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat, NotProven
from audit.canonical import MAX_INTEGER, canonical, parse_canonical
from audit.commitment import commit, verify_commitment
from tests.audit.audit_logs import VECTORS

JCS = VECTORS / "jcs"


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
