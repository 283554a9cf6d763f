"""What the index is made of: sets of entries in one stored form, words in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.index import postings
from control_plane.index.terms import tokens


@given(st.sets(st.integers(0, postings.BLOCK_ENTRIES - 1), max_size=300))
def test_sets_are_stored_in_one_form(members: set[int]) -> None:
    """What is stored of a set reads as that set, whether few or many are in it."""
    bits = sum(1 << member for member in members)
    assert postings.decode_bits(postings.encode_bits(bits)) == bits
    assert list(postings.offsets(bits)) == sorted(members, reverse=True)


@pytest.mark.parametrize("data", [b"\0", b"\0\x10", b"\0\0" * 65, b"\0" * 511])
def test_what_is_no_set_is_refused(data: bytes) -> None:
    """Odd lengths, offsets beyond a block, lists that are too long."""
    with pytest.raises(ValueError, match="expected"):
        postings.decode_bits(data)


@given(st.text(max_size=60))
def test_words_are_found_as_they_were_written(words: str) -> None:
    """Reading words twice, in capitals or decomposed changes nothing about them."""
    assert tokens(" ".join(tokens(words))) == tokens(words)
