"""`python -m audit sample PACK --nonce TEXT`: draw a sample of the changes in a pack, by a nonce of your own.

The pack is checked first: a sample of entries that do not verify would be worth nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from audit.commands.common import DONE, NOT_VERIFIED, InvalidInput, add_key_options, read_keys, read_policy
from audit.errors import InvalidFormat
from audit.pack.check import check_pack
from audit.pack.container import open_container
from audit.pack.sample import MAX_NONCE_LENGTH


def add_parser(commands: Any) -> None:
    """Add the command to the subcommands of `python -m audit`."""
    parser = commands.add_parser("sample", help="draw 25 changes of a pack by a nonce of your own")
    parser.add_argument("path", metavar="PACK", type=Path, help="an evidence pack")
    parser.add_argument("--nonce", required=True, metavar="TEXT", help="one line of your own choice")
    add_key_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    keys, policy = read_keys(options.vkey), read_policy(options.policy)
    if not options.nonce or "\n" in options.nonce or len(options.nonce) > MAX_NONCE_LENGTH:
        raise InvalidInput(f"expected a nonce of one line and at most {MAX_NONCE_LENGTH} characters, got another")
    if not options.path.exists():
        raise InvalidInput("expected a pack, got a path with nothing there")
    try:
        report = check_pack(open_container(options.path), keys, policy=policy, nonce=options.nonce)
    except InvalidFormat as error:
        raise InvalidInput(str(error)) from error
    if options.json:
        document = {
            "verified": report.ok,
            "nonce": report.nonce,
            "population": report.population,
            "drawn": list(report.drawn),
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{index}\n" for index in report.drawn))
        if not report.ok:
            sys.stderr.write("the pack does not verify: see `verify`\n")
    return DONE if report.ok else NOT_VERIFIED
