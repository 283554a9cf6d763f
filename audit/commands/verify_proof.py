"""Checking one entry by its proof file for the command line, and saying the outcome to people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.checkpoint import Cosignature, parse_checkpoint
from audit.commands.common import InvalidInput, ascii_only, time_text, verified
from audit.errors import AuditError, InvalidFormat
from audit.frozen import frozen
from audit.merkle import MAX_ENTRY_BYTES
from audit.note import Verifier, parse_note
from audit.policy import Policy
from audit.proof import MAX_PROOF_BYTES, SUFFIX, TlogProof, parse_proof, verify_entry, verify_entry_by_keys


@frozen
class ProofReport:
    """What a proof shows: the entry's place in which log, who cosigned, or why it shows nothing."""

    ok: bool
    because: str
    origin: str = ""
    size: int = 0
    index: int = 0
    witnesses: tuple[Cosignature, ...] = ()


def answer(
    path: Path, keys: Sequence[Verifier], policy: Policy | None, *, entry: Path | None
) -> tuple[bool, dict[str, object], str]:
    """Check a proof file against the entry beside it; return whether it verified, as a document, and as text."""
    entry = entry or path.with_suffix(".json")
    if not entry.is_file() or entry.stat().st_size > MAX_ENTRY_BYTES:
        raise InvalidInput(f"expected the bytes of the entry in {ascii_only(str(entry))}, or in --entry FILE")
    if path.stat().st_size > MAX_PROOF_BYTES:
        raise InvalidInput(f"expected a proof file of at most {MAX_PROOF_BYTES} bytes")
    report = check_proof(path.read_bytes(), entry.read_bytes(), keys, policy=policy)
    return report.ok, as_document(report), render(report)


def is_proof(path: Path) -> bool:
    """Return whether a path is called as proof files are."""
    return path.name.endswith(SUFFIX) and path.is_file()


def check_proof(data: bytes, entry: bytes, keys: Sequence[Verifier], *, policy: Policy | None) -> ProofReport:
    """Return what a proof shows about an entry; never raises for what the bytes are."""
    try:
        proof = parse_proof(data)
    except InvalidFormat as error:
        return ProofReport(ok=False, because=f"not a proof: {error}")
    return _against(proof, entry, keys, policy=policy)


def _against(proof: TlogProof, entry: bytes, keys: Sequence[Verifier], *, policy: Policy | None) -> ProofReport:
    stated = parse_checkpoint(parse_note(proof.checkpoint).text)
    witnesses: tuple[Cosignature, ...] = ()
    try:
        if policy is not None:
            witnesses = verify_entry(proof, entry, policy).witnesses
        if keys or policy is None:
            opened = verify_entry_by_keys(proof, entry, keys, origin=stated.origin)
            witnesses = witnesses or opened.witnesses
    except AuditError as error:
        return ProofReport(ok=False, because=str(error), origin=stated.origin, size=stated.size, index=proof.index)
    return ProofReport(
        ok=True, because="", origin=stated.origin, size=stated.size, index=proof.index, witnesses=witnesses
    )


def render(report: ProofReport) -> str:
    """Return the report as lines for a reader."""
    witnesses = ", ".join(f"{ascii_only(one.name)} at {time_text(one.time_s)}" for one in report.witnesses)
    lines = [
        f"log           {ascii_only(report.origin) or 'unknown'}",
        f"entry         {report.index} of {report.size}",
        f"proof         {verified(report.ok)}{ascii_only(f': {report.because}') if report.because else ''}",
        f"witnesses     {witnesses or 'self-contained: no outside witness signed'}",
    ]
    return "".join(f"{line}\n" for line in lines)


def as_document(report: ProofReport) -> dict[str, object]:
    """Return the report as a JSON document."""
    return {
        "format": "mentorplane-proof-report/1",
        "ok": report.ok,
        "because": report.because,
        "origin": report.origin,
        "size": report.size,
        "index": report.index,
        "witnessed": bool(report.witnesses),
        "self_contained": not report.witnesses,
        "witnesses": [{"name": one.name, "key_id": one.key_id.hex(), "time_s": one.time_s} for one in report.witnesses],
    }
