"""Sessions with a model: what it adds, that it loses nothing, and what happens when it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, InvalidDocument, NotTrusted
from edge_runtime.core import canonical
from edge_runtime.core.policy import Route
from edge_runtime.core.reader import SentenceFindings
from edge_runtime.encoder import find_encoder
from tests.edge import tiny_reader
from tests.published import Published
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
    """Hearing, deciding and covering share one reading; each next one reads for itself; an answer is read too."""
    edge.encoder = model = Counting()
    session = edge.session(learner="u1", consents={"cloud"})
    inputs = {"notes": "Write to mara@example.org today."}

    assert session.preview("opener", inputs).decision.route is Route.REDACTED
    session.decide("opener", inputs)
    session.run("opener", inputs)

    assert model.seen[:3] == [inputs["notes"]] * 3
    assert set(model.seen[3:]) == {"You will write to mara@example.org."}


def refused(published: Published, tmp_path: Path, cloud: Cloud) -> EdgeRuntime:
    """Return a device whose host names a model that is not the one described."""
    folder = tiny_reader.write(tmp_path / "reader")
    (folder / "reader.onnx").write_bytes(b"another")
    edge = EdgeRuntime.open(
        tmp_path / "home", trust=published.trust, source=str(published.folder), cloud=cloud.model, model=folder
    )
    assert edge.refresh().ok
    return edge


def test_a_model_is_loaded_when_a_text_is_first_read(published: Published, tmp_path: Path, cloud: Cloud) -> None:
    """Opening, a session and `status` load nothing, so a refused model is an error of reading, and says so."""
    edge = refused(published, tmp_path, cloud)
    session = edge.session(learner="u1", consents={"cloud"})

    assert "reader.onnx" in edge.status().reader.problem
    for act in (session.read, edge.read, lambda text: session.decide("opener", {"notes": text})):
        with pytest.raises(NotTrusted, match=r"expected the reader\.onnx"):
            act("A plain note.")
    reply = session.run("opener", {"notes": "A plain note."})
    assert reply.route == "device"
    assert "unread-stays" in {reason.rule for reason in reply.reasons}
    assert cloud.requests == []


def test_a_crisis_is_handed_off_though_the_model_is_refused(published: Published, tmp_path: Path, cloud: Cloud) -> None:
    """P6: the phrases need no model, whatever the host named."""
    session = refused(published, tmp_path, cloud).session(learner="u1", consents={"cloud"})

    assert session.run("opener", {"notes": "I want to kill myself."}).route == "hand-off"
    assert cloud.requests == []


def test_a_name_without_a_letter_is_refused_when_the_session_begins(edge: EdgeRuntime) -> None:
    """What the host gets wrong it learns at once, not at the first text."""
    with pytest.raises(InvalidDocument):
        edge.session(learner="u1", names=["!!!"])


def test_status_says_which_model_reads(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Its name, the digest of its description and its languages; without one, that there is none."""
    folder = tiny_reader.write(tmp_path / "reader")
    other = EdgeRuntime.open(tmp_path / "home", trust=published.trust, model=folder)
    installed = other.status().reader

    assert installed.digest == canonical.digest((folder / "reader.json").read_bytes())
    assert (installed.name, installed.locales, installed.problem) == ("tiny", ("en",), "")
    assert installed.name in str(installed)
    assert other.status().as_json()["reader"]["digest"] == installed.digest
    assert edge.status().as_json()["reader"] == {
        "name": "",
        "digest": "",
        "locales": [],
        "size_bytes": 0,
        "problem": "",
    }
    assert "no model" in str(edge.status().reader)


def test_a_model_that_the_host_names_must_be_right(edge: EdgeRuntime, tmp_path: Path) -> None:
    """A refused model is an error where the host asked for it, and is not replaced by another."""
    folder = tiny_reader.write(tmp_path / "reader")
    (folder / "reader.onnx").write_bytes(b"another")
    with pytest.raises(NotTrusted, match=r"expected the reader\.onnx"):
        find_encoder(str(folder))
    assert find_encoder("none") is None
    assert edge.encoder is None
