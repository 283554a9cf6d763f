"""`python -m audit verify DIR|PACK|PROOF|FORK|REVEAL`: check a log, a pack, an entry's proof, a fork, or a run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from audit.commands import verify_fork, verify_log, verify_pack, verify_proof, verify_reveal
from audit.commands.common import DONE, NOT_VERIFIED, InvalidInput, add_key_options, read_keys, read_policy
from audit.errors import InvalidFormat
from audit.pack.container import open_container
from audit.pack.make import NOTE

_LOG, _PACK, _PROOF, _FORK = "the folder of a log", "a pack", "a proof", "evidence of a fork"
_REVEAL = "a revealed run"
_OPTION_OF = {
    "--old": _LOG,
    "--opaque": _LOG,
    "--nonce": _PACK,
    "--entry": _PROOF,
    "--pack": _REVEAL,
    "--rollups": _REVEAL,
}


def add_parser(commands: Any) -> None:
    """Add the command to the subcommands of `python -m audit`."""
    parser = commands.add_parser("verify", help="recompute a log, a pack, a proof or evidence of a fork and compare")
    what = (
        "folder of a published log, an evidence pack, a .tlog-proof file with its entry beside it, a .log-fork file "
        "in which a device kept two histories of one log, or a .reveal file in which its owner shows a run"
    )
    parser.add_argument("path", metavar="DIR|PACK|PROOF|FORK|REVEAL", type=Path, help=what)
    parser.add_argument("--old", type=Path, metavar="FILE", help="older checkpoint that the log must extend")
    parser.add_argument("--nonce", metavar="TEXT", help="draw the sample of a pack by this nonce of yours")
    parser.add_argument("--entry", type=Path, metavar="FILE", help="the entry that a proof is of; else <proof>.json")
    parser.add_argument("--opaque", action="store_true", help="entries are not leaf records of this product")
    verify_reveal.add_options(parser)
    add_key_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    keys, policy = read_keys(options.vkey), read_policy(options.policy)
    if not options.path.exists():
        raise InvalidInput("expected the folder of a log or a pack, got a path with nothing there")
    what = _kind(options.path)
    _refuse_options_of_others(options, what)
    if what == _LOG:
        report, document, text = verify_log.answer(options, keys, policy)
    elif what == _FORK:
        report, document, text = verify_fork.answer(options.path, keys, policy)
    elif what == _REVEAL:
        report, document, text = verify_reveal.answer(options, keys, policy)
    elif what == _PROOF:
        report, document, text = verify_proof.answer(options.path, keys, policy, entry=options.entry)
    else:
        report, document, text = verify_pack.answer(_container(options.path), keys, policy, nonce=options.nonce)
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if options.json else text)
    return DONE if report else NOT_VERIFIED


def _kind(path: Path) -> str:
    if path.is_dir() and not (path / NOTE).exists():
        return _LOG
    if verify_fork.is_fork(path):
        return _FORK
    if verify_reveal.is_reveal(path):
        return _REVEAL
    return _PROOF if verify_proof.is_proof(path) else _PACK


def _refuse_options_of_others(options: argparse.Namespace, what: str) -> None:
    given = {
        "--old": options.old is not None,
        "--opaque": options.opaque,
        "--nonce": options.nonce is not None,
        "--entry": options.entry is not None,
        "--pack": options.pack is not None,
        "--rollups": options.rollups is not None,
    }
    for option, belongs in _OPTION_OF.items():
        if given[option] and what != belongs:
            raise InvalidInput(f"expected {option} with {belongs}, got {what}")


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
