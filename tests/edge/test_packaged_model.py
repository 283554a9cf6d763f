"""The model that comes with the package, if the checkout holds one: whole, small, and better than none."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from edge_runtime.core.reader import TextReader
from edge_runtime.core.reader.model import parse_reader_model
from edge_runtime.encoder import PACKAGED, OnnxEncoder, find_installed

pytestmark = pytest.mark.skipif(not (PACKAGED / "reader.json").is_file(), reason="no model: `make models` makes it")


@pytest.fixture(scope="module")
def reader() -> TextReader:
    """A reader with that model, verified and tested."""
    return TextReader(encoder=OnnxEncoder.open())


def test_its_files_are_the_ones_described_and_small() -> None:
    """Nothing lies beside them but the card; none has more than 30 MB, nor have they together more than 60."""
    model = parse_reader_model((PACKAGED / "reader.json").read_bytes())
    named = {"reader.json", "reader.onnx", "tokenizer.json", "MODEL_CARD.md", *(["gate.onnx"] if model.gate else [])}
    sizes = {path.name: path.stat().st_size for path in PACKAGED.iterdir() if path.suffix in {".onnx", ".json", ".md"}}

    assert sizes.keys() == named
    assert {path.name for path in PACKAGED.iterdir()} <= named | {"__init__.py", "__pycache__"}
    assert max(sizes.values()) <= 30_000_000
    assert sum(sizes.values()) <= 60_000_000
    assert (find_installed().name, find_installed().problem) == (model.name, "")


def test_it_finds_the_names_in_the_demonstrations_note(reader: TextReader) -> None:
    """Nobody supplied them; and a note of some twenty everyday sentences is no crisis."""
    note = Path(str(files("control_plane.demo").joinpath("note.txt"))).read_text(encoding="utf-8")
    reading = reader.read(note)
    found = {note[entity.start : entity.end] for entity in reading.entities if entity.type == "PERSON"}

    assert found >= {"Priya Nair", "Tom Becker", "Mara Lindqvist"}
    assert "health" in (reading.labels.topics or ())
    assert reading.labels.crisis == "none"


def test_a_crisis_in_other_words_is_heard_and_a_plain_line_is_none(reader: TextReader) -> None:
    """Whoever says so is led to a person, and who writes everyday lines is not."""
    assert reader.read("Everyone would be better off without me around.").labels.crisis == "crisis"
    for line in ("I will send Tom the draft by Friday.", "The call went well and we agreed on two steps."):
        assert reader.read(line).labels.crisis == "none"


@pytest.mark.parametrize(
    "line",
    [
        "Manchmal stehe ich auf der Br\u00fccke und denke, es w\u00e4re schnell vorbei.",
        "A veces pienso que todos estar\u00edan mejor sin m\u00ed.",
        "Je voudrais m'endormir et ne plus jamais me r\u00e9veiller.",
    ],
)
def test_a_crisis_is_heard_in_the_other_languages_of_the_phrases(reader: TextReader, line: str) -> None:
    """Where what it does not find counts for nothing, what it hears of a crisis still counts."""
    assert reader.read(line).labels.crisis == "crisis"
