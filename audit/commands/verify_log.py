"""Checking a published log for the command line, and saying the outcome to people and machines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.commands.common import InvalidInput, ascii_only, finding_document, time_text, verified
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.note import MAX_NOTE_BYTES, Verifier, parse_note
from audit.policy import Policy, evaluate
from audit.verify import CHECKPOINT_PATH, Report, check_log


def answer(
    options: argparse.Namespace, keys: Sequence[Verifier], policy: Policy | None
) -> tuple[bool, dict[str, object], str]:
    """Check the log in `options.path`; return whether all verified, the report as a document, and as text."""
    known = list(keys)
    if policy is not None:
        have = {(key.name, key.key_id) for key in known}
        brought = [*(log.verifier for log in policy.logs), *(one.verifier for one in policy.witnesses)]
        known += [key for key in brought if (key.name, key.key_id) not in have]
    read = folder_reader(options.path)
    report = check_log(read, known, old=_old_checkpoint(options.old, known), opaque=options.opaque)
    document, text, good = as_document(report), render(report), report.ok
    if policy is not None:
        try:
            verdict = evaluate(policy, read(CHECKPOINT_PATH))
            accepted, because = verdict.ok, verdict.because
        except FileNotFoundError:
            accepted, because = False, "no checkpoint"
        good = good and accepted
        document["policy"] = {"accepted": accepted, "because": because}
        # Witnesses short of the quorum that the auditor asks for vouch for nothing.
        document["witnessed"] = witnessed = report.witnessed and accepted
        document["self_contained"] = not witnessed
        text += f"policy        {'accepted' if accepted else 'NOT ACCEPTED'}: {ascii_only(because)}\n"
    return good, document, text


def _old_checkpoint(file: Path | None, verifiers: Sequence[Verifier]) -> Checkpoint | None:
    """Read the older checkpoint; it is the caller's own, but its signature is checked too if there is a key."""
    if file is None:
        return None
    if not file.is_file() or file.stat().st_size > MAX_NOTE_BYTES:
        raise InvalidInput("expected --old to be a checkpoint file, got something else")
    data = file.read_bytes()
    try:
        checkpoint = parse_checkpoint(parse_note(data).text)
        return open_checkpoint(data, verifiers, checkpoint.origin).checkpoint if verifiers else checkpoint
    except AuditError as error:
        raise InvalidInput(str(error)) from error


def render(report: Report) -> str:
    """Return the report as lines for a reader."""
    witnesses = ", ".join(f"{ascii_only(one.name)} at {time_text(one.time_s)}" for one in report.witnesses)
    lines = [
        f"log           {ascii_only(report.origin) or 'unknown'}",
        f"size          {report.size}",
        f"root          {report.root.hex() or 'unknown'}",
        f"integrity     {verified(report.integrity)}",
        f"completeness  {verified(report.completeness)}",
        f"witnesses     {witnesses or 'self-contained: no outside witness signed'}",
        *(ascii_only(str(finding)) for finding in report.findings),
    ]
    return "".join(f"{line}\n" for line in lines)


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
        "findings": [finding_document(finding) for finding in report.findings],
    }
