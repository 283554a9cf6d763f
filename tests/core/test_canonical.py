"""Canonical JSON: one byte string per document, on both sides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument

VECTORS = Path(__file__).parents[1] / "vectors" / "jcs"
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_encoded_is_rfc_8785_and_reads_back(document: dict[str, object]) -> None:
    """`encode` gives the package's bytes, and `parse` takes them, with keys in and beyond ASCII."""
    data = canonical.encode(document)

    assert data == rfc8785.dumps(document)
    assert canonical.parse(data, max_bytes=10**6) == document


@given(st.dictionaries(st.text("aZ_-\x7f~", max_size=3), VALUES, max_size=5), st.integers(0, 3))
def test_any_other_spelling_is_refused(document: dict[str, object], way: int) -> None:
    """Blanks, escapes, another order of keys or a repeated key: not canonical, whatever it means."""
    spellings = [
        json.dumps(document, sort_keys=True, indent=1),
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True),
        json.dumps(dict(sorted(document.items(), reverse=True)), separators=(",", ":"), ensure_ascii=False),
        json.dumps(document, sort_keys=True, separators=(", ", ":"), ensure_ascii=False),
    ]
    data = spellings[way].encode()
    if data == canonical.encode(document):
        return

    with pytest.raises(InvalidDocument):
        canonical.parse(data, max_bytes=10**6)


@pytest.mark.parametrize("name", ["french", "unicode", "weird"])
def test_published_vectors(name: str) -> None:
    """RFC 8785's public vectors without fractions come out byte for byte."""
    given_document = json.loads((VECTORS / "input" / f"{name}.json").read_bytes())

    assert canonical.encode(given_document) == (VECTORS / "output" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", ["structures", "values"])
def test_published_vectors_with_fractions_are_refused(name: str) -> None:
    """The vectors that hold fractions are outside what people sign here."""
    with pytest.raises(InvalidDocument, match="integers only"):
        canonical.encode(json.loads((VECTORS / "input" / f"{name}.json").read_bytes()))


@pytest.mark.parametrize(
    "document", [{"a": 1.0}, {"a": float("nan")}, {"a": 2**53}, {"a": {1: 2}}, {"a": "\ud800"}, {"a": object()}]
)
def test_what_does_not_fit_is_not_encoded(document: dict[str, object]) -> None:
    """Fractions, big integers, keys that are no text and broken Unicode are refused before canonicalising."""
    with pytest.raises(InvalidDocument):
        canonical.encode(document)


def test_too_long_or_too_deep_is_refused() -> None:
    """Length is checked before anything is read; depth is bounded on both sides."""
    with pytest.raises(InvalidDocument, match="at most 3 bytes"):
        canonical.parse(b'{"a":1}', max_bytes=3)
    deep: dict[str, object] = {}
    for _ in range(canonical.MAX_DEPTH + 1):
        deep = {"a": deep}
    with pytest.raises(InvalidDocument, match="nesting"):
        canonical.encode(deep)
