"""Redaction is reversible, consistent through a session, and gives nothing away by its repr."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.raw_values import find_raw_values
from edge_runtime.core.reader import Entity, Labels, Reading, TextReader
from edge_runtime.core.redaction import PlaceholderTable, Redacted, redact, restore

NAMES = ("Priya Sharma", "Priya Patel", "Tom Baker", "Will Stone")
READER = TextReader(names=NAMES, terms=("Project Orion", "C++"))
PIECES = st.sampled_from(
    [
        *("Priya Sharma", "priya", "PRIYA'S", "Priya Patel", "Tom", "Toms", "Will", "will", "C++", "project  orion"),
        *("[PERSON_1]", "[EMAIL_2]", "[LITERAL_1]", "[PERSON_", "1]", "[", "]", "_1]", "\\u0050", "\uff30riya"),
        *("a@b.example", "A@B.EXAMPLE", "+44 7700 900123", "+447700900123", "4111 1111 1111 1111"),
        *(" ", "\n", ". ", "\u200b", "\u0301", "\u3164"),
    ]
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join))


def cover(text: str, table: PlaceholderTable | None = None) -> tuple[Redacted, PlaceholderTable]:
    return redact(text, READER.read(text), table or PlaceholderTable())


def covered(*texts: str) -> list[str]:
    table, made = PlaceholderTable(), []
    for text in texts:
        redacted, table = cover(text, table)
        made.append(redacted.text)
    return made


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_restoring_undoes_redaction_exactly(texts: list[str]) -> None:
    """Every text of a session comes back letter by letter, with the table as it is at the end."""
    table, made = PlaceholderTable(), []
    for text in texts:
        redacted, table = cover(text, table)
        made.append(redacted)
    for text, redacted in zip(texts, made, strict=True):
        assert restore(redacted, table).text == text
        for span in redacted.spans:
            assert redacted.text[span.start : span.end] == span.placeholder


@given(TEXTS, st.data())
def test_any_reading_can_be_redacted(text: str, data: st.DataObject) -> None:
    """Findings of any type at any place, overlapping or not, are covered, and the text comes back."""
    places = st.tuples(
        st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(["PERSON", "ORG", "EMAIL"])
    )
    found = tuple(Entity(k, min(a, b), max(a, b), "encoder") for a, b, k in data.draw(st.lists(places, max_size=5)))
    reading = Reading(len(text), found, Labels(None, "none", "", None), (), None, frozenset())
    redacted, table = redact(text, reading, PlaceholderTable())
    assert restore(redacted, table).text == text


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["Tom Baker", "a@b.example", "[PERSON_1]", "[CARD_3]", " and ", ". "]), st.text("xyz [](_1")
        ),
        max_size=9,
    )
)
def test_the_redacted_text_alone_restores_where_each_value_has_one_spelling(pieces: list[str]) -> None:
    """Look-alikes in the original are no danger: they are covered themselves, and come back."""
    text = " ".join(pieces)
    redacted, table = cover(text)
    assert restore(redacted.text, table).text == text
    assert restore(redacted.text, table).unknown == ()


def test_one_value_has_one_placeholder_through_a_session() -> None:
    """Spellings of one person, number or address share a placeholder in every text."""
    assert covered("Tom Baker, tom@x.example, +44 7700 900123", "TOM and Baker's TOM@X.EXAMPLE or +447700900123") == [
        "[PERSON_1], [EMAIL_1], [PHONE_1]",
        "[PERSON_1] and [PERSON_1]'s [EMAIL_1] or [PHONE_1]",
    ]


def test_a_first_name_belongs_to_the_only_person_who_bears_it() -> None:
    """The first name alone is the full name's person, in whatever order they come."""
    assert covered("Tom Baker called. Tom will write.") == ["[PERSON_1] called. [PERSON_1] will write."]
    assert covered("Tom called.", "Tom Baker will write.") == ["[PERSON_1] called.", "[PERSON_1] will write."]


def test_two_people_with_one_first_name_are_kept_apart() -> None:
    """Nobody is taken for somebody else; a first name that could be either is a third."""
    assert covered("Priya Sharma met Priya Patel. Priya smiled. Sharma left.") == [
        "[PERSON_1] met [PERSON_2]. [PERSON_3] smiled. [PERSON_1] left."
    ]
    assert covered("Priya smiled. Priya Sharma met Priya Patel.") == ["[PERSON_1] smiled. [PERSON_2] met [PERSON_3]."]


def test_what_was_covered_once_is_covered_again() -> None:
    """A value that a model found in one text is covered in the next, though the reader does not find it there."""
    text = "Ask Zuri Okafor"
    reading = Reading(
        len(text), (Entity("PERSON", 4, 15, "encoder"),), Labels(None, "none", "", None), (), None, frozenset()
    )
    _, table = redact(text, reading, PlaceholderTable())
    again, _ = cover("okafor's plan, by ZURI", table)
    assert again.text == "[PERSON_1]'s plan, by [PERSON_1]"


def test_what_is_found_at_one_place_is_covered_at_all_places_of_the_text() -> None:
    """In front of it and behind: a model finds a name where the sentence tells, and no send fails for the rest."""
    text = "okafor rang. Ask Zuri Okafor. Okafor's plan."
    reading = Reading(
        len(text), (Entity("PERSON", 17, 28, "encoder"),), Labels(None, "none", "", None), (), None, frozenset()
    )
    redacted, table = redact(text, reading, PlaceholderTable())
    assert redacted.text == "[PERSON_1] rang. Ask [PERSON_1]. [PERSON_1]'s plan."
    assert find_raw_values(redacted.text.encode(), table) == ()
    assert restore(redacted, table).text == text


