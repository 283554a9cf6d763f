"""Checking an evidence pack for the command line, and saying the outcome to people and machines."""

from __future__ import annotations

from collections.abc import Sequence

from audit.commands.common import ascii_only, finding_document, time_text, verified
from audit.frozen import frozen
from audit.note import Verifier
from audit.pack.check import PackReport, check_pack
from audit.pack.container import Container
from audit.policy import Policy
from audit.verify import Finding, State


@frozen
class Unreadable:
    """A file that is no container in its one form, and why."""

    because: str


def answer(
    pack: Container | Unreadable, keys: Sequence[Verifier], policy: Policy | None, *, nonce: str | None
) -> tuple[bool, dict[str, object], str]:
    """Check a pack; return whether all verified, the report as a document, and as text."""
    if isinstance(pack, Unreadable):
        damaged = Finding(State.ALTERED, "", f"the container is damaged: {pack.because}")
        report = PackReport(integrity=False, completeness=False, findings=(damaged,))
    else:
        report = check_pack(pack, keys, policy=policy, nonce=nonce)
    return report.ok, as_document(report), render(report)


def render(report: PackReport) -> str:
    """Return the report as lines for a reader."""
    scope, contents = report.scope, report.contents
    lines = []
    if scope is not None and report.newer is not None:
        older = report.older.size if report.older else 0
        why = (
            f"release {scope.release} on {scope.channel}"
            if scope.kind == "release"
            else f"{scope.since or '...'} to {scope.until or '...'}"
        )
        witnesses = ", ".join(f"{ascii_only(one.name)} at {time_text(one.time_s)}" for one in report.witnesses)
        erased = ", ".join(f"entry {index} by entry {by}" for index, by in contents.erased)
        counts = f"{contents.verified} verified, {len(contents.erased)} erased, {len(contents.missing)} missing, "
        counts += f"{len(contents.altered)} altered, {contents.withheld} withheld"
        drawn = " ".join(map(str, report.drawn)) or "none"
        lines += [
            f"log           {ascii_only(scope.origin)}",
            f"about         {ascii_only(why)}: entries {scope.first} to {scope.last}",
            f"checkpoints   {older} and {report.newer.size} entries",
            f"verified      {report.verified} entries",
            f"contents      {counts}",
            *([f"erased        {erased}"] if erased else []),
            f"sample        {len(report.drawn)} of {report.population} changes: {drawn}",
            f"witnesses     {witnesses or 'self-contained: no outside witness signed'}",
            f"quorum        {'NOT MET: ' if report.short_of_quorum else ''}{ascii_only(report.quorum)}",
        ]
    lines += [f"integrity     {verified(report.integrity)}", f"completeness  {verified(report.completeness)}"]
    lines += [f"missing content: entry {index}" for index in contents.missing]
    lines += [f"altered content: entry {index}" for index in contents.altered]
    lines += [ascii_only(str(finding)) for finding in report.findings]
    lines += [f"note          {ascii_only(remark)}" for remark in report.remarks]
    return "".join(f"{line}\n" for line in lines)


def as_document(report: PackReport) -> dict[str, object]:
    """Return the report as a JSON document."""
    scope, contents = report.scope, report.contents
    return {
        "format": "mentorplane-pack-report/2",
        "ok": report.ok,
        "integrity": report.integrity,
        "completeness": report.completeness,
        "origin": scope.origin if scope else "",
        "kind": scope.kind if scope else "",
        "from": scope.since if scope else "",
        "to": scope.until if scope else "",
        "channel": scope.channel if scope else "",
        "release": scope.release if scope else 0,
        "first": scope.first if scope else None,
        "last": scope.last if scope else None,
        "older_size": report.older.size if report.older else 0,
        "newer_size": report.newer.size if report.newer else 0,
        "root": report.newer.root.hex() if report.newer else "",
        "verified": report.verified,
        "witnessed": report.witnessed,
        "self_contained": not report.witnessed,
        "witnesses": [{"name": one.name, "key_id": one.key_id.hex(), "time_s": one.time_s} for one in report.witnesses],
        "quorum": report.quorum,
        "contents": {
            "verified": contents.verified,
            "erased": [{"entry": index, "by": by} for index, by in contents.erased],
            "missing": list(contents.missing),
            "altered": list(contents.altered),
            "withheld": contents.withheld,
            "kept": [{"entry": index, "by": by} for index, by in contents.kept],
        },
        "sample": {"nonce": report.nonce, "population": report.population, "drawn": list(report.drawn)},
        "findings": [finding_document(finding) for finding in report.findings],
        "remarks": list(report.remarks),
    }
