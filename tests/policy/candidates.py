"""Candidates for the checks: a few entries, or one script with some members changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control_plane.policy.checks import Candidate
from control_plane.policy.checks.running import run_checks
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject, encode
from edge_runtime.core.manifest import Entry, Manifest
from tests.policy.scripts import document

KIND = "prompt"


def manifest(entries: list[Entry], number: int = 1, base: str = "") -> Manifest:
    """Return a manifest of entries."""
    return Manifest(
        organisation="example",
        channel="production",
        number=number,
        base=base,
        entries=tuple(sorted(entries)),
        locales=("en",),
        stages=(100,),
        models=(),
        fresh_for_s=604_800,
        valid_for_s=2_592_000,
        rollback_to=number - 1,
    )


def entry(content: bytes, kind: str = KIND, *, epoch: int = 1) -> Entry:
    """Return the entry of a closure."""
    said = canonical.parse(content, max_bytes=1_000_000)
    tier = str(said.get("tier", "R4"))
    return Entry(kind, said["name"], epoch, digest=canonical.digest(content), tier=tier, author="maya")


def candidate(
    *contents: bytes,
    kind: str = KIND,
    before: tuple[bytes, ...] = (),
    cases: Mapping[str, JsonObject] | None = None,
    recordings: Mapping[str, JsonObject] | None = None,
) -> Candidate:
    """Return what checks are given of contents, new or after others."""
    old = manifest([entry(content, kind) for content in before]) if before else None
    new = manifest(
        [entry(content, kind, epoch=2 if before else 1) for content in contents],
        number=2 if old else 1,
        base=canonical.digest(old.encode()) if old else "",
    )
    held = set(old.entries) if old else set()
    closures = {canonical.digest(content): content for content in (*contents, *before)}
    introduced = tuple(one for one in new.entries if one not in held)
    return Candidate(new, old, introduced, closures, cases or {}, recordings or {})


def found(name: str, given: Candidate) -> tuple[str, tuple[str, ...]]:
    """Return the status and the lines of one check."""
    [result] = [one for one in run_checks(given) if one.name == name]
    return result.status, result.evidence


def of_script(name: str, **changed: Any) -> tuple[str, str]:
    """Return the status and the first line of one check about a script that is made otherwise."""
    status, lines = found(name, candidate(encode(document(**changed))))
    return status, lines[0]
