"""Sessions with a model: what it adds, that it loses nothing, and what happens when it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, NotTrusted
from edge_runtime.core.policy import Route
from edge_runtime.core.reader import SentenceFindings
from edge_runtime.encoder import find_encoder
from tests.edge import tiny_reader
from tests.recording_cloud import Cloud


class Broken:
    """A model that fails whenever it is asked."""

    entity_types: frozenset[str] = frozenset({"PERSON"})
    locales: frozenset[str] = frozenset({"en"})
    thresholds_bp: Mapping[str, int] = {"crisis": 1}

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Fail."""
        raise RuntimeError


class Counting:
    """A model that finds nothing, and remembers what it was asked."""

    entity_types: frozenset[str] = frozenset({"PERSON"})
    locales: frozenset[str] = frozenset({"en"})
    thresholds_bp: Mapping[str, int] = {"crisis": 1}

    def __init__(self) -> None:
        self.seen: list[str] = []

    def read(self, sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        """Find nothing."""
        self.seen += sentences
        return [SentenceFindings((), {}) for _ in sentences]


@pytest.fixture
def with_model(edge: EdgeRuntime, tmp_path: Path) -> EdgeRuntime:
    """The device, with the tiny model."""
    edge.encoder = find_encoder(str(tiny_reader.write(tmp_path / "reader")))
    return edge


def test_a_name_that_nobody_supplied_is_covered(with_model: EdgeRuntime) -> None:
    """P2: what the model finds leaves as a placeholder, if at all."""
    preview = with_model.session(learner="u1", consents={"cloud"}).preview(
        "opener", {"notes": "I call Priya by Friday."}
    )

    assert preview.decision.route is Route.REDACTED
    assert "Priya" not in preview.outgoing
    assert "[PERSON_1]" in preview.outgoing


def test_a_crisis_that_only_the_model_hears_is_handed_off(with_model: EdgeRuntime, cloud: Cloud) -> None:
    """P6: phrases or model; whom it concerns is the model's word where the phrases are silent."""
    said = {about: f"My {about} will leave." for about in ("x", "sister")}
    replies = {
        about: with_model.session(learner="u1", consents={"cloud"}).run("opener", {"notes": text})
        for about, text in said.items()
    }

    assert {reply.route for reply in replies.values()} == {"hand-off"}
    assert replies["x"].text != replies["sister"].text
    assert cloud.requests == []


def test_a_crisis_is_heard_when_the_model_fails(edge: EdgeRuntime, cloud: Cloud) -> None:
    """P6: whatever becomes of the model, the phrases are heard and nothing is sent."""
    edge.encoder = Broken()
    reply = edge.session(learner="u1", consents={"cloud"}).run("opener", {"notes": "I want to kill myself."})

    assert (reply.route, cloud.requests) == ("hand-off", [])


def test_a_text_is_read_once_and_forgotten(edge: EdgeRuntime) -> None:
    """Hearing, deciding and covering share one reading; the next run, preview or decision reads for itself."""
    edge.encoder = model = Counting()
    session = edge.session(learner="u1", consents={"cloud"})
    inputs = {"notes": "Write to mara@example.org today."}

    assert session.preview("opener", inputs).decision.route is Route.REDACTED
    session.decide("opener", inputs)
    session.run("opener", inputs)

    assert model.seen == [inputs["notes"]] * 3


def test_a_model_that_the_host_names_must_be_right(edge: EdgeRuntime, tmp_path: Path) -> None:
    """A refused model is an error where the host asked for it, and is not replaced by another."""
    folder = tiny_reader.write(tmp_path / "reader")
    (folder / "reader.onnx").write_bytes(b"another")
    with pytest.raises(NotTrusted, match=r"expected the reader\.onnx"):
        find_encoder(str(folder))
    assert find_encoder("none") is None
    assert edge.encoder is None
