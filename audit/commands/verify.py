"""`python -m audit verify DIR|PACK`: check a published log, or an evidence pack, whichever it is."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from audit.commands import verify_log, verify_pack
from audit.commands.common import DONE, NOT_VERIFIED, InvalidInput, add_key_options, read_keys, read_policy
from audit.errors import InvalidFormat
from audit.pack.container import open_container
from audit.pack.make import NOTE


def add_parser(commands: Any) -> None:
    """Add the command to the subcommands of `python -m audit`."""
    parser = commands.add_parser("verify", help="recompute a log or a pack from its entries and compare it")
    parser.add_argument("path", metavar="DIR|PACK", type=Path, help="folder of a published log, or an evidence pack")
    parser.add_argument("--old", type=Path, metavar="FILE", help="older checkpoint that the log must extend")
    parser.add_argument("--nonce", metavar="TEXT", help="draw the sample of a pack by this nonce of yours")
    parser.add_argument("--opaque", action="store_true", help="entries are not leaf records of this product")
    add_key_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    keys, policy = read_keys(options.vkey), read_policy(options.policy)
    if not options.path.exists():
        raise InvalidInput("expected the folder of a log or a pack, got a path with nothing there")
    if options.path.is_dir() and not (options.path / NOTE).exists():
        if options.nonce is not None:
            raise InvalidInput("expected --nonce with a pack, got the folder of a log")
        report, document, text = verify_log.answer(options, keys, policy)
    else:
        if options.old is not None or options.opaque:
            raise InvalidInput("expected --old and --opaque with the folder of a log, got a pack")
        report, document, text = verify_pack.answer(_container(options.path), keys, policy, nonce=options.nonce)
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if options.json else text)
    return DONE if report else NOT_VERIFIED


def _container(path: Path) -> Any:
    try:
        return open_container(path)
    except InvalidFormat as error:
        if not path.is_dir() and not _is_zip(path.read_bytes()):
            raise InvalidInput("expected the folder of a log, or a pack, got something else") from error
        # A damaged container is an answer, not a mistake of whoever asks.
        return verify_pack.Unreadable(str(error))


def _is_zip(data: bytes) -> bool:
    """Say whether a file was meant as a ZIP file, by either of its ends."""
    return data[:2] == b"PK" or data[-22:-20] == b"PK"
