"""What a check is given and what it answers: the two records that a package with checks of its own works with.

Promises: a candidate holds all that its checks may look at, so that the same candidate always gets the same answer,
here and in another process; `inputs` names everything in it by digest.
Does not: run checks or read rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest
from edge_runtime.core.policy import Policy, parse_policy
from edge_runtime.core.prompt import Prompt, parse_prompt

__all__ = ["SCRIPTS", "WHOLE_RELEASE", "Candidate", "CheckResult", "Found", "digests_of"]

WHOLE_RELEASE = ("approval-rules", "handoff", "policy")
"""Kinds whose content every check needs, changed or not."""
SCRIPTS = ("handoff", "prompt")
MAX_CLOSURE_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest, the one that it follows, what it introduces, and the contents that checks look at.

    `closures` are by digest: what is introduced, what `WHOLE_RELEASE` names, translations of what is introduced, and
    earlier contents. `cases` and `recordings` are by the name of their script. `earlier` are the digests of released
    contents by kind and name, newest first, without the one that is introduced.
    """

    manifest: Manifest
    base: Manifest | None
    introduced: tuple[Entry, ...]
    closures: Mapping[str, bytes]
    cases: Mapping[str, JsonObject]
    recordings: Mapping[str, JsonObject] = field(default_factory=dict)
    earlier: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def scripts(self) -> Iterator[tuple[Entry, Prompt]]:
        """Yield the introduced scripts that read at all; the check `schema` tells of the others."""
        for entry in self.introduced:
            if entry.kind in SCRIPTS:
                try:
                    yield entry, parse_prompt(self.closures[entry.digest])
                except InvalidDocument:
                    continue

    def document(self, entry: Entry) -> JsonObject:
        """Return the content of an entry as a JSON object; empty if it does not read, or is not in `closures`."""
        try:
            return canonical.parse(self.closures[entry.digest], max_bytes=MAX_CLOSURE_BYTES)
        except (KeyError, InvalidDocument):
            return {}

    def before(self, entry: Entry) -> Entry | None:
        """Return what the base holds under the kind and name of `entry`."""
        found = (old for old in (self.base.entries if self.base else ()) if old.key == entry.key)
        return next(found, None)

    def policy(self, manifest: Manifest | None) -> Policy | None:
        """Return the policy of a manifest, if it has one that reads."""
        for entry in manifest.entries if manifest else ():
            if entry.kind == "policy":
                try:
                    return parse_policy(self.closures[entry.digest])
                except InvalidDocument:
                    return None
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: problems fail it, notices are for approvers to read, evidence says what was done."""

    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one named check: passed, failed, or a notice that approvers must read.

    `version` is that of the check, `inputs` are the digests of what it was given.
    """

    name: str
    status: str
    evidence: tuple[str, ...]
    version: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


def digests_of(candidate: Candidate) -> dict[str, str]:
    """Return the digests of all that checks are given: with the same ones and the same checks, nothing else comes out.

    The bytes of closures are not read: their digests are their names.
    """
    base, policies = candidate.base, sorted(e.digest for e in candidate.manifest.entries if e.kind == "policy")
    return {
        "base": base.digest if base else "",
        "cases": _digest(dict(candidate.cases)),
        "closures": _digest({"digests": sorted(candidate.closures)}),
        "earlier": _digest({f"{kind} {name}": list(found) for (kind, name), found in candidate.earlier.items()}),
        "manifest": candidate.manifest.digest,
        "policy": policies[0] if len(policies) == 1 else _digest({"policies": list(policies)}),
        "recordings": _digest(dict(candidate.recordings)),
    }


def _digest(document: JsonObject) -> str:
    return canonical.digest(canonical.encode(document))
