"""Writes to a real log in child processes, each killed at one step; run by the writer's tests as a process of its own.

`python -m tests.audit.crash_child FOLDER FAULT` forks one child for each step: it opens FOLDER/<step>/log, appends the
batches and is killed by SIGKILL just before (or half way through) that step; the steps at which a child was killed
are printed. What it acknowledged stands in FOLDER/<step>/acknowledged, every checkpoint that became visible in
FOLDER/<step>/seen, one line each in base64.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from audit.disk import Disk
from audit.writer import open_log
from tests.audit.audit_logs import UNSAFE_LOG_SIGNER
from tests.audit.disks import Fault, Faulty, Lossy

SIZES = (1, 254, 3, 1)


def batches() -> Iterator[list[bytes]]:
    """The batches that each child appends, tiny entries; a tile becomes full in the third."""
    start = 0
    for size in SIZES:
        yield [b"entry %d" % index for index in range(start, start + size)]
        start += size


class _Seen(Disk):
    """A real disk that notes each checkpoint before it becomes visible."""

    def replace(self, old: str, new: str) -> None:
        note(self.folder.parent / "seen", self.read(old))
        super().replace(old, new)


def note(path: Path, data: bytes) -> None:
    """Append a line."""
    with path.open("ab") as stream:
        stream.write(base64.b64encode(data) + b"\n")


def run(home: Path, disk: Faulty) -> None:
    """Append everything, or end at the step."""
    home.mkdir(exist_ok=True)
    writer = open_log(disk, UNSAFE_LOG_SIGNER)
    for batch in batches():
        first = writer.append_all(batch)
        for at, entry in enumerate(batch, first):
            note(home / "acknowledged", b"%d %s" % (at, entry))
    writer.close()


def main() -> None:
    """Fork a child for each step."""
    folder, fault = Path(sys.argv[1]), Fault(sys.argv[2])
    whole = Faulty(Lossy())
    run(folder / "whole", whole)
    for step in whole.writes if fault is Fault.KILL_HALF else range(whole.steps):
        child = os.fork()
        if child == 0:
            home = folder / f"{step:03d}"
            run(home, Faulty(_Seen(home / "log"), step, fault))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            sys.stdout.write(f"{step}\n")


if __name__ == "__main__":
    main()
