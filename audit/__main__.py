"""`python -m audit`: check a published log or an evidence pack offline, with this folder and nothing else of ours.

Exit codes: 0 everything verified, 1 the check failed to run, 2 something does not verify, 3 invalid input. Without
`--vkey` or `--policy` no signature can be checked, and so the answer is 2 at best.

Checking has no network, writes no file, and takes no key from the folder it checks: a key that comes with a log says
nothing about the log.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from audit.commands import sample, verify, witness
from audit.commands.common import DONE, FAILED, INVALID_INPUT, NOT_VERIFIED, InvalidInput, said_of

__all__ = ["DONE", "FAILED", "INVALID_INPUT", "NOT_VERIFIED", "main"]

_COMMANDS = (verify, sample, witness)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInput(message)


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _Parser(prog="python -m audit", description="Check an audit log or an evidence pack offline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    try:
        options = parser.parse_args(argv)
        return int(options.run(options))
    except InvalidInput as error:
        sys.stderr.write(f"invalid input: {error}\n")
        return INVALID_INPUT
    except OSError as error:
        sys.stderr.write(f"failed: {said_of(error)}\n")
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
