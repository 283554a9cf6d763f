"""Names and terms of the host app are found as whole words, however they are written."""

from __future__ import annotations

import pytest

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.reader import TextReader


def found(text: str, names: tuple[str, ...] = (), terms: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    reading = TextReader(names=names, terms=terms).read(text)
    assert all(entity.source == "host" for entity in reading.entities)
    return [(entity.type, text[entity.start : entity.end]) for entity in reading.entities]


@pytest.mark.parametrize(
    "text",
    [
        "Priya Sharma",
        "priya sharma",
        "PRIYA SHARMA",
        "Priya  Sharma",
        "Priya\nSharma",
        "Pri\u200bya Sharma",
        "\uff30riya Sharma",
        "Pr\u00edya Sharma",
        "Priya-Sharma",
    ],
)
def test_a_full_name_is_one_finding(text: str) -> None:
    """Capitals, blanks, accents and disguises do not hide a name, and the longest match wins."""
    assert found(f"met {text}, briefly", ("Priya Sharma",)) == [("PERSON", text)]


@pytest.mark.parametrize(
    ("text", "name"), [("Priya's", "Priya"), ("Priya\u2019s", "Priya"), ("SHARMA'S", "SHARMA"), ("Priyas", "Priya")]
)
def test_a_part_in_the_possessive_is_found(text: str, name: str) -> None:
    """Each part of a full name is found on its own, without the possessive."""
    assert found(f"it was {text} idea", ("Priya Sharma",)) == [("PERSON", name)]


@pytest.mark.parametrize("text", ["Priyanka", "sharmaji", "enpriya", "priya2", "pri ya"])
def test_a_name_inside_another_word_is_no_name(text: str) -> None:
    """Only whole words count."""
    assert found(text, ("Priya Sharma",)) == []


def test_short_parts_and_particles_do_not_stand_alone() -> None:
    """'Li' of 'Li Wen' and 'van' of 'Anna van Dyk' are too common on their own."""
    assert found("li and van and Wen and dyk", ("Li Wen", "Anna van Dyk")) == [("PERSON", "Wen"), ("PERSON", "dyk")]


def test_an_everyday_word_is_a_name_only_with_a_capital() -> None:
    """'Will' is somebody, 'will' is not."""
    assert found("I will ask Will to mark it", ("Will Baker", "Mark")) == [("PERSON", "Will")]


@pytest.mark.parametrize("term", ["Project Orion", "C++", ".NET", "R&D", "x-17"])
def test_a_term_is_found_as_it_is(term: str) -> None:
    """Terms may hold signs; their parts do not count on their own."""
    assert found(f"the {term} work, a C or net or project or R or x thing", (), (term,)) == [("TERM", term)]
    assert found(f"the {term.lower()} work", (), (term,)) == [("TERM", term.lower())]


def test_names_in_scripts_without_blanks_are_found() -> None:
    """Scripts that write no blanks between words have no whole words to insist on."""
    assert found("\u6628\u65e5\u7530\u4e2d\u3055\u3093\u3068\u8a71\u3057\u305f", ("\u7530\u4e2d",)) == [
        ("PERSON", "\u7530\u4e2d")
    ]


def test_overlaps_leave_nothing_uncovered() -> None:
    """The longest finding wins, and what is left of another stays a finding."""
    assert found("Priya Sharma Project", ("Priya Sharma",), ("Sharma Project",)) == [
        ("PERSON", "Priya"),
        ("TERM", "Sharma Project"),
    ]


@pytest.mark.parametrize("name", ["", "  ", "???"])
def test_a_name_without_letters_is_refused(name: str) -> None:
    """A name that can match nothing is the host's mistake, and is not passed over in silence."""
    with pytest.raises(InvalidDocument, match="expected a name with a letter or digit"):
        TextReader(names=[name])
