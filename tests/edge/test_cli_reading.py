"""`mentorplane edge read`, `redact` and `summarise` on input of any length, with and without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_runtime.core.reader.blocks import BLOCK
from tests.edge import tiny_reader
from tests.edge.test_cli import assert_one_line, invoke

LINE = "Write to mara@example.org about the plan.\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the tiny model."""
    return str(tiny_reader.write(tmp_path_factory.mktemp("models") / "reader"))


def test_a_long_text_is_covered_with_the_same_placeholder_all_through() -> None:
    """Redaction of a text of several blocks is its text with one placeholder for the one value."""
    text = LINE * (2 * BLOCK // len(LINE))
    result = invoke("redact", stdin=text)
    assert result.exit_code == 0
    covered = text.replace("mara@example.org", "[EMAIL_1]")
    assert result.stdout == covered + "\n"
    assert json.loads(invoke("redact", "--json", stdin=text).stdout) == {"text": covered}


def test_places_in_a_long_text_are_places_in_the_whole() -> None:
    """`read` states places from the beginning of the input, in characters, whatever the bytes."""
    text = "\u00e9\n" * BLOCK + "mara@example.org"
    (found,) = json.loads(invoke("read", "--json", stdin=text).stdout)["entities"]
    assert text[found["start"] : found["end"]] == "mara@example.org"


@pytest.mark.parametrize(
    ("command", "member", "expected"),
    [
        ("redact", "text", "To [EMAIL_1]. We agreed to go."),
        ("summarise", "lines", ["To mara@x.example.", "We agreed to go."]),
    ],
)
def test_lines_are_answered_one_by_one(command: str, member: str, expected: object) -> None:
    """`--jsonl`: an id, the answer and how long it took, for each line; a broken one is named by its number."""
    line = json.dumps({"id": "a", "text": "To mara@x.example. We agreed to go."})
    result = invoke(command, "--jsonl", stdin=f"\ufeff{line}\n{line}\nbroken\n")
    answers = [json.loads(answer) for answer in result.stdout.splitlines()]
    assert [(answer["id"], answer[member]) for answer in answers] == [("a", expected)] * 2
    assert all(answer["ms"] >= 0 for answer in answers)
    assert_one_line(result, 3, "line 3: expected")


def test_a_line_of_any_length_is_read() -> None:
    """A line may hold a text of several blocks."""
    line = json.dumps({"id": 1, "text": LINE * 1700})
    answer = json.loads(invoke("read", "--jsonl", stdin=line).stdout)
    assert len(answer["entities"]) == 1700


def test_a_summary_of_a_long_text_keeps_what_was_agreed() -> None:
    """The best of each block, and of those the best: every line stands in the text."""
    filler = "The weather was grey over the harbour. Somebody spoke of boats.\n" * 800
    text = filler + "We agreed that Tom calls the client.\n" + filler + "Next step: send the draft.\n"
    lines = invoke("summarise", "--at-most", "3", stdin=text).stdout.splitlines()
    assert {"We agreed that Tom calls the client.", "Next step: send the draft."} <= set(lines)
    assert all(line in text for line in lines)


def test_a_model_that_is_named_is_used_or_refused(model: str, tmp_path: Path) -> None:
    """`--model`: what it finds is found; one that is not what it says is exit code 2."""
    answer = json.loads(invoke("read", "--json", "--model", model, stdin="I will call Priya by Friday.").stdout)
    assert answer["entities"] == [{"type": "PERSON", "start": 12, "end": 17}]
    assert answer["commitment_parts"] == [{"who": [0, 1], "what": [7, 11], "when": [21, 27]}]
    (tiny_reader.write(tmp_path / "other") / "reader.onnx").write_bytes(b"x")
    assert_one_line(invoke("read", "--model", str(tmp_path / "other"), stdin="x"), 2, "V8")


@pytest.mark.parametrize("option", [[], ["--json"], ["--jsonl"]])
def test_names_that_nobody_looks_for_are_said(model: str, option: list[str]) -> None:
    """P2: a covered text looks safe, so `redact` warns without a model, or where it does not know the language."""

    def said(text: str, folder: str) -> str:
        result = invoke("redact", *option, "--model", folder, stdin=json.dumps({"id": 1, "text": text}))
        assert result.exit_code == 0
        return result.stderr

    warning = "note: people's names were looked for only as far as --name gives them"
    assert said("I will call Priya by Friday.", "none").startswith(warning)
    assert said("I will call Priya by Friday.", model) == ""
    assert said("Ich habe gestern mit Priya Raman gesprochen.", model).startswith(warning)


def test_no_bar_where_nobody_watches() -> None:
    """Standard error is empty when it is no terminal."""
    assert invoke("read", stdin=LINE).stderr == ""
