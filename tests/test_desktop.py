"""The desktop app of docs/desktop.md: built by PyInstaller as the page says, and run where there is no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheels import ALONE, ROOT, build_wheel, fresh_environment

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(900)]
NOTE = "Maren Oswald called again. I will prepare the agenda before Friday. It felt good."


def page_example() -> str:
    """Return the app of the page."""
    page = (ROOT / "docs" / "desktop.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example is not None
    return example[1]


def built_app(folder: Path, source: Path) -> Path:
    """Return the app of the page, which reads from `source`, built in `folder` beside its `trust/`."""
    app = page_example().replace("https://coach.example/edge", str(source)).replace('"me"', '"me", names=["Tom"]')
    app += "    print(edge.status().reader.name, sorted({found.type for found in reply.findings}))\n"
    (folder / "app.py").write_text(app, encoding="utf-8")
    wheel = build_wheel(folder / "source", folder / "wheel")
    python = fresh_environment(folder / "environment", str(wheel), "pyinstaller")
    build = [python.parent / "pyinstaller", "--log-level", "WARN", "--name", "coach", "--add-data", "trust:trust"]
    subprocess.run([*build, "app.py"], check=True, cwd=folder, env={**ALONE, "HOME": str(folder)})
    return folder / "dist" / "coach" / "coach"


def run(app: Path, home: Path, *, alone: bool = False) -> str:
    """Return what the app prints for a note; `alone`: without a network, where this system lets us take it away."""
    cut = ["unshare", "--map-root-user", "--net"]
    able = alone and shutil.which("unshare") and subprocess.run([*cut, "true"], check=False).returncode == 0
    command = [*(cut if able else ()), str(app)]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, input=NOTE, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_built_app_runs_an_approved_prompt_offline(tmp_path: Path) -> None:
    """The page's app, built, adopts a release, and runs a prompt again with the source gone: by the packaged reader."""
    seed = [sys.executable, "-m", "edge_runtime", "seed", "--home", str(tmp_path / "published")]
    subprocess.run(seed, check=True, capture_output=True, cwd=tmp_path)
    shutil.copytree(tmp_path / "published" / "trust", tmp_path / "trust")
    app, home = built_app(tmp_path, tmp_path / "published" / "site" / "edge"), tmp_path / "person"
    home.mkdir()

    online = run(app, home)
    (tmp_path / "published").rename(tmp_path / "gone")
    offline = run(app, home, alone=True)

    assert offline == online
    assert "I will prepare the agenda before Friday." in offline
    reader, found = offline.splitlines()[-1].split(" ", maxsplit=1)
    assert reader
    assert "PERSON" in found
    assert sorted(path.name for path in home.iterdir()) == [".coach"]
