"""`python -m audit verify DIR`: check a published log offline, with this folder and nothing else of the product.

Exit codes: 0 everything verified, 1 the check failed to run, 2 something does not verify, 3 invalid input. Without
`--vkey` the signature cannot be checked, and so the answer is 2 at best.

It has no network, writes no file, and takes no key from the folder it checks: a key that comes with a log says
nothing about the log.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.note import MAX_NOTE_BYTES, Verifier, parse_note, parse_vkey
from audit.verify import Report, check_log

DONE, FAILED, NOT_VERIFIED, INVALID_INPUT = 0, 1, 2, 3


class _InvalidInput(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _InvalidInput(message)


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        options = _parser().parse_args(argv)
        report = _verify(options)
    except _InvalidInput as error:
        sys.stderr.write(f"invalid input: {error}\n")
        return INVALID_INPUT
    except OSError as error:
        sys.stderr.write(f"failed: {error.strerror or type(error).__name__}\n")
        return FAILED
    sys.stdout.write(json.dumps(as_document(report), indent=2) + "\n" if options.json else render(report))
    return DONE if report.ok else NOT_VERIFIED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m audit", description="Check a published audit log offline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="recompute the log from its entries and compare it")
    verify.add_argument("folder", metavar="DIR", type=Path, help="folder with `checkpoint` and `tile/`")
    verify.add_argument(
        "--vkey",
        action="append",
        default=[],
        metavar="VKEY",
        help="public key of the log or of a witness, <name>+<key id>+<base64>; repeatable",
    )
    verify.add_argument("--old", type=Path, metavar="FILE", help="older checkpoint that the log must extend")
    verify.add_argument("--opaque", action="store_true", help="entries are not leaf records of this product")
    verify.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _verify(options: argparse.Namespace) -> Report:
    if not options.folder.is_dir():
        raise _InvalidInput("expected DIR to be a folder, got something else")
    try:
        verifiers = [parse_vkey(text) for text in options.vkey]
        old = _old_checkpoint(options.old, verifiers)
    except AuditError as error:
        raise _InvalidInput(str(error)) from error
    return check_log(folder_reader(options.folder), verifiers, old=old, opaque=options.opaque)


def _old_checkpoint(file: Path | None, verifiers: list[Verifier]) -> Checkpoint | None:
    """Read the older checkpoint; it is the caller's own, but its signature is checked too if there is a key."""
    if file is None:
        return None
    if not file.is_file() or file.stat().st_size > MAX_NOTE_BYTES:
        raise _InvalidInput("expected --old to be a checkpoint file, got something else")
    data = file.read_bytes()
    checkpoint = parse_checkpoint(parse_note(data).text)
    return open_checkpoint(data, verifiers, checkpoint.origin).checkpoint if verifiers else checkpoint


def render(report: Report) -> str:
    """Return the report as lines for a reader."""
    witnesses = ", ".join(f"{_ascii(one.name)} at {one.time_s}" for one in report.witnesses)
    lines = [
        f"log           {_ascii(report.origin) or 'unknown'}",
        f"size          {report.size}",
        f"root          {report.root.hex() or 'unknown'}",
        f"integrity     {'verified' if report.integrity else 'NOT VERIFIED'}",
        f"completeness  {'verified' if report.completeness else 'NOT VERIFIED'}",
        f"witnesses     {witnesses or 'self-contained: no outside witness signed'}",
        *(str(finding) for finding in report.findings),
    ]
    return "".join(f"{line}\n" for line in lines)


def _ascii(text: str) -> str:
    """Escape what a terminal could act on or not show: an origin is whatever the file says."""
    return text.encode("ascii", "backslashreplace").decode()


def as_document(report: Report) -> dict[str, object]:
    """Return the report as a JSON document."""
    return {
        "format": "mentorplane-audit-report/1",
        "integrity": report.integrity,
        "completeness": report.completeness,
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "witnessed": report.witnessed,
        "self_contained": report.self_contained,
        "witnesses": [{"name": one.name, "key_id": one.key_id.hex(), "time_s": one.time_s} for one in report.witnesses],
        "findings": [
            {
                "state": finding.state.value,
                "path": finding.path,
                "first": finding.first,
                "last": finding.last,
                "message": finding.message,
            }
            for finding in report.findings
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
