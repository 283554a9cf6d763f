"""Checking a revealed run for the command line, and saying the outcome to people and machines.

What is checked, each by itself: the *texts* are those that the receipt commits to; the *place* is in the roll-up of its
day; the *release* whose manifest the receipt names was released, and holds the *version* of the prompt (by evidence
packs that verify with the auditor's keys); and the *day* is vouched for: an entry of the log holds the root of the
roll-ups of that day, and this one is among them. Of its owner nothing is believed but what they wrote that day.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.acts import Act
from audit.commands.common import InvalidInput, ascii_only, begins_as, read_at_most, verified
from audit.errors import AuditError, InvalidFormat
from audit.frozen import frozen
from audit.note import Verifier
from audit.pack.check import check_pack
from audit.pack.container import Container, open_container
from audit.pack.release import CLOSURES, MANIFEST, digest_of
from audit.policy import Policy
from audit.record import LeafRecord, Outcome
from audit.reveal import BEGINNING, MAX_REVEAL_BYTES, SUFFIX, Reveal, parse_reveal, verify_reveal
from audit.rollups import KIND, MAX_ROLLUPS_BYTES, Rollups, parse_rollups

_UNSEEN = "no pack that was given says so"


@frozen
class Check:
    """One question about a reveal and its answer."""

    name: str
    ok: bool
    said: str


@frozen
class RevealReport:
    """What a reveal shows; without the reveal, why it is none."""

    checks: tuple[Check, ...]
    reveal: Reveal | None = None

    @property
    def ok(self) -> bool:
        """Whether all that is asked of a reveal is shown."""
        return all(check.ok for check in self.checks)


@dataclass(slots=True)
class Evidence:
    """What sound packs say about a manifest and a day: entries by their index."""

    manifest: str
    gathered: str
    released: int = -1
    held: dict[str, int] = field(default_factory=dict)
    closures: bytes = b""

    def visit(self, leaf: LeafRecord, _entry: bytes) -> None:
        """Take in one entry."""
        if leaf.outcome != Outcome.DONE:
            return
        if leaf.act is Act.RELEASED and leaf.manifest == self.manifest:
            self.released = leaf.seq
        if leaf.act is Act.GATHERED and (leaf.object.kind, leaf.object.name) == (KIND, self.gathered):
            self.held[leaf.object.digest] = leaf.seq


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options with which an auditor brings evidence for a reveal."""
    parser.add_argument("--pack", type=Path, action="append", metavar="PACK", help="evidence for a reveal; repeatable")
    parser.add_argument("--rollups", type=Path, metavar="FILE", help="the roll-ups of the day of a reveal")


def is_reveal(path: Path) -> bool:
    """Return whether a file is called, or begins, as a reveal does."""
    return begins_as(path, BEGINNING, suffix=SUFFIX)


def answer(
    options: argparse.Namespace, keys: Sequence[Verifier], policy: Policy | None
) -> tuple[bool, dict[str, object], str]:
    """Check the reveal in a file; return whether all is shown, as a document, and as text."""
    rollups = _rollups(options.rollups)
    packs = [_container(path) for path in options.pack or ()]
    report = check_reveal(read_at_most(options.path, MAX_REVEAL_BYTES), packs, keys, policy=policy, rollups=rollups)
    return report.ok, as_document(report), render(report)


def check_reveal(
    data: bytes,
    packs: Sequence[Container],
    keys: Sequence[Verifier],
    *,
    policy: Policy | None = None,
    rollups: Rollups | None = None,
) -> RevealReport:
    """Return what a reveal shows; never raises for what the bytes are."""
    try:
        reveal = parse_reveal(data)
        verify_reveal(reveal)
    except AuditError as error:
        return RevealReport((Check("texts", ok=False, said=str(error)),))
    places = ", ".join(one.place for one in reveal.texts)
    day = f"{reveal.way.channel}/{reveal.day}" if reveal.way else ""
    evidence, sound = Evidence(str(reveal.receipt["manifest"]), day), list[Check]()
    for number, pack in enumerate(packs, 1):
        sound.append(_taken(pack, keys, evidence, policy=policy, number=number))
    if not all(check.ok for check in sound):
        evidence = Evidence("", "")  # what does not verify says nothing
    checks = (Check("texts", ok=True, said=f"committed to: {places}"), *sound, *_by(evidence, reveal, rollups))
    return RevealReport(checks, reveal)


