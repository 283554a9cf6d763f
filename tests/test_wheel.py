"""The built wheel, as an app developer gets it: installed in a fresh environment, running README's five lines."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.environments import linked_environment
from tests.wheels import ALONE, ROOT, build_wheel

pytestmark = pytest.mark.timeout(300)  # building takes long on a busy machine
NOTE = "Tom called again. Write to tom.baker@example.org. I will prepare the agenda before Friday. It felt good."


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel."""
    return build_wheel(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a fresh environment with the wheel installed."""
    return linked_environment(tmp_path_factory.mktemp("environment"), wheel, env=ALONE)


def test_the_wheel_brings_the_edge_runtime_alone(python: Path) -> None:
    """The base installation has no server and no cloud library; the server's command says what is missing.

    YAML comes along with `tokenizers`, whose hub client wants it; that nothing of ours reads it is tested elsewhere.
    """
    [site] = python.parent.parent.glob("lib/python*/site-packages")
    names = {found.name.lower() for found in distributions(path=[str(site)])}
    assert "mentorplane" in names
    assert not names & {"fastapi", "sqlmodel", "sqlalchemy", "litellm", "uvicorn", "pytest"}
    served = subprocess.run([python, "-m", "edge_runtime", "serve"], capture_output=True, text=True, check=False)
    assert served.returncode != 0
    assert "mentorplane[server]" in served.stdout + served.stderr


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel: Path) -> None:
    """Data files and pages are in the wheel, and so is the mark of typed packages; tests are not."""
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    expected = {
        str(path.relative_to(ROOT))
        for package in ("audit", "control_plane", "edge_runtime", "prompt_library")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == expected
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_readmes_example_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """README's five lines, from the built wheel in an empty folder, against a really published source."""
    published, app = tmp_path / "published", tmp_path / "app"
    app.mkdir()
    seed = [sys.executable, "-m", "edge_runtime", "seed", "--home", str(published)]
    subprocess.run(seed, check=True, capture_output=True, cwd=tmp_path)
    shutil.copytree(published / "trust", app / "trust")
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    lines = example[1].replace("https://coach.example/edge", str(published / "site" / "edge"))
    checks = (
        "import sys, edge_runtime, audit\n"
        f"notes = {NOTE!r}\n"
        f"{lines}\n"
        f"assert edge_runtime.__file__.startswith({str(python.parent.parent)!r}), edge_runtime.__file__\n"
        f"assert audit.__file__.startswith({str(python.parent.parent)!r})\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'fastapi', 'sqlmodel', 'yaml', 'litellm', 'control_plane'}, loaded\n"
        "assert reply.text and reply.route == 'device' and reply.disclosure is None and reply.sent_bytes == 0\n"
        "assert {finding.type for finding in reply.findings} >= {'EMAIL'}\n"
        "reader = edge.status().reader\n"
        "assert not reader.problem, reader\n"
        "assert not reader.name or 'PERSON' in {finding.type for finding in reply.findings}\n"
    )
    run = subprocess.run([python, "-c", checks], cwd=app, env=ALONE, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip().endswith("device None")
    assert sorted(path.name for path in app.iterdir()) == ["coach-home", "trust"]
