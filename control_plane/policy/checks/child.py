"""The process that runs checks: a candidate comes in, a line for each check goes out.

`python -m control_plane.policy.checks.child MODULE:NAME...`, with the candidate on its standard input. The answers go
to a copy of the standard output that was taken before any foreign code ran; what that code prints goes nowhere.
Does not: bound its own time (see `apart`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from operator import attrgetter

from control_plane.policy.checks.wire import encode_found, parse_candidate
from edge_runtime.core.errors import InvalidDocument

__all__ = ["DONE", "MALFORMED", "RAISED", "main"]

DONE, RAISED, MALFORMED = b"done", b"raised", b"malformed"
"""How a line begins: an answer, the name of an exception, what is wrong with the answer."""


def main(targets: Sequence[str]) -> None:
    """Run the checks at `targets`, such as `acme_checks:no_shouting`, write what came of each, and end the process."""
    answer = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    candidate = parse_candidate(sys.stdin.buffer.read())
    for target in targets:
        said, how = _run(target, candidate)
        answer.write(how + b" " + b" ".join(said.splitlines()) + b"\n")
        answer.flush()
    os._exit(0)  # a thread that the foreign code left running must not keep the process


def _run(target: str, candidate: object) -> tuple[bytes, bytes]:
    module, _, name = target.partition(":")
    try:
        found = attrgetter(name)(import_module(module))(candidate)
    except Exception as error:  # noqa: BLE001 - the boundary of foreign code: whatever it raises, its check has failed
        return type(error).__name__.encode(), RAISED
    try:
        return encode_found(found), DONE
    except InvalidDocument as error:
        return str(error).encode(), MALFORMED


if __name__ == "__main__":
    main(sys.argv[1:])
