"""The device works out by itself what a release changes, and opens it later without the contents of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.approval import Changed
from edge_runtime.core.basis import parse_basis
from edge_runtime.core.manifest import Entry
from tests.published import Published, fingerprint
from tests.simulator import prompt_document


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release in a folder."""
    made = Published(tmp_path)
    made.release()
    return made


@pytest.fixture
def edge(published: Published, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted it."""
    runtime = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert runtime.refresh().ok
    return runtime


def reworded() -> dict[tuple[str, str], bytes]:
    return {("prompt", "opener"): canonical.encode(prompt_document(fallback="New"))}


def opener(published: Published) -> Entry:
    """Return the live entry of the prompt."""
    manifest = published.organisation.manifest
    assert manifest is not None
    entry = manifest.find("prompt", "opener")
    assert entry is not None
    return entry


def content(folder: Path, entry: Entry) -> Path:
    """Return the file of an entry's content in a home or a published folder."""
    [path] = (folder / "closures").glob(f"{entry.digest.removeprefix('sha256:')}.*")
    return path


def test_what_a_release_changed_is_kept_beside_it(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """The next start verifies the same step without the content of before, which need not be there any more."""
    old = opener(published)
    published.release(reworded())
    assert edge.refresh().release == 2
    [current] = [f for f in (tmp_path / "home" / "generations").iterdir() if f.name == "000002"]
    _, _, changes = parse_basis((current / "basis.json").read_bytes())
    assert changes == (Changed("prompt", "opener", ("wording",), ("prompt/opener",)),)
    content(tmp_path / "home", old).unlink()
    again = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    assert again.status().release == 2


def test_a_content_of_before_that_is_lost_is_fetched_again(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """A damaged file on the device does not keep it from following."""
    content(tmp_path / "home", opener(published)).write_bytes(b"{}")
    published.release(reworded())
    assert edge.refresh().release == 2


def test_a_release_whose_content_of_before_is_nowhere_is_not_adopted(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """Where nobody can say what a change is, it is not taken for the least: the last good release stays."""
    old, home = opener(published), tmp_path / "home"
    content(home, old).unlink()
    content(published.folder, old).unlink()
    published.release(reworded())
    before, state = fingerprint(home), edge.state
    assert not edge.refresh().ok
    assert edge.state is state
    assert fingerprint(home) == before
