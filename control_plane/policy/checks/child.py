"""The process that runs one check of another package: a candidate comes in, an answer goes out.

`python -m control_plane.policy.checks.child MODULE:NAME`, with the candidate on its standard input. The answer goes to
a copy of the standard output that was taken before any foreign code ran; what that code prints goes nowhere.
Does not: bound its own time (see `plugins`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from operator import attrgetter

from control_plane.policy.checks.wire import encode_found, parse_candidate
from edge_runtime.core.errors import InvalidDocument

__all__ = ["DONE", "MALFORMED", "RAISED", "main"]

DONE, RAISED, MALFORMED = 0, 70, 71
"""Exit codes: an answer, the name of an exception, what is wrong with the answer."""


def main(target: str) -> None:
    """Run the check at `target`, such as `acme_checks:no_shouting`, write what came of it, and end the process."""
    answer = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    candidate = parse_candidate(sys.stdin.buffer.read())
    said, code = _run(target, candidate)
    answer.write(said)
    answer.flush()
    os._exit(code)  # a thread that the foreign code left running must not keep the process


def _run(target: str, candidate: object) -> tuple[bytes, int]:
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
    main(sys.argv[1])
