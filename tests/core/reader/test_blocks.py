"""A text of any length is read in pieces that make it up, and no finding is cut or lost at their borders."""

from __future__ import annotations

from itertools import repeat

import pytest

from edge_runtime.core.reader import TextReader
from edge_runtime.core.reader.blocks import BLOCK, OVERLAP, join_readings, read_pieces

READER = TextReader(names=["Priya Nair"])
LINE = "Priya Nair wrote to mara@example.org about the plan.\n"


@pytest.mark.parametrize(
    "text", ["", "x", LINE, LINE * 1700, "x" * 90_000, "mara@example.org " * 5000, "\u200b" * 90_000]
)
def test_pieces_make_up_the_text(text: str) -> None:
    """Whatever the text and however it comes, nothing is lost and nothing twice."""
    for size in (7000, 100_000):
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        pieces = list(read_pieces(READER, chunks))
        assert "".join(piece.text for piece in pieces) == text
        assert all(piece.reading.text_length == len(piece.text) <= BLOCK + 2 * OVERLAP for piece in pieces)


def test_a_long_text_is_read_as_a_short_one() -> None:
    """Of many lines each gives what it gives alone, at its place."""
    text = LINE * 1700
    reading = join_readings(piece.reading for piece in read_pieces(READER, [text]))
    alone = READER.read(LINE).entities
    assert len(reading.entities) == 1700 * len(alone)
    assert [text[e.start : e.end] for e in reading.entities[:2]] == ["Priya Nair", "mara@example.org"]
    assert {text[e.start : e.end] for e in reading.entities} == {"Priya Nair", "mara@example.org"}


@pytest.mark.parametrize("shift", [-5, 0, 11])
def test_a_finding_at_a_border_is_whole(shift: int) -> None:
    """Where no blank is near, a piece ends behind the finding."""
    text = "x" * (BLOCK + shift - 9) + "!mara@example.org" + "!" * 5000
    (found,) = join_readings(piece.reading for piece in read_pieces(READER, [text])).entities
    assert found.end == text.index("!", BLOCK + shift)


def test_a_crisis_in_a_late_piece_is_heard() -> None:
    """The gravest piece decides, and one in a foreign language makes the text unread."""
    text = LINE * 900 + "I want to kill myself.\n" + LINE * 700 + "Ik weet niet wat ik met mijn baas moet doen.\n"
    labels = join_readings(piece.reading for piece in read_pieces(READER, [text])).labels
    assert (labels.crisis, labels.subject, labels.language) == ("crisis", "self", "other")


def test_a_text_without_end_is_read_as_it_comes() -> None:
    """The first piece is there before the second block was asked for."""
    pieces = read_pieces(READER, repeat(LINE))
    assert next(pieces).text.startswith(LINE)
