"""What the use cases return: frozen records, safe to hand to pages and to HTTP.

Does not: hold rows, keys or database sessions. Digests are tagged (`sha256:…`), people are pseudonymous ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control_plane.diffs.meaning import Meaning
from control_plane.diffs.words import FieldDiff
from control_plane.policy.checks.records import CheckResult
from control_plane.registry.discussed import Conflicting, Objection, Requested, Underneath
from edge_runtime.core.canonical import JsonObject

__all__ = [
    "Change",
    "Course",
    "Missing",
    "PromptDetail",
    "PromptInfo",
    "Proposal",
    "ProposalDetail",
    "Release",
    "Signature",
    "Task",
    "VersionInfo",
    "Withdrawal",
]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A set of changes: `manifest` is the digest that people sign.

    `state` is open, scheduled, suspended, rejected, expired, released or closed; whatever is not decided ends at
    `expires_at`.
    """

    number: int
    channel: str
    title: str
    state: str
    revision: int
    manifest: str
    base: str
    author: str
    editor: str
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that a proposal changes; `before` is "" for a new one, `digest` is "" for one that goes.

    `diff` says what changes word by word, `meaning` what that means, as sentences with examples.
    """

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
    meaning: tuple[Meaning, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Missing:
    """So many more people, in one of these roles, must approve `what`."""

    what: str
    people: int
    roles: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of a proposal by itself, and what stands in the way.

    goes_out      when it is released, or was to be before it was suspended
    suspended     the word of the log for why it was not, such as stale; "" if it is not suspended
    because       the same for people
    hindrance     the first thing that stands in the way of a release now, "" if nothing does
    trial_ends    when the trial ends that it begins, and `trial_then` what happens: keep or return
    trial_outcome what came of the trial, "" until it ended
    emergency     it asks for the quorum of emergencies
    review_due    when its release is to be reviewed, as long as it is not
    """

    goes_out: datetime | None = None
    suspended: str = ""
    because: str = ""
    hindrance: str = ""
    trial_ends: datetime | None = None
    trial_then: str = ""
    trial_outcome: str = ""
    emergency: bool = False
    review_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """All that somebody needs to decide: changes, checks, signatures, what is missing, whether it can be released.

    `underneath` are its entries that are others on the live release by now, `conflicts` the files that must be written
    anew before it can be put on top, `settings` what it changes of the release beside its entries, in sentences.
    """

    proposal: Proposal
    changes: tuple[Change, ...]
    checks: tuple[CheckResult, ...]
    signatures: tuple[Signature, ...]
    missing: tuple[Missing, ...]
    stale: bool
    ready: bool
    course: Course
    objections: tuple[Objection, ...] = ()
    requested: tuple[Requested, ...] = ()
    underneath: tuple[Underneath, ...] = ()
    conflicts: tuple[Conflicting, ...] = ()
    threads: int = 0
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """A released manifest; `leaf` is its index in the audit log."""

    channel: str
    number: int
    manifest: str
    proposal: int
    by: str
    at: datetime
    entries: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A content that must no longer be used on a channel, and why.

    `replacement` is the digest of what runs instead, "" for the fallback text; `statement` is what a release that lifts
    it names.
    """

    channel: str
    name: str
    kind: str
    digest: str
    by: str
    at: datetime
    reason: str
    replacement: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A governed entry of the live release in one row."""

    kind: str
    name: str
    title: str
    tier: str
    placement: str
    locale: str
    epoch: int
    digest: str
    author: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One released version of an entry."""

    epoch: int
    digest: str
    author: str
    channel: str
    release: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PromptDetail:
    """A governed entry with its frozen content, the YAML that people wrote, and its versions, newest first."""

    info: PromptInfo
    document: JsonObject
    source: str
    path: str
    history: tuple[VersionInfo, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A proposal that somebody can move on, and how.

    `why` is check, approve, release, edit, or review where they are asked to look; reschedule for one that was
    suspended; return where a trial ends with a return that nobody proposed yet; review-release for a break-glass
    release. The last two have a day by which they are due.
    """

    proposal: Proposal
    why: str
    requested: bool = False
    due: datetime | None = None
