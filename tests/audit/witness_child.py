"""Runs real witnesses, each killed at one step; run by the witness's tests as a process of its own.

`python -m tests.audit.witness_child FOLDER FAULT STEPS` forks one child a step: it opens FOLDER/<step>/home, serves it
on the loopback address, has checkpoints of a growing log cosigned over HTTP, and is killed by SIGKILL just before (or
half way through) that step of its disk. The steps at which a child was killed are printed. Every cosignature that a
client received stands in FOLDER/<step>/received: size and line in base64.
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

from audit.witness.store import Home
from tests.audit.disks import Fault
from tests.audit.witnesses import HomeSteps, request, running

SIZES = (1, 3, 8)


def run(folder: Path, step: int, fault: Fault) -> None:
    """Serve and ask, or end at the step."""
    folder.mkdir()
    with running(HomeSteps(Home(folder / "home"), step, fault)) as witness:
        old = 0
        for size in SIZES:
            reply = witness.post(request(old, size))
            assert reply.status == 200, reply
            with (folder / "received").open("ab") as stream:
                stream.write(b"%d %s\n" % (size, base64.b64encode(reply.body)))
            old = size


def main() -> None:
    """Fork a child for each step."""
    folder, fault, steps = Path(sys.argv[1]), Fault(sys.argv[2]), int(sys.argv[3])
    for step in range(steps):
        child = os.fork()
        if child == 0:
            run(folder / f"{step:03d}", step, fault)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            sys.stdout.write(f"{step}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
