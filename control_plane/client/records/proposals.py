"""The records of `/v1/proposals`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control_plane.client.records.shared import FieldDiff, Proposal

__all__ = ["Change", "CheckResult", "Missing", "ProposalDetail", "Signature"]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that a proposal changes; `before` is "" for a new one, `digest` is "" for one that goes."""

    kind: str
    name: str
    tier: str
    epoch: int
    digest: str
    author: str
    before: str
    diff: tuple[FieldDiff, ...]
    source: str
    path: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one named check: passed, failed, or a notice that approvers must read."""

    name: str
    status: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """So many more people, in one of these roles, must approve `what`."""

    what: str
    people: int
    roles: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """All that somebody needs to decide: changes, checks, signatures, what is missing, whether it can be released."""

    proposal: Proposal
    changes: tuple[Change, ...]
    checks: tuple[CheckResult, ...]
    signatures: tuple[Signature, ...]
    missing: tuple[Missing, ...]
    stale: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed statement as people read it; `void` if it is about an earlier revision."""

    person: str
    role: str
    act: str
    reason: str
    at: datetime
    manifest: str
    void: bool
