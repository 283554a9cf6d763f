"""A fresh environment that holds a wheel and what the wheel asks for, as installed beside these tests: pinned versions.

Nothing is resolved, fetched or unpacked, which would take most of a minute: the files of each distribution are linked.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def linked_environment(folder: Path, wheel: Path, *, env: dict[str, str]) -> Path:
    """Return the interpreter of an environment made in `folder`; the processes that make it run with `env`."""
    venv.create(folder, symlinks=True, with_pip=False)
    interpreter = folder / "bin" / "python"
    site = next(folder.glob("lib/python*/site-packages"))
    for one in _closure(_asked_by(wheel)):
        for file in one.files or ():
            if ".." not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(Path(str(one.locate_file(file))).absolute())
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-compile", "--no-deps", "--no-index", wheel], check=True, env=env)
    subprocess.run([*pip, "check"], check=True, env=env, capture_output=True)
    return interpreter


def _asked_by(wheel: Path) -> Iterator[Requirement]:
    with ZipFile(wheel) as opened:
        name = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        lines = message_from_bytes(opened.read(name)).get_all("Requires-Dist", [])
    return _needed(lines, {""})


def _needed(lines: Iterable[str], extras: set[str]) -> Iterator[Requirement]:
    for wanted in map(Requirement, lines):
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
            yield wanted


def _closure(asked: Iterable[Requirement]) -> Iterator[Distribution]:
    """Return what is asked for, what that asks for, and so on, each distribution once."""
    known: dict[str, set[str]] = {}
    waiting = list(asked)
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), {"", *wanted.extras}
        if extras <= known.get(name, set()):
            continue
        found = distribution(name)
        if name not in known:
            yield found
        known[name] = known.get(name, set()) | extras
        waiting += _needed(found.requires or (), extras)
