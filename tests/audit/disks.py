"""Disks for the writer's tests: one that forgets what was not synced, and one that fails or ends the process at a step.

`Lossy` models what a power cut may leave: of each folder the changes up to some point in their order, of each file that
was not synced its last synced content, half of the new one, or all of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from audit.disk import Files

Choose = Callable[[int], int]
"""Gives a number from 0 to the one given, both included: how much of what was not durable survives."""


def lose(_most: int) -> int:
    """Nothing that was not synced survives."""
    return 0


def keep(most: int) -> int:
    """Everything survives, as when only the process ends."""
    return most


@dataclass
class _File:
    content: bytes = b""
    synced: bytes = b""


@dataclass
class _Folder:
    """Names by the order in which they came to be; `synced` is what a power cut cannot take back."""

    now: dict[str, _File | _Folder] = field(default_factory=dict)
    synced: dict[str, _File | _Folder] = field(default_factory=dict)
    since: list[tuple[str, _File | _Folder | None]] = field(default_factory=list)

    def set(self, *changes: tuple[str, _File | _Folder | None]) -> None:
        for name, node in changes:
            if node is None:
                self.now.pop(name, None)
            else:
                self.now[name] = node
        self.since += changes


class Lossy:
    """A disk in memory; `crash` returns what is left of it, and `seen` holds every checkpoint that was ever visible."""

    def __init__(self) -> None:
        self.root = _Folder()
        self.seen: list[bytes] = []
        self._locked = False

    def read(self, path: str) -> bytes:
        above, name = self._above(path)
        node = above.now.get(name) if above else None
        if not isinstance(node, _File):
            raise FileNotFoundError(path)
        return node.content

    def names(self, folder: str) -> list[str]:
        node = self._folder(folder)
        return sorted(node.now) if node else []

    def write(self, path: str, data: bytes) -> None:
        above, name = self._above(path, make=True)
        assert above is not None
        node = above.now.get(name)
        if not isinstance(node, _File):
            node = _File()
            above.set((name, node))
        node.content = data

    def sync(self, path: str) -> None:
        above, name = self._above(path)
        node = above.now[name] if above else None
        assert isinstance(node, _File)
        node.synced = node.content

    def sync_folder(self, folder: str) -> None:
        node = self._folder(folder)
        assert node is not None
        node.synced, node.since = dict(node.now), []

    def replace(self, old: str, new: str) -> None:
        assert "/" not in old + new
        # One change of the folder, as a rename is: a crash leaves both names as before or both as after.
        node = self.root.now.pop(old)
        self.root.now[new] = node
        self.root.since.append((f"{old}\n{new}", node))
        assert isinstance(node, _File)
        self.seen.append(node.content)

    def remove(self, path: str) -> None:
        above, name = self._above(path)
        if above is not None and name in above.now:
            node = above.now[name]
            if isinstance(node, _Folder) and node.now:
                raise OSError("folder not empty")
            above.set((name, None))

    def lock(self) -> None:
        if self._locked:
            raise BlockingIOError("locked")
        self._locked = True

    def close(self) -> None:
        self._locked = False

    def crash(self, choose: Choose) -> Lossy:
        """Return the disk as it is found after power failed now."""
        left = Lossy()
        left.root = _left(self.root, choose)
        left.seen = list(self.seen)
        return left

    def _above(self, path: str, *, make: bool = False) -> tuple[_Folder | None, str]:
        folder, _, name = path.rpartition("/")
        return self._folder(folder, make=make), name

    def _folder(self, folder: str, *, make: bool = False) -> _Folder | None:
        node = self.root
        for part in filter(None, folder.split("/")):
            below = node.now.get(part)
            if below is None and make:
                below = _Folder()
                node.set((part, below))
            if not isinstance(below, _Folder):
                return None
            node = below
        return node


def _left(folder: _Folder, choose: Choose) -> _Folder:
    names = dict(folder.synced)
    for name, node in folder.since[: choose(len(folder.since))]:
        old, _, new = name.rpartition("\n")
        if node is None:
            names.pop(name, None)
            continue
        names.pop(old, None)
        names[new] = node
    left: dict[str, _File | _Folder] = {}
    for name, node in names.items():
        if isinstance(node, _Folder):
            left[name] = _left(node, choose)
        else:
            half = node.content[: len(node.content) // 2]
            content = (node.synced, half, node.content)[choose(2)] if node.content != node.synced else node.content
            left[name] = _File(content, content)
    return _Folder(dict(left), dict(left))


class Fault(Enum):
    """What happens at the chosen step."""

    FAILS = "fails"
    PERSISTS = "fails but was persisted"
    HALF = "fails half way"
    KILL = "the process ends before it"
    KILL_HALF = "the process ends half way through writing"


class Broken(OSError):
    """The step that was told to fail."""


class Faulty:
    """Counts the steps that change a disk, notes which of them write, and lets one of them go wrong."""

    def __init__(self, inner: Files, at: int = -1, fault: Fault = Fault.FAILS) -> None:
        self.inner = inner
        self.at = at
        self.fault = fault
        self.steps = 0
        self.writes: list[int] = []
        self.read = inner.read
        self.names = inner.names
        self.lock = inner.lock
        self.close = inner.close

    def write(self, path: str, data: bytes) -> None:
        self.writes.append(self.steps)
        self._step(partial(self.inner.write, path, data), partial(self.inner.write, path, data[: len(data) // 2]))

    def sync(self, path: str) -> None:
        self._step(lambda: self.inner.sync(path))

    def sync_folder(self, folder: str) -> None:
        self._step(lambda: self.inner.sync_folder(folder))

    def replace(self, old: str, new: str) -> None:
        self._step(lambda: self.inner.replace(old, new))

    def remove(self, path: str) -> None:
        self._step(lambda: self.inner.remove(path))

    def _step(self, do: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        self.steps += 1
        if self.steps - 1 != self.at:
            do()
            return
        if self.fault in {Fault.HALF, Fault.KILL_HALF} and half is not None:
            half()
        elif self.fault is Fault.PERSISTS:
            do()
        if self.fault in {Fault.KILL, Fault.KILL_HALF}:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Broken("the step failed")
