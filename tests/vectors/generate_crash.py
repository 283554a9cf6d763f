"""Published vectors for crash recovery: what a log's folder may look like after each step of a batch, and what then.

`make vectors` writes them to tests/vectors/mentorplane/audit/crash/ as plain data: tests/vectors/README.md says how to
run them. The steps are those that our writer takes; the states follow from them, and any writer of C2SP tiles must make
of them what is stated. Keys are derived from public words, named UNSAFE, and must never be trusted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audit.note import Signer
from audit.verify import check_log
from audit.writer import open_log
from tests.audit.disks import Choose, Lossy, keep, lose

FORMAT = "mentorplane-crash-vectors/1"
ORIGIN = "UNSAFE-example/crash"
BEFORE, BATCH = 255, (b"entry 255", b"entry 256", b"entry 257")
_MEANING = {
    "process": "the process ended: every step done so far is there",
    "power": "power failed: nothing is left that was not synced, file by file and folder by folder",
    "torn": "the process ended half way through the next write",
}


class _Recorder(Lossy):
    """A disk that notes the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[str, str, bytes | str]] = []

    def write(self, path: str, data: bytes) -> None:
        self.steps.append(("write", path, data))
        super().write(path, data)

    def sync(self, path: str) -> None:
        self.steps.append(("sync", path, b""))
        super().sync(path)

    def sync_folder(self, folder: str) -> None:
        self.steps.append(("sync-folder", folder, b""))
        super().sync_folder(folder)

    def replace(self, old: str, new: str) -> None:
        self.steps.append(("replace", old, new))
        super().replace(old, new)

    def remove(self, path: str) -> None:
        self.steps.append(("remove", path, b""))
        super().remove(path)


def files(seed: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return every file by its path below tests/vectors/mentorplane/."""
    signer = Signer(ORIGIN, seed("crash log"))
    disk = _Recorder()
    writer = open_log(disk, signer)
    writer.append_all([b"entry %d" % index for index in range(BEFORE)])
    start = _content(disk)
    disk.steps.clear()
    writer.append_all(BATCH)
    steps = list(disk.steps)
    document = {
        "format": FORMAT,
        "warning": "published example keys: for reproducing test bytes only, never to be trusted by a program",
        "vkey": signer.verifier.vkey,
        "seed_hex": signer.seed.hex(),
        "meaning": _MEANING,
        "entries_before": BEFORE,
        "batch": [entry.decode() for entry in BATCH],
        "start": {path: _text(data) for path, data in start.items()},
        "steps": [_step(*step) for step in steps],
        "states": list(_states(start, steps, signer)),
    }
    return {"audit/crash/batch.json": (json.dumps(document, indent=1) + "\n").encode()}


def _states(
    start: Mapping[str, bytes], steps: list[tuple[str, str, bytes | str]], signer: Signer
) -> Iterator[dict[str, Any]]:
    for done in range(len(steps) + 1):
        for how in _MEANING:
            disk = _replayed(start, steps[:done])
            if how == "torn":
                if done == len(steps) or steps[done][0] != "write":
                    continue
                _, path, data = steps[done]
                assert isinstance(data, bytes)
                disk.write(path, data[: len(data) // 2])
            choose: Choose = lose if how == "power" else keep
            yield {"after": done, "how": how, **_expected(disk.crash(choose), signer)}


def _replayed(start: Mapping[str, bytes], steps: list[tuple[str, str, bytes | str]]) -> Lossy:
    disk = Lossy()
    for path, data in start.items():
        disk.write(path, data)
        disk.sync(path)
        above = path
        while above:
            above = above.rpartition("/")[0]
            disk.sync_folder(above)
    for does, path, more in steps:
        if does == "write":
            assert isinstance(more, bytes)
            disk.write(path, more)
        elif does == "sync":
            disk.sync(path)
        elif does == "sync-folder":
            disk.sync_folder(path)
        elif does == "replace":
            disk.replace(path, str(more))
        else:
            disk.remove(path)
    return disk


def _expected(left: Lossy, signer: Signer) -> dict[str, Any]:
    """Return what a reader sees, and what a writer that opens the folder must publish."""
    visible = check_log(left.read, [signer.verifier], opaque=True)
    assert visible.ok, visible.findings
    writer = open_log(left, signer, full=True)
    opened = check_log(left.read, [signer.verifier], opaque=True)
    assert opened.ok
    assert opened.size == writer.size >= visible.size
    return {
        "reader": {"size": visible.size, "root": _text(visible.root)},
        "opened": {"size": opened.size, "root": _text(opened.root), "files": sorted(_content(left))},
    }


def _content(disk: Lossy, folder: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in disk.names(folder):
        path = f"{folder}/{name}" if folder else name
        try:
            found[path] = disk.read(path)
        except FileNotFoundError:
            found |= _content(disk, path)
    return found


def _step(does: str, path: str, more: bytes | str) -> dict[str, str]:
    step = {"does": does, "path": path}
    if does == "write":
        assert isinstance(more, bytes)
        return {**step, "data": _text(more)}
    return {**step, "to": str(more)} if does == "replace" else step


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
