"""Normalising keeps the way back to the original, exactly."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.sentences import sentence_spans

TRICKY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "abc 019@.+\u200b\u200e\u202e\ufeff\u00ad\u0301\u0327\uff10\uff21\ufb01\u1100\u1161\u11a8\u0660\u2019"
        ),
    )
)


@given(TRICKY)
def test_every_place_maps_back_in_order(text: str) -> None:
    """Each normalised character stands somewhere in the original, and places never run backwards."""
    normalised = normalise(text)
    places = [normalised.original(i, i + 1) for i in range(len(normalised.text))]
    assert all(0 <= place.start < place.end <= len(text) for place in places)
    assert all(a.start <= b.start and a.end <= b.end for a, b in itertools.pairwise(places))


@given(TRICKY)
def test_a_place_in_the_original_normalises_to_the_same_characters(text: str) -> None:
    """The original text at the place of a segment normalises to exactly what stands in the normalised text."""
    normalised = normalise(text)
    index = 0
    while index < len(normalised.text):
        place = normalised.original(index, index + 1)
        end = index
        while end < len(normalised.text) and normalised.original(end, end + 1) == place:
            end += 1
        assert normalise(text[place.start : place.end]).text == normalised.text[index:end]
        index = end


@given(
    st.text(
        st.characters(
            exclude_categories=("Cf", "Nd", "Pd", "Cn", "Cs"),
            exclude_characters="\u2018\u2019\u201b\u02bc\u02bb\u2032\u2212\u2043",
        )
    )
)
def test_it_is_nfkc_for_what_is_visible(text: str) -> None:
    """Apart from the characters it removes or folds, the result is NFKC of the whole text."""
    visible = "".join(c for c in text if not ("\ufe00" <= c <= "\ufe0f") and normalise(c).text)
    if max((len(run) for run in _marks(visible)), default=0) < 30:
        assert normalise(visible).text == unicodedata.normalize("NFKC", visible)


def _marks(text: str) -> list[str]:
    return "".join(c if unicodedata.combining(c) else " " for c in text).split()


@given(TRICKY)
def test_it_is_stable(text: str) -> None:
    """Normalising twice changes nothing more."""
    once = normalise(text).text
    assert normalise(once).text == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pri\u200bya", "priya"),
        ("\uff10\uff11\uff17\uff10", "0170"),
        ("\u0660\u0661", "01"),
        ("\u202epriya\u202c", "priya"),
        ("Priya\u2019s", "Priya's"),
        ("a\u2013b", "a-b"),
        ("e\u0301", "\u00e9"),
        ("\ufb01ne", "fine"),
        ("so\u00adft", "soft"),
    ],
)
def test_one_spelling(text: str, expected: str) -> None:
    """Invisible characters go; digits, quotes, hyphens and compatibility letters get one spelling."""
    assert normalise(text).text == expected


def test_marks_without_end_cost_linear_time() -> None:
    """A letter with fifty thousand combining marks is taken in pieces, since sorting them all is quadratic."""
    text = "a" + "\u0315\u0300" * 25_000
    normalised = normalise(text)
    assert normalised.original(0, len(normalised.text)).end == len(text)


@given(TRICKY)
def test_sentences_cover_the_text(text: str) -> None:
    """Sentences are in order, without overlap, without outer blanks."""
    spans = sentence_spans(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] != "" for span in spans)


def test_sentences_of_a_note() -> None:
    """Abbreviations hold together, line ends and list marks part."""
    text = "Met Dr. Rao, e.g. about budget. Fine!\n- Send brief\n2) Call Tom?  Yes"
    assert [text[s.start : s.end] for s in sentence_spans(text)] == [
        "Met Dr. Rao, e.g. about budget.",
        "Fine!",
        "Send brief",
        "Call Tom?",
        "Yes",
    ]
