"""V8: a release that names models is adopted by devices that read with one of them, and with no other afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Manifest, Model
from tests.edge import tiny_reader
from tests.published import Published
from tests.simulator import CHANNEL, prompt_document

NOTE = "x Priya Sharma, Acme. mail"
OTHER = Model("older", "sha256:" + "0" * 64, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model that the release names."""
    return tiny_reader.write(tmp_path / "reader")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another model: the same graph, with a first stage."""
    gate = {"graph": tiny_reader.described(tiny_reader.gate()), "threshold_bp": 100}
    return tiny_reader.write(tmp_path / "other", gate=gate)


def model_in(folder: Path) -> Model:
    """Return what a manifest says of the model in a folder."""
    description = (folder / "reader.json").read_bytes()
    return Model("reader", canonical.digest(description), len(description))


def release_with(published: Published, *models: Model) -> Manifest:
    """Publish a release that names models, approved by the quorum of that."""
    organisation = published.organisation
    title = f"With {len(models)} models"
    changed = {("prompt", "opener"): canonical.encode(prompt_document("opener", title=title))}
    made = organisation.build(changed, models=models)
    organisation.vouch(made, (("p-tom", "facilitator"), ("p-ines", "compliance"), ("p-sam", "safety-owner")))
    organisation.manifest = made
    published.publish()
    return made


def device(published: Published, home: Path, model: Path | str) -> EdgeRuntime:
    """Return a device that reads with a model."""
    return EdgeRuntime.open(
        home, trust=published.trust, source=str(published.folder), channel=CHANNEL, model=str(model)
    )


def people_in(edge: EdgeRuntime) -> list[str]:
    """Return what a device takes for people in the note."""
    return [NOTE[e.start : e.end] for e in edge.read(NOTE).entities if e.type == "PERSON"]


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with a release that names no model."""
    made = Published(tmp_path / "organisation")
    made.release()
    return made


def test_a_device_with_a_model_that_is_named_adopts(published: Published, folder: Path, tmp_path: Path) -> None:
    """One of several is enough, so that devices can go from one to the next."""
    release_with(published, OTHER, model_in(folder))
    edge = device(published, tmp_path / "home", folder)
    result = edge.refresh()
    assert result.ok, result
    assert "one that is named" in next(step.said for step in result.steps if step.check == "V8")
    assert people_in(edge) == ["Priya", "Sharma"]
    assert not edge.status().reader.problem


@pytest.mark.parametrize("reads_with", ["other", "none", "broken"])
def test_a_device_with_another_model_or_none_keeps_what_it_has(
    published: Published, folder: Path, other: Path, tmp_path: Path, reads_with: str
) -> None:
    """Refused at V8, and the last known good stays."""
    if reads_with == "broken":
        (folder / "reader.onnx").write_bytes((folder / "reader.onnx").read_bytes()[:-1] + b"x")
    edge = device(published, tmp_path / "home", {"other": other, "none": "none", "broken": folder}[reads_with])
    assert edge.refresh().ok
    state = edge.state
    release_with(published, model_in(folder))
    result = edge.refresh()
    assert (result.ok, result.check, edge.state) == (False, "V8", state)
    assert device(published, tmp_path / "home", "none").state == state


def test_an_update_that_brings_another_model_is_not_read_with(
    published: Published, folder: Path, other: Path, tmp_path: Path
) -> None:
    """The release goes on running; what the model would have found counts as not assessed, and status says why."""
    release_with(published, model_in(folder))
    assert device(published, tmp_path / "home", folder).refresh().ok
    edge = device(published, tmp_path / "home", other)
    assert edge.state is not None
    assert edge.encoder is None
    assert people_in(edge) == []
    assert "PERSON" not in edge.read(NOTE).assessed
    assert "names, got another" in edge.status().reader.problem
    release_with(published, model_in(folder), model_in(other))
    assert edge.refresh().ok
    assert people_in(edge) == ["Priya", "Sharma"]
    assert not edge.status().reader.problem