def test_look_alikes_are_covered_and_unknown_placeholders_named() -> None:
    """A placeholder that the person typed is data; one that a model made up stays and is reported."""
    redacted, table = cover("I typed [PERSON_1] about Tom")
    assert redacted.text == "I typed [LITERAL_1] about [PERSON_1]"
    restored = restore("[PERSON_1] and [PERSON_9] and [PERSON_9]", table)
    assert (restored.text, restored.unknown) == ("Tom and [PERSON_9] and [PERSON_9]", ("[PERSON_9]",))


def test_no_repr_shows_a_value() -> None:
    """Tables, entries and texts can stand in a log line."""
    redacted, table = cover("Tom Baker, tom@x.example")
    restored = restore(redacted, table)
    shown = repr((table, table.entries, redacted, restored)).lower()
    assert "tom" not in shown
    assert "baker" not in shown


def test_redaction_changes_nothing_it_was_given() -> None:
    """The table is a value: an old one still restores what it covered."""
    _, first = cover("Tom Baker")
    before = first.entries
    cover("Priya Patel", first)
    assert first.entries == before


def test_the_reading_of_another_text_is_refused() -> None:
    """A reading that cannot belong to the text is the host's mistake."""
    with pytest.raises(ValueError, match="expected the reading of a text of 3 characters, got one of 5"):
        redact("abc", READER.read("abcde"), PlaceholderTable())


def found_by_a_model(text: str, *names: str) -> Reading:
    """The reading of a model that takes each of these spellings for a person's name, as a whole."""
    places = ((name, text.index(name)) for name in names)
    entities = tuple(sorted((Entity("PERSON", at, at + len(n), "encoder") for n, at in places), key=lambda e: e.start))
    return Reading(len(text), entities, Labels(None, "none", "", None), (), None, frozenset())


@pytest.mark.parametrize("host", [True, False], ids=["host", "model"])
@pytest.mark.parametrize("first", [True, False], ids=["name first", "possessive first"])
@pytest.mark.parametrize(
    ("name", "text", "spelled"),
    [
        ("Anna", "Annas Idee war gut.", "Annas"),
        ("Eva", "Evas Idee war gut.", "Evas"),
        ("Anna", "Anna\u2019s idea was good.", "Anna\u2019s"),
        ("Thomas", "Thomas' Idee war gut.", "Thomas'"),
        ("Thomas", "Thomas\u2019 Idee war gut.", "Thomas\u2019"),
        ("Anna", "C'est l'id\u00e9e de l'Anna.", "l'Anna"),
        ("Anna", "L'id\u00e9e d\u2019Anna.", "d\u2019Anna"),
        ("Anna Weber", "Anna Webers Idee war gut.", "Anna Webers"),
        ("Jos\u00e9", "La idea de Jos\u00e9 era buena.", "Jos\u00e9"),
    ],
)
def test_an_inflected_name_keeps_its_placeholder(
    name: str, text: str, spelled: str, *, host: bool, first: bool
) -> None:
    """German, French, Spanish and English: what a sentence puts around a name makes nobody else of a person."""
    reader, table = TextReader(names=[name]), PlaceholderTable()
    plain = f"{name} kam."
    told = [(plain, name), (text, spelled)]
    made = []
    for said, as_spelled in told if first else reversed(told):
        reading = reader.read(said) if host else found_by_a_model(said, as_spelled)
        redacted, table = redact(said, reading, table)
        made.append(redacted)
        assert restore(redacted, table).text == said
    assert [one.text.count("[PERSON_1]") for one in made] == [1, 1]
    assert name not in " ".join(one.text for one in made)


@pytest.mark.parametrize("host", [True, False], ids=["host", "model"])
def test_people_with_one_first_name_are_kept_apart_in_every_inflection(*, host: bool) -> None:
    """Two Annas: with their surnames each is who they are; the first name alone is neither of them."""
    text = "Anna Schmidt und Anna Weber kamen. Anna Webers Idee, Anna Schmidts Plan, Annas Sorge."
    reading = TextReader(names=["Anna Schmidt", "Anna Weber"]).read(text)
    if not host:
        reading = found_by_a_model(text, "Anna Schmidt", "Anna Weber", "Anna Webers", "Anna Schmidts", "Annas")
    redacted, table = redact(text, reading, PlaceholderTable())
    one, other, either = "[PERSON_1]", "[PERSON_2]", "[PERSON_3]"
    assert redacted.text.split(". ")[0] == f"{one} und {other} kamen"
    words = redacted.text.split(". ")[1].split()
    assert [word.partition("]")[0] + "]" for word in (words[0], words[2], words[4])] == [other, one, either]
    assert restore(redacted, table).text == text


def test_a_name_that_ends_in_s_is_its_own() -> None:
    """Jona and Jonas are two, whichever a model finds first; and so for their spellings."""
    for order in (("Jona", "Jonas"), ("Jonas", "Jona")):
        table, made = PlaceholderTable(), []
        for name in order:
            redacted, table = redact(f"{name} kam.", found_by_a_model(f"{name} kam.", name), table)
            made.append(redacted.text)
        assert made == ["[PERSON_1] kam.", "[PERSON_2] kam."]
