"""`mentorplane dev` over the starter library and 100 prompts more: first start, and one save until a device runs it.

Run `pytest benchmarks/test_dev.py`. Aims: start ≤ 2 s; a save ≤ 1 s until a running device has adopted it. Beside what
is measured here, a save waits for two looks at the folder (0.2 s) and the device for its next one (at most 0.2 s).
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from importlib import resources
from itertools import count
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.test_start import _python
from control_plane.dev.checking import look
from control_plane.dev.publishing import Workshop
from control_plane.dev.serving import serving
from edge_runtime import EdgeRuntime

PROMPTS = 100
QUESTION = "What felt different about it this time?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter library and 100 prompts more, each of its own wording."""
    with resources.as_file(resources.files("prompt_library")) as library:
        shutil.copytree(library, tmp_path / "library", ignore=shutil.ignore_patterns("__*"))
    openings = tmp_path / "library" / "scripts" / "openings"
    text = (openings / "compliment-first-opener.yaml").read_text("utf-8")
    for number in range(PROMPTS):
        worded = text.replace("name: compliment-first-opener", f"name: opener-{number}", 1)
        worded = worded.replace("You open a mentoring conversation", f"You open mentoring conversation {number}")
        (openings / f"opener-{number}.yaml").write_text(worded, encoding="utf-8")
    return tmp_path / "library"


@pytest.mark.benchmark(group="dev")
def test_start(benchmark: BenchmarkFixture, folder: Path, tmp_path: Path) -> None:
    """A whole process: keys, every file read and checked for the first time, published."""
    homes = (str(tmp_path / f"home-{number}") for number in count())
    start = ("-m", "edge_runtime", "dev", str(folder), "--once", "--home")
    benchmark.pedantic(lambda: _python(*start, next(homes)), rounds=5, warmup_rounds=1)


@pytest.fixture
def running(folder: Path, tmp_path: Path) -> Iterator[tuple[Workshop, EdgeRuntime]]:
    """What is published over HTTP, and a device that has adopted it."""
    workshop = Workshop(tmp_path / "home")
    with serving(workshop.site, 0) as address:
        _publish(workshop, folder)
        edge = EdgeRuntime.open(tmp_path / "device", trust=workshop.trust, source=address, channel="draft")
        assert edge.refresh().ok
        yield workshop, edge
    workshop.close()


@pytest.mark.benchmark(group="dev")
def test_save(benchmark: BenchmarkFixture, folder: Path, running: tuple[Workshop, EdgeRuntime]) -> None:
    """One prompt is saved: checked with all others, published, fetched, verified and adopted."""
    workshop, edge = running
    file = folder / "scripts" / "openings" / "opener-7.yaml"
    text, numbers = file.read_text("utf-8"), count()

    def save() -> None:
        file.write_text(text.replace(QUESTION, f"What felt different, {next(numbers)}?"), encoding="utf-8")
        number = _publish(workshop, folder)
        assert edge.refresh().release == number

    benchmark.pedantic(save, rounds=10, warmup_rounds=1)


def _publish(workshop: Workshop, folder: Path) -> int:
    found = look(folder)
    assert found.problems == ()
    return workshop.publish(found.contents, found.locales, dt.datetime.now(dt.UTC).replace(microsecond=0))[0]
