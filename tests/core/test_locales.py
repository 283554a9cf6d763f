"""Looking a text up for a language: RFC 4647, and nothing that can go wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import FILING, Filing, read_filing, read_locale, read_translation
from edge_runtime.core.locales import fallback_chain, localised

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("locale", "chain"),
    [
        (
            "zh-Hant-CN-x-private1-private2",
            ("zh-hant-cn-x-private1-private2", "zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh"),
        ),
        ("de_AT", ("de-at", "de")),
        (" EN ", ("en",)),
        ("", ()),
        ("de..", ()),
        ("d", ()),
        ("de-" + "x" * 40, ()),
    ],
)
def test_the_chain_is_that_of_the_rfc(locale: str, chain: tuple[str, ...]) -> None:
    """From the most specific to the language, single letters gone with what follows them; nothing for no language."""
    assert fallback_chain(locale) == chain


@given(st.text(max_size=50))
def test_any_text_gives_a_name(locale: str) -> None:
    """Whatever a host says the language is, there is a prompt: a translation that is there, or the original."""
    there = {"opener.de", "opener.de-at"}
    assert localised("opener", locale, there.__contains__) in {"opener", *there}
    assert all(tag == tag.lower() for tag in fallback_chain(locale))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("folder", "/sessions"),
        ("folder", "a/b/c/d/e"),
        ("folder", "../etc"),
        ("folder", "Sessions"),
        ("tags", ["b", "a"]),
        ("tags", ["a", "a"]),
        ("tags", ["A"]),
        ("tags", [f"t{number}" for number in range(21)]),
        ("owner", "Learning and development"),
        ("review_by", "2027-13-01"),
        ("review_by", "soon"),
    ],
)
def test_filing_has_one_form(member: str, value: object) -> None:
    """What is filed is found: every other way of writing it is refused."""
    good = Filing("sessions/openings", ("a", "b"), "learning-designer", "2027-01-31")
    assert read_filing(Fields(good.as_json(), "x", tagged=False)) == good
    assert set(good.as_json()) == set(FILING)
    with pytest.raises(InvalidDocument, match=member):
        read_filing(Fields({**good.as_json(), member: value}, "x", tagged=False))


@pytest.mark.parametrize(
    ("name", "locale", "original"), [("opener.de", "de", "closing"), ("opener", "de", "opener"), ("a.de", "de-AT", "a")]
)
def test_attack_a_translation_cannot_pose_as_that_of_something_else(name: str, locale: str, original: str) -> None:
    """It is called like its original with its own language, or it is refused."""
    document = {"locale": locale, "translation_of": {"name": original, "digest": DIGEST}}
    fields = Fields(document, "x", tagged=False)
    with pytest.raises(InvalidDocument, match="to be called"):
        read_translation(fields, name=name, locale=read_locale(fields))
