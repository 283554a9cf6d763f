"""What the subcommands of `python -m audit` share: exit codes, reading keys and policies, showing text safely."""

from __future__ import annotations

from argparse import ArgumentTypeError as InvalidInput
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.note import Verifier, parse_vkey
from audit.policy import MAX_POLICY_BYTES, Policy, parse_policy, probe
from audit.verify import Finding

__all__ = [
    "DONE",
    "FAILED",
    "INVALID_INPUT",
    "NOT_VERIFIED",
    "InvalidInput",
    "add_key_options",
    "ascii_only",
    "begins_as",
    "finding_document",
    "read_at_most",
    "read_keys",
    "read_policy",
    "said_of",
    "time_text",
    "verified",
]

DONE, FAILED, NOT_VERIFIED, INVALID_INPUT = 0, 1, 2, 3


def add_key_options(parser: Any) -> None:
    """Add the options with which an auditor brings their own keys."""
    parser.add_argument(
        "--vkey",
        action="append",
        default=[],
        metavar="VKEY",
        help="public key of the log or of a witness, <name>+<key id>+<base64>; repeatable",
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="your witness policy (tlog-policy)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def begins_as(path: Path, beginning: bytes, *, suffix: str) -> bool:
    """Return whether a file is called, or begins, as files of one kind do."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.name.endswith(suffix) or file.read(len(beginning)) == beginning


def read_at_most(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a file, and no more than one beyond `max_bytes`: so much tells that it is too long."""
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


def read_keys(vkeys: list[str]) -> list[Verifier]:
    """Return the keys on the command line."""
    try:
        return [parse_vkey(text) for text in vkeys]
    except AuditError as error:
        raise InvalidInput(str(error)) from error


def read_policy(file: Path | None) -> Policy | None:
    """Return the policy in a file; one that asks for no witness, or accepts what nobody may, is refused."""
    if file is None:
        return None
    if not file.is_file() or file.stat().st_size > MAX_POLICY_BYTES:
        raise InvalidInput("expected --policy to be a policy file, got something else")
    try:
        policy = parse_policy(file.read_bytes())
        probe(policy)
    except AuditError as error:
        raise InvalidInput(str(error)) from error
    return policy


def ascii_only(text: str) -> str:
    """Escape what a terminal could act on or not show: an origin is whatever the file says."""
    return text.encode("ascii", "backslashreplace").decode()


def said_of(error: OSError) -> str:
    """Say what failed, and at which file if it is known."""
    what = error.strerror or str(error) or type(error).__name__
    return ascii_only(f"{error.filename}: {what}" if error.filename else what)


def time_text(time_s: int) -> str:
    """Return the time of a witness as people read it; what is no time of our calendar stays a number."""
    try:
        return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return str(time_s)


def verified(good: bool) -> str:
    """Return the word for an answer."""
    return "verified" if good else "NOT VERIFIED"


def finding_document(finding: Finding) -> dict[str, object]:
    """Return a finding as a JSON document."""
    return {
        "state": finding.state.value,
        "path": finding.path,
        "first": finding.first,
        "last": finding.last,
        "message": finding.message,
    }
