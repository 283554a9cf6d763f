"""Slots, names and slips: whatever is changed in a text, its marks stay on their characters."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from stdnum import iban, luhn

from models.data import values
from models.data.example import Example, Mark, encode_example, parse_example
from models.data.fill import fill, swap_names
from models.data.lists import HELD_OUT, Lists
from models.data.markup import SLOTS, parse_line
from models.data.noise import noisy
from models.data.pieces import normalised, sentences_of

ALL = "% entities: all"


def pieces(example: Example) -> list[tuple[str, str]]:
    """Return kind and characters of each entity."""
    return [(mark.kind, example.text[mark.start : mark.end]) for mark in example.entities or ()]


def test_every_slot_becomes_its_entity() -> None:
    """Each slot is filled; the ones that hold something personal become entities, products and projects do not."""
    line = " / ".join(f"{{{{{slot}}}}}" for slot in SLOTS)
    for seed in range(20):
        example = fill(parse_line(line, ALL), Lists("train"), random.Random(seed))
        assert "{{" not in example.text
        assert [kind for kind, _ in pieces(example)] == [kind for kind in SLOTS.values() if kind]


def test_a_slot_within_a_mark_is_no_entity_of_its_own() -> None:
    """`[Dr {{LAST}}](PERSON)` is one person, title included."""
    example = fill(parse_line("ask [Dr {{LAST}}](PERSON) today", ALL), Lists("train"), random.Random(1))
    assert [kind for kind, _ in pieces(example)] == ["PERSON"]
    assert pieces(example)[0][1].startswith("Dr ")


def test_names_are_changed_and_parts_follow() -> None:
    """A swapped name keeps its mark, and the part of the commitment around it still ends at the same word."""
    line = "{I}(WHO) will {ask [Tom](PERSON) at [Acme](ORG) about it}(WHAT) #commitment"
    written = fill(parse_line(line, ALL), Lists("train"), random.Random(0))
    texts = set()
    for seed in range(10):
        swapped = swap_names(written, Lists("train"), random.Random(seed))
        what = next(mark for mark in swapped.parts or () if mark.kind == "WHAT")
        assert swapped.text[what.start : what.end].startswith("ask ")
        assert swapped.text[what.start : what.end].endswith(" about it")
        assert [kind for kind, _ in pieces(swapped)] == ["PERSON", "ORG"]
        texts.add(swapped.text)
    assert len(texts) > 3


def test_slips_leave_marks_on_their_words() -> None:
    """After any slip a mark still begins and ends at the edges of a word."""
    written = fill(
        parse_line("We met [Priya Raman](PERSON) near [Leeds](LOCATION) again.", ALL), Lists("train"), random.Random(0)
    )
    for seed in range(200):
        slipped = noisy(written, random.Random(seed))
        for mark in slipped.entities or ():
            assert slipped.text[mark.start - 1] == " "
            assert mark.end == len(slipped.text) or not slipped.text[mark.end].isalpha()


def test_held_out_values_are_for_tests_alone(tmp_path: Path) -> None:
    """The three purposes of a list share no value, and a list that has none for a purpose is refused."""
    names = [f"name {number}" for number in range(200)]
    (tmp_path / "names.txt").write_text("\n".join([*names[:150], HELD_OUT, *names[150:]]), "utf-8")
    train, validation, test = (
        set(Lists(purpose, tmp_path).values("names")) for purpose in ("train", "validation", "test")
    )
    assert test == set(names[150:])
    assert train | validation == set(names[:150])
    assert not train & validation
    assert len(validation) > 5
    (tmp_path / "names.txt").write_text("one\n", "utf-8")
    with pytest.raises(ValueError, match="names"):
        Lists("test", tmp_path).values("names")


def test_numbers_have_right_check_digits() -> None:
    """Card numbers and IBANs are valid, so that the patterns of the device take them."""
    rng = random.Random(5)
    assert all(luhn.is_valid(values.card(rng).replace(" ", "").replace("-", "")) for _ in range(50))
    accounts = [account for _ in range(80) if (account := values.bank(rng))[:2].isalpha()]
    checked = [account for account in accounts if account.startswith(("DE", "FR", "CH", "AT", "NL"))]
    assert len(checked) > 10
    assert all(iban.mod_97_10.is_valid(account.replace(" ", "")[4:] + account[:4]) for account in checked)


def test_normalising_moves_marks() -> None:
    """A mark beside characters that normalisation drops or joins holds the same word afterwards."""
    text = "ask \u200bJose\u0301 \ufb01rst"
    example = Example(
        text=text, lang="en", family="f", voice="chat", entities=(Mark("PERSON", 5, 10),), parts=None, labels={}
    )
    assert pieces(normalised(example)) == [("PERSON", "José")]


def test_a_sentence_alone_keeps_only_labels_that_do_not_hold() -> None:
    """Of two sentences nobody said which one holds the label; entities are cut exactly."""
    line = "I can't go on. [Tom](PERSON) called. #crisis -injection"
    whole, first, second = sentences_of(fill(parse_line(line, ALL), Lists("train"), random.Random(0)))
    assert whole.labels == {"crisis": True, "injection": False}
    assert (first.text, second.text) == ("I can't go on.", "Tom called.")
    assert first.labels == second.labels == {"injection": False}
    assert (pieces(first), pieces(second)) == ([], [("PERSON", "Tom")])


def test_an_example_survives_its_line() -> None:
    """Encoding and parsing an example gives it back, absent annotations included."""
    for line, header in (("[Tom](PERSON) will {go}(WHAT) #commitment", ALL), ("hi -crisis", "% entities: none")):
        example = fill(parse_line(line, header), Lists("train"), random.Random(0))
        assert parse_example(encode_example(example)) == example


@pytest.mark.parametrize(
    "broken",
    [
        '{"text": "hi", "lang": "en", "family": "f", "voice": "chat", "labels": {"joy": true}}',
        '{"text": "hi", "lang": "en", "family": "f", "voice": "chat", "entities": [["PERSON", 1, 9]], "labels": {}}',
        '{"text": "hi", "lang": "en", "family": "f", "voice": "opera", "labels": {}}',
        '{"text": "hi", "lang": "en", "family": "f", "voice": "chat", "labels": {}, "mood": 1}',
    ],
)
def test_a_broken_example_is_refused(broken: str) -> None:
    """Unknown labels, voices and members, and marks outside the text, are refused."""
    with pytest.raises(ValueError, match="expected"):
        parse_example(broken)
