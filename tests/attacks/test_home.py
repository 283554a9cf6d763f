"""Attacks on the home of a device: edited and truncated files, and a power cut at any write."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from edge_runtime import EdgeRuntime, MentorplaneError
from tests.attacks.world import World, wording
from tests.conftest import places

EVENTS = ("fsync", "rename", "replace", "mkdir", "unlink")
"""Where a power cut is tried: between any two of these calls only bytes in memory or in unsynced files change."""


def _generation(home: Path) -> Path:
    return home / "generations" / (home / "current").read_text()


@pytest.mark.attack("cache edited and truncated")
def test_any_file_that_vouches_is_edited_cut_or_gone(world: World) -> None:
    """Opening is refused: no damage lets anything else run, or has a device forget what it saw; mended, it opens.

    Files beside a generation, and those that only say what is newer, are tested where they are kept.
    """
    files = [p for p in _generation(world.home).rglob("*") if p.is_file() and not p.is_symlink()]
    names = {path.relative_to(_generation(world.home)).as_posix() for path in files}
    assert {"metadata/targets.json", "targets/trust.json", "parts.jsonl", "basis.json", "log-head"} <= names
    for path in files:
        if path.name == "1.root.json":
            continue  # what the app ships counts, whatever lies here
        whole = path.read_bytes()
        for data in (whole[: len(whole) // 2], whole[:-2], whole[:40] + b"X" + whole[41:], b"", None):
            path.unlink()
            if data is not None:
                path.write_bytes(data)
            elif path.name == "2.root.json":
                continue  # the root that was shipped vouches for the rest as well
            with pytest.raises(MentorplaneError):
                pytest.fail(f"{path.name} opens: {world.device().status()}")
        path.write_bytes(whole)
    world.runs_on(world.edge)


def _refresh_counting(world: World, point: int, synced: Path) -> int:
    """Refresh in a child process that is killed at an event, never at 0; return how many events there were.

    The inodes of files that the child had synced by then are listed in a file.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _end(world, point, writing, synced)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        events = len(file.read())
    status = os.waitpid(child, 0)[1]
    assert status == (signal.SIGKILL if point else 0), status
    return events


def _end(world: World, point: int, writing: int, synced: Path) -> NoReturn:
    seen = 0

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            os.write(writing, b".")
            if seen == point:
                os.kill(os.getpid(), signal.SIGKILL)
            made = real(*args, **kwargs)
            if name == "fsync":
                with synced.open("a") as file:
                    file.write(f"{os.fstat(args[0]).st_ino}\n")
            return made

        return call

    is_ok = False
    try:
        for name in EVENTS:
            setattr(os, name, counted(name, getattr(os, name)))
        is_ok = world.device().refresh().ok
    finally:  # the child must not go on with the tests
        os._exit(0 if is_ok else 9)


def _lose(home: Path, before: set[int], synced: set[int]) -> None:
    """Cut every file that was written and not synced, as a file system may that lost its power."""
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_ino not in before | synced:
            os.truncate(path, path.stat().st_size // 2)


@pytest.mark.sampled
@pytest.mark.attack("power loss at every write")
def test_the_power_fails_at_each_write_of_an_adoption(world: World, tmp_path: Path) -> None:
    """The next start has the old release or the new one, whole; the next refresh completes it."""
    world.published.release(wording("Third"))
    kept = tmp_path / "kept"
    shutil.copytree(world.home, kept, symlinks=True)
    log = tmp_path / "synced"
    points = _refresh_counting(world, 0, log)
    assert points > 20
    numbers = []
    for point in [*(1 + place for place in places(points, about=8)), points]:
        shutil.rmtree(world.home)
        shutil.copytree(kept, world.home, symlinks=True)
        before = {path.lstat().st_ino for path in world.home.rglob("*")}
        log.write_text("")
        assert _refresh_counting(world, point, log) == point
        _lose(world.home, before, {int(line) for line in log.read_text().split()})
        edge: EdgeRuntime = world.device()
        assert edge.state is not None
        numbers.append(edge.state.manifest.number)
        assert edge.refresh().release == 3
    assert numbers == sorted(numbers)
    assert set(numbers) == {2, 3}
