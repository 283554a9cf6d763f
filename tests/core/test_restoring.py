"""What a model says comes back with its values, however it is cut into pieces, in plain text and in JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.raw_values import MAX_PLACEHOLDER_LENGTH, PLACEHOLDER
from edge_runtime.core.redaction import Entry, PlaceholderTable, restore
from edge_runtime.core.restoring import Restorer
from tests.conftest import examples

TABLE = PlaceholderTable(
    (
        Entry("PERSON", 1, ("priya nair",), ("Priya Nair", "Priya")),
        Entry("PERSON", 2, ("o'neil",), ('Zo\u00eb "Z" O\'Neil\\\n',)),
        Entry("LITERAL", 1, ("[EMAIL_9]",), ("[EMAIL_9]",)),
        Entry("PERSON", 3, ("again",), ("[PERSON_1]",)),
    )
)
FRAGMENTS = st.sampled_from(
    [
        *(
            "[PERSON_1]",
            "[PERSON_2]",
            "[PERSON_3]",
            "[LITERAL_1]",
            "[EMAIL_4]",
            "[PERSON_",
            "[",
            "]",
            "1]",
            "_1]",
            "[[",
        ),
        *("PERSON_1", "[PERSON_01]", "[person_1]", "\\", "\\\\", '"', "\\u005b", "u005b", "\n", "Hello ", "\U0001f600"),
        *("[A_B_1]", "[A__1]", "[_A_1]", "[A_1]", "[PERSON_1234567]"),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=4), max_size=12).map("".join)


@st.composite
def cut(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """A text cut at any places."""
    text = draw(texts)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def restored(pieces: list[str], **options: bool) -> tuple[str, tuple[str, ...]]:
    """Restore a stream."""
    restorer = Restorer(TABLE, **options)
    text = "".join([*map(restorer.feed, pieces), restorer.close()])
    return text, restorer.unknown


def escaped(text: str) -> str:
    """The text as a JSON string, each character as an escape, as some models write brackets."""
    return "".join(f"\\u{ord(letter):04X}" if ord(letter) < 128 else letter for letter in text)


@examples(50)
@given(cut(TEXTS))
def test_any_pieces_give_what_the_whole_gives(pieces: list[str]) -> None:
    """Wherever a stream is cut, what comes out is what `restore` makes of the whole text."""
    whole = restore("".join(pieces), TABLE)
    assert restored(pieces) == (whole.text, whole.unknown)


@examples(50)
@given(TEXTS)
def test_a_whole_text_is_restored_as_a_plain_replacement_does_it(text: str) -> None:
    """The reference: every known placeholder is its first spelling, every other stays and is named once."""
    values = {entry.placeholder: entry.forms[0] for entry in TABLE.entries}
    found = [match[0] for match in PLACEHOLDER.finditer(text)]
    assert restored([text]) == (
        PLACEHOLDER.sub(lambda match: values.get(match[0], match[0]), text),
        tuple(dict.fromkeys(name for name in found if name not in values)),
    )


@examples(50)
@given(cut(TEXTS.map(json.dumps) | TEXTS.map(lambda text: f'"{escaped(text)}"') | TEXTS))
def test_any_pieces_of_json_give_what_the_whole_gives(pieces: list[str]) -> None:
    """The same in JSON, escapes cut in two included, and in what only claims to be JSON."""
    assert restored(pieces, json_strings=True) == restored(["".join(pieces)], json_strings=True)


@examples(50)
@given(cut(st.tuples(TEXTS, st.booleans()).map(lambda one: json.dumps({"a": [one[0]]}, ensure_ascii=one[1]))))
def test_json_stays_json_with_the_values_in_its_strings(pieces: list[str]) -> None:
    """Quotes, backslashes and line breaks of a value do not end the string that it is put into."""
    [said] = json.loads("".join(pieces))["a"]
    text, unknown = restored(pieces, json_strings=True)
    assert (json.loads(text)["a"], unknown) == ([restore(said, TABLE).text], restore(said, TABLE).unknown)


@examples(50)
@given(cut(TEXTS.map(lambda text: f'["{escaped(text)}"]')))
def test_a_placeholder_in_escapes_is_known(pieces: list[str]) -> None:
    r"""A model may write `\u005bPERSON_1\u005d`; it means the same."""
    [said] = json.loads("".join(pieces))
    assert json.loads(restored(pieces, json_strings=True)[0]) == [restore(said, TABLE).text]


def test_a_backslash_that_was_escaped_begins_no_escape() -> None:
    r"""`\\u005b` in JSON is a backslash and letters: nothing is put in there."""
    said = json.dumps(["\\u005bPERSON_1]"])
    assert restored([said], json_strings=True) == (said, ())


@pytest.mark.parametrize("at", range(1, len("[PERSON_1]")))
def test_a_placeholder_is_held_back_until_it_is_whole(at: int) -> None:
    """No half of a placeholder is shown, and nothing else waits."""
    restorer = Restorer(TABLE)
    assert restorer.feed("To [PERSON_1]"[: 3 + at]) == "To "
    assert restorer.feed("[PERSON_1]"[at:] + ".") == "Priya Nair."


@examples(50)
@given(cut(TEXTS))
def test_no_more_is_held_back_than_a_placeholder(pieces: list[str]) -> None:
    """A stream goes on: what is not shown yet could still become a placeholder."""
    restorer = Restorer(PlaceholderTable())
    came = shown = 0
    for piece in pieces:
        came += len(piece)
        shown += len(restorer.feed(piece))
        assert came - shown < MAX_PLACEHOLDER_LENGTH


def test_what_is_put_in_is_not_looked_at_again() -> None:
    """A value that looks like a placeholder, because somebody typed one, stays what it is."""
    assert restored(["[PERSON_3] and [LITERAL_1]"]) == ("[PERSON_1] and [EMAIL_9]", ())


def test_the_longest_placeholder_is_found_where_it_is_cut() -> None:
    """The bound on what is held back is that of the grammar."""
    longest = f"[{'A' * 32}_999999]"
    assert (len(longest), PLACEHOLDER.fullmatch(longest) is not None) == (MAX_PLACEHOLDER_LENGTH, True)
    assert restored([longest[:-1], "]"])[1] == (longest,)
    assert restored(list(longest))[1] == (longest,)


def test_no_representation_shows_a_value() -> None:
    """P2: a stray log line of a restorer holds nothing."""
    restorer = Restorer(TABLE)
    restorer.feed("[PERSON_1] wrote [PERS")
    assert "Priya" not in repr(restorer)
