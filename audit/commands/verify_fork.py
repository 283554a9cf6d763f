"""Checking the evidence of a fork for the command line, and saying the outcome to people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.commands.common import ascii_only, begins_as, read_at_most, verified
from audit.errors import AuditError, InvalidFormat
from audit.fork import BEGINNING, MAX_FORK_BYTES, SUFFIX, Fork, parse_fork, stated, verify_fork
from audit.frozen import frozen
from audit.note import Verifier
from audit.policy import Policy


@frozen
class ForkReport:
    """What a piece of evidence shows: two histories of one log, or why it shows nothing."""

    ok: bool
    because: str
    older: Checkpoint | None = None
    newer: Checkpoint | None = None


def answer(path: Path, keys: Sequence[Verifier], policy: Policy | None) -> tuple[bool, dict[str, object], str]:
    """Check the evidence in a file; return whether it proves a fork, as a document, and as text."""
    report = check_fork(read_at_most(path, MAX_FORK_BYTES), [*keys, *_logs(keys, policy)])
    return report.ok, as_document(report), render(report)


def is_fork(path: Path) -> bool:
    """Return whether a file is called, or begins, as evidence of a fork does."""
    return begins_as(path, BEGINNING, suffix=SUFFIX)


def check_fork(data: bytes, keys: Sequence[Verifier]) -> ForkReport:
    """Return what the evidence shows; never raises for what the bytes are."""
    try:
        fork = parse_fork(data)
    except InvalidFormat as error:
        return ForkReport(ok=False, because=f"not the evidence of a fork: {error}")
    return _against(fork, keys)


def _logs(keys: Sequence[Verifier], policy: Policy | None) -> list[Verifier]:
    return [log.verifier for log in policy.logs if log.verifier not in keys] if policy else []


def _against(fork: Fork, keys: Sequence[Verifier]) -> ForkReport:
    older, newer = stated(fork.older), stated(fork.newer)
    try:
        verify_fork(fork, keys)
    except AuditError as error:
        return ForkReport(ok=False, because=str(error), older=older, newer=newer)
    return ForkReport(ok=True, because="", older=older, newer=newer)


def render(report: ForkReport) -> str:
    """Return the report as lines for a reader."""
    shown = [("older", report.older), ("newer", report.newer)]
    lines = [f"log           {ascii_only(report.older.origin) if report.older else 'unknown'}"]
    lines += [f"{word:<14}{one.size} entries, root {one.root.hex()}" for word, one in shown if one]
    lines.append(f"evidence      {verified(report.ok)}{ascii_only(f': {report.because}') if report.because else ''}")
    if report.ok:
        lines.append("so            the log's key signed two histories: it was forked or rewritten")
    return "".join(f"{line}\n" for line in lines)


def as_document(report: ForkReport) -> dict[str, object]:
    """Return the report as a JSON document."""
    return {
        "format": "mentorplane-fork-report/1",
        "ok": report.ok,
        "because": report.because,
        "origin": report.older.origin if report.older else "",
        "older": _shown(report.older),
        "newer": _shown(report.newer),
    }


def _shown(checkpoint: Checkpoint | None) -> dict[str, object] | None:
    return {"size": checkpoint.size, "root": checkpoint.root.hex()} if checkpoint else None
