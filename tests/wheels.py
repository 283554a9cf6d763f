"""The built wheel, and environments that hold it and what it asks for, at the pinned versions, and no tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
ALONE = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MENTORPLANE_READER"}}
"""What a user has: with the one the checkout is found first, with the other the model in the wheel, if any, is not."""


def build_wheel(source: Path, out: Path) -> Path:
    """Return the wheel, built in `out` from a copy in `source`, so that the checkout stays clean."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("audit", "control_plane", "edge_runtime", "prompt_library"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def fresh_environment(folder: Path, *wanted: str) -> Path:
    """Return the interpreter of a fresh environment in `folder` with what is wanted installed."""
    venv.create(folder, symlinks=True, with_pip=False)
    interpreter = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt"), *wanted],
        check=True,
        env=ALONE,
    )
    return interpreter
