"""The mark-up of written examples: what a line holds, and which lines are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.data.example import Mark
from models.data.markup import MarkupError, Template, parse_line, read_markup

ALL = "% entities: all"


def pieces(template: Template, marks: tuple[Mark, ...] | None) -> list[tuple[str, str]]:
    """Return kind and characters of each mark."""
    return [(mark.kind, template.text[mark.start : mark.end]) for mark in marks or ()]


def test_marks_nest_and_keep_their_characters() -> None:
    """Entities inside parts, and slots inside either, stand where their characters stand once brackets are gone."""
    line = "{I}(WHO) will {send [Priya Raman](PERSON) the {{PROJECT}} draft}(WHAT) {by Thursday}(WHEN). #commitment"
    template = parse_line(line, ALL)
    assert template.text == "I will send Priya Raman the {{PROJECT}} draft by Thursday."
    assert pieces(template, template.entities) == [("PERSON", "Priya Raman")]
    what = "send Priya Raman the {{PROJECT}} draft"
    assert pieces(template, template.parts) == [("WHO", "I"), ("WHAT", what), ("WHEN", "by Thursday")]
    assert pieces(template, template.slots) == [("PROJECT", "{{PROJECT}}")]
    assert template.labels == {"commitment": True}


def test_a_slot_right_after_an_opening_bracket_keeps_its_place() -> None:
    """A slot that begins or ends a mark moves with it."""
    template = parse_line("call {{{FIRST}} and [Dr {{LAST}}](PERSON)}(WHAT) #commitment", ALL)
    assert template.text == "call {{FIRST}} and Dr {{LAST}}"
    assert pieces(template, template.parts) == [("WHAT", "{{FIRST}} and Dr {{LAST}}")]
    assert pieces(template, template.entities) == [("PERSON", "Dr {{LAST}}")]


def test_judged_labels_do_not_hold_unless_given() -> None:
    """Headers name what was judged, with wild cards; a label at the end of a line says more, or otherwise."""
    template = parse_line("He got the raise. #topic.finance -crisis", "% judged: topic.f* low_mood")
    assert template.labels == {"topic.finance": True, "topic.family": False, "low_mood": False, "crisis": False}


def test_what_nobody_looked_at_is_none() -> None:
    """Entities without a header, and parts of a line that nobody judged as a commitment, are not annotated."""
    template = parse_line("I will call her.")
    assert (template.entities, template.parts, template.labels) == (None, None, {})
    assert parse_line("I might call her.", "% judged: commitment").parts == ()
    assert parse_line("I will call her. #commitment").parts is None


@pytest.mark.parametrize("text", ["- [ ] done :-[ {sic} and [x]", "f(A) = [1] and a[0]", "see [the page](https) twice"])
def test_other_brackets_are_text(text: str) -> None:
    """A bracket that no mark needs stays."""
    assert parse_line(text, ALL).text == text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[Tom](PERSN) called", "PERSN"),
        ("Tom](PERSON) called", "opening"),
        ("[Tom (PERSON) called", "whole mark"),
        ("[ Tom](PERSON) called", "outer blanks"),
        ("[Tom [Lee](PERSON)](PERSON) called", "within"),
        ("{I}(WHO) go", "commitment"),
        ("hello {{NAME}}", "NAME"),
        ("hello #greeting", "greeting"),
        ("hello #crisis -crisis", "one judgement"),
    ],
)
def test_a_wrong_line_is_refused(line: str, said: str) -> None:
    """Every slip of a writer that can be seen is refused, and the message says what was expected."""
    with pytest.raises(ValueError, match=said):
        parse_line(line, ALL)


def test_marks_where_entities_are_not_annotated_are_refused() -> None:
    """A single marked name under `entities: none` would make the others of the line look unmarked."""
    with pytest.raises(ValueError, match="entities: none"):
        parse_line("[Tom](PERSON) called", "% entities: none")


@pytest.mark.parametrize("header", ["% judgd: crisis", "% judged: crises", "% voice: poem", "% family: two words"])
def test_a_wrong_header_is_refused(header: str) -> None:
    """A misspelt header would silently change what the lines below it say."""
    with pytest.raises(ValueError, match="expected"):
        parse_line("hello", header)


def test_an_error_names_file_and_line(tmp_path: Path) -> None:
    """Blank lines and comments count as lines, and headers hold until they are given again."""
    path = tmp_path / "notes-1.txt"
    path.write_text("% What this is: a comment.\n% voice: chat\n\nhi\n% voice: mail\nhello\n[x](WRONG)\n", "utf-8")
    read = []
    with pytest.raises(MarkupError, match=r"notes-1\.txt:7: "):
        read.extend(read_markup(path))
    path.write_text("% voice: chat\nhi\n% voice: mail\nhello\n", "utf-8")
    assert [(one.voice, one.family) for one in read_markup(path)] == [("chat", "notes-1"), ("mail", "notes-1")]


def test_all_written_lines_are_in_the_mark_up() -> None:
    """Every file of written examples can be read whole."""
    folder = Path(__file__).parents[3] / "models" / "data" / "written" / "train"
    assert sum(1 for path in folder.glob("*.txt") for _ in read_markup(path)) > 0