def _taken(
    pack: Container, keys: Sequence[Verifier], evidence: Evidence, *, policy: Policy | None, number: int
) -> Check:
    report = check_pack(pack, keys, policy=policy, visit=evidence.visit)
    if report.ok and MANIFEST in pack.sizes and digest_of(pack.read(MANIFEST).split(b"\n", 1)[0]) == evidence.manifest:
        evidence.closures = pack.read(CLOSURES)
    why = next((str(finding) for finding in report.findings), "it does not verify")
    return Check(f"pack {number}", ok=report.ok, said="" if report.ok else why)


def _by(evidence: Evidence, reveal: Reveal, rollups: Rollups | None) -> tuple[Check, ...]:
    receipt = reveal.receipt
    line = f"{receipt['version']} prompt {receipt['prompt']} ".encode()
    holds = any(one.startswith(line) for one in evidence.closures.splitlines())
    released = f"entry {evidence.released} released the manifest" if evidence.released >= 0 else _UNSEEN
    return (
        Check("release", ok=evidence.released >= 0, said=released),
        Check("version", ok=holds, said="the manifest holds it" if holds else _UNSEEN),
        _vouched(evidence, reveal, rollups),
    )


def _vouched(evidence: Evidence, reveal: Reveal, rollups: Rollups | None) -> Check:
    if reveal.way is None:
        said = "its device told no roll-up of that day: only its owner says when it was written"
    elif rollups is None:
        said = "expected the roll-ups of that day in --rollups FILE"
    elif rollups.name != evidence.gathered or reveal.way.root not in rollups.values:
        said = "it is not among the roll-ups that were given"
    elif rollups.digest not in evidence.held:
        said = _UNSEEN
    else:
        entry = evidence.held[rollups.digest]
        return Check("day", ok=True, said=f"entry {entry} holds the roll-ups of {reveal.day}, and this is one of them")
    return Check("day", ok=False, said=said)


def _rollups(path: Path | None) -> Rollups | None:
    if path is None:
        return None
    try:
        return parse_rollups(read_at_most(path, MAX_ROLLUPS_BYTES))
    except AuditError as error:
        raise InvalidInput(str(error)) from error


def _container(path: Path) -> Container:
    try:
        return open_container(path)
    except (InvalidFormat, OSError) as error:
        raise InvalidInput(f"expected --pack to be an evidence pack, got {ascii_only(str(error))}") from error


def render(report: RevealReport) -> str:
    """Return the report as lines for a reader, the texts last."""
    reveal = report.reveal
    lines = []
    if reveal is not None:
        receipt = reveal.receipt
        lines += [
            f"receipt       number {receipt['number']}, written at {ascii_only(receipt['at'])} by its device's clock",
            f"prompt        {ascii_only(receipt['prompt'])}, {ascii_only(receipt['version'])}",
            f"manifest      {ascii_only(receipt['manifest'])}",
            f"ran           {ascii_only(receipt['route'])}, {ascii_only(receipt['outcome'])}"
            + (f", by {ascii_only(receipt['model'])}" if receipt["model"] else ""),
        ]
    for check in report.checks:
        lines.append(f"{check.name:<14}{verified(check.ok)}{ascii_only(f': {check.said}') if check.said else ''}")
    for shown in reveal.texts if reveal is not None and report.ok else ():
        lines += [f"--- {ascii_only(shown.place)}", *(ascii_only(line) for line in shown.text.splitlines())]
    return "".join(f"{line}\n" for line in lines)


def as_document(report: RevealReport) -> dict[str, object]:
    """Return the report as a JSON document."""
    reveal = report.reveal
    return {
        "format": "mentorplane-reveal-report/1",
        "ok": report.ok,
        "checks": [{"name": one.name, "ok": one.ok, "said": one.said} for one in report.checks],
        "receipt": dict(reveal.receipt) if reveal else None,
        "texts": {shown.place: shown.text for shown in reveal.texts} if reveal else {},
    }
