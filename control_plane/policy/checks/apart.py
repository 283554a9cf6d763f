"""Running checks in a process of their own, for a time.

Promises: a check that raises, answers something else than a `Found`, ends its process or takes longer than its time has
failed, and what it left running ends; the checks after it run all the same. The process sees neither the address of the
database nor a passphrase. Does not: know which checks there are (see `plugins`, `built_in`).
"""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from control_plane.policy.checks.child import DONE, RAISED
from control_plane.policy.checks.records import Found
from control_plane.policy.checks.wire import parse_found
from edge_runtime.core.errors import InvalidDocument

__all__ = ["TIME_S", "run_apart"]

TIME_S = 20
"""How long the checks in one process may compute, starting it included."""
PATIENCE = 3
"""How many times that they may take by the clock: on a busy machine their turn comes late."""
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "VIRTUAL_ENV")
"""What the process sees of the environment: no address of the database, no passphrase."""


def run_apart(targets: Sequence[str], candidate: bytes, *, time_s: float = TIME_S) -> list[Found]:
    """Return what each check finds in an encoded candidate; whatever goes wrong is a problem in what is returned.

    Args:
        targets: where the checks are found, such as `acme_checks:no_shouting`.
        candidate: see `wire`.
        time_s: how long a process may compute, in seconds of the processor; one check that took all of it is left out
            of the next.
    """
    found: list[Found] = []
    while len(found) < len(targets):
        said, problem = _ask(targets[len(found) :], candidate, time_s=time_s)
        found += map(_answer, said)
        if len(found) < len(targets):
            found.append(Found((problem,)))
    return found


def _ask(targets: Sequence[str], candidate: bytes, *, time_s: float) -> tuple[list[bytes], str]:
    """Return the answers that came, and why no more did."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(path or "." for path in sys.path)
    process = subprocess.Popen(  # noqa: S603 - this very interpreter, and a module of ours
        [sys.executable, "-m", "control_plane.policy.checks.child", *targets],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    problem = f"timed out: expected an answer within {time_s:g} s, got none"
    try:
        patience = PATIENCE if _limit(process.pid, time_s) else 1
        said, _ = process.communicate(candidate, timeout=patience * time_s)
        if process.returncode != -signal.SIGKILL:
            problem = f"expected an answer, got a process that ended with code {process.returncode}"
    except subprocess.TimeoutExpired as error:
        said = error.output or b""
    finally:
        _end(process)
    return said.split(b"\n")[:-1][: len(targets)], problem


def _limit(pid: int, time_s: float) -> bool:
    """Have the system end a process that computed for so long, and tell whether it will: Linux does."""
    if sys.platform != "linux":
        return False
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CPU, (math.ceil(time_s), math.ceil(time_s)))
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError, ValueError):
            if stream:
                stream.close()


def _answer(line: bytes) -> Found:
    code, _, said = line.partition(b" ")
    if code == DONE:
        try:
            return parse_found(said)
        except InvalidDocument as error:
            return Found((str(error),))
    words = "".join(c for c in said.decode(errors="replace") if c.isprintable())[:200]
    return Found((f"expected an answer, got an exception: {words}" if code == RAISED else words,))
