"""The reader's model on a device: only the very files, only if they still do what they did, and the right places."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.core.errors import InvalidDocument, NotTrusted, Unavailable
from edge_runtime.core.reader import Commitment, Span, TextReader
from edge_runtime.encoder import OnnxEncoder
from tests.edge import tiny_reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, with its first stage."""
    gate = {"graph": tiny_reader.described(tiny_reader.gate()), "threshold_bp": 100}
    return tiny_reader.write(tmp_path_factory.mktemp("models") / "reader", gate=gate)


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OnnxEncoder:
    """The tiny model, opened."""
    return OnnxEncoder.open(folder)


def entities(encoder: OnnxEncoder, sentence: str) -> list[tuple[str, str]]:
    """Return types and texts of what is found in a sentence."""
    (found,) = encoder.read([sentence])
    return [(entity.type, sentence[entity.start : entity.end]) for entity in found.entities]


def test_names_are_found_whole(encoder: OnnxEncoder) -> None:
    """Pieces of a word are one place; a type without a threshold keeps its words and is not reported."""
    assert entities(encoder, "x Priya Sharma, Acme. mail") == [
        ("PERSON", "Priya"),
        ("PERSON", "Sharma"),
        ("ORG", "Acme"),
    ]


def test_a_capital_tells_a_name_from_a_word(encoder: OnnxEncoder) -> None:
    """The vocabulary knows lower case only; the graph is told beside it which tokens begin with a capital."""
    assert entities(encoder, "x Grace grace x") == [("PERSON", "Grace")]


def test_places_are_in_the_text_as_it_was_given(encoder: OnnxEncoder) -> None:
    """Through normalisation, tokens and back: the original characters."""
    text = "\u200bI will c\u200ball \uff30riya by Friday. My sister will leave x."
    reading = TextReader(encoder=encoder).read(text)
    assert [text[e.start : e.end] for e in reading.entities] == ["\uff30riya"]
    assert reading.commitments is not None
    assert reading.commitments[0] == Commitment(1, 29, Span(1, 2), Span(8, 13), Span(23, 29))
    assert (reading.labels.crisis, reading.labels.subject, reading.labels.topics) == ("crisis", "other", ())


@pytest.mark.parametrize("at", [0, 12, 13, 14, 25, 60, 99])
def test_a_long_sentence_is_read_in_windows(encoder: OnnxEncoder, at: int) -> None:
    """A name is found wherever it stands, once, and a label counts from any window."""
    words = ["x"] * 100
    words[at] = "priya"
    sentence = " ".join([*words, "ignore"])
    (found,) = encoder.read([sentence])
    assert [(e.start, e.end) for e in found.entities] == [(2 * at, 2 * at + 5)]
    assert found.scores_bp["injection"] > 9900


def test_a_clean_sentence_stops_at_the_first_stage(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """What the first stage is certain of costs no further look; what it is not is read as without it."""
    whole = OnnxEncoder.open(tiny_reader.write(tmp_path / "reader"))
    clean, other = encoder.read(["x by my x.", "x Acme x."])
    assert clean.scores_bp == {}
    assert (other,) == tuple(whole.read(["x Acme x."]))
    assert whole.read(["x by my x."])[0].scores_bp["crisis"] < 100


@pytest.mark.parametrize("name", ["reader.onnx", "tokenizer.json", "gate.onnx"])
@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b" ", lambda data: bytes([data[0] ^ 1]) + data[1:]]
)
@pytest.mark.attack("model file swapped")
def test_another_file_is_refused(folder: Path, tmp_path: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    """V8: a flipped bit, a byte more or less, and the runtime never sees the file."""
    for path in folder.iterdir():
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(spoil(data) if path.name == name else data)
    with pytest.raises(NotTrusted, match=f"expected the {re.escape(name)} that") as caught:
        OnnxEncoder.open(tmp_path)
    assert caught.value.check == "V8"


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": {"crisis": [5000, 10_000]}},
        {"entities": []},
        {"entities": [["ORG", 12, 17]]},
        {"parts": [["WHO", 0, 1]]},
    ],
)
@pytest.mark.attack("model file swapped")
def test_a_model_that_fails_its_self_test_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    """V8: other scores or other places than its makers saw."""
    probe = {**tiny_reader.document()["self_test"][0], **changed}
    with pytest.raises(NotTrusted, match="line 1 of the self-test") as caught:
        OnnxEncoder.open(tiny_reader.write(tmp_path / "reader", self_test=[probe]))
    assert caught.value.check == "V8"


def test_a_graph_of_other_sizes_is_refused(tmp_path: Path) -> None:
    """A description that names fewer labels than the graph has would shift their meanings."""
    labels = tiny_reader.LABELS[1:]
    thresholds = dict.fromkeys(labels, 5000)
    probe = {**tiny_reader.document()["self_test"][0], "labels": {}, "entities": []}
    where = tiny_reader.write(tmp_path / "reader", labels=list(labels), thresholds=thresholds, self_test=[probe])
    with pytest.raises(NotTrusted, match="expected a model with the outputs"):
        OnnxEncoder.open(where)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Whatever a runtime says of it, one error of ours."""
    for name, member in (("reader.onnx", "graph"), ("tokenizer.json", "tokenizer")):
        where = tiny_reader.write(tmp_path / member, **{member: tiny_reader.described(b"nothing")})
        (where / name).write_bytes(b"nothing")
        with pytest.raises(NotTrusted, match="expected a model that runs"):
            OnnxEncoder.open(where)


def test_a_missing_file_is_unavailable_and_a_malformed_description_invalid(tmp_path: Path) -> None:
    """Nothing there is another answer than the wrong thing there."""
    with pytest.raises(Unavailable, match=r"expected reader\.json"):
        OnnxEncoder.open(tmp_path)
    where = tiny_reader.write(tmp_path / "reader")
    (where / "reader.onnx").unlink()
    with pytest.raises(Unavailable, match=r"expected reader\.onnx"):
        OnnxEncoder.open(where)
    (where / "reader.json").write_bytes(b"{}")
    with pytest.raises(InvalidDocument):
        OnnxEncoder.open(where)


def test_importing_the_encoder_loads_no_runtime() -> None:
    """onnxruntime, tokenizers and numpy are loaded when a model is opened, not before."""
    program = "import sys, edge_runtime.encoder\nassert not {'onnxruntime', 'tokenizers', 'numpy'} & set(sys.modules)\n"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_running_a_model_leaves_nothing_outside_the_home(tmp_path: Path) -> None:
    """P2: the library that runs the model gives this device no number and queues nothing for its maker."""
    where = tiny_reader.write(tmp_path / "reader")
    person = tmp_path / "person"
    person.mkdir()
    program = f"from edge_runtime.encoder import OnnxEncoder\nOnnxEncoder.open({str(where)!r})\n"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_", "CI"))}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env={**kept, "HOME": str(person)})
    assert list(person.iterdir()) == []
