"""The records of `/v1/proposals`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control_plane.client.records.shared import FieldDiff, Proposal, Span

__all__ = [
    "CaseEffect",
    "Change",
    "CheckResult",
    "Comment",
    "Conflicting",
    "Course",
    "Lines",
    "Meaning",
    "Missing",
    "Objection",
    "ProposalDetail",
    "ProposalEffects",
    "Requested",
    "Seen",
    "Signature",
    "Thread",
    "Underneath",
]


@dataclass(frozen=True, slots=True)
class CaseEffect:
    """One golden case before and after; None on a side where the script is not there."""

    kind: str
    name: str
    case: str
    why: str
    before: Seen | None
    after: Seen | None
    reply: tuple[Span, ...]
    leaves: tuple[Span, ...]
    notes: tuple[str, ...]
    changes: bool


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
class CheckResult:
    """The result of one named check: passed, failed, or a notice that approvers must read.

    `version` is that of the check, `inputs` are the digests of what it was given.
    """

    name: str
    status: str
    evidence: tuple[str, ...]
    version: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said; `entry` is its index in the audit log."""

    entry: int
    person: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conflicting:
    """A file that the proposal and the live release changed differently, since the text they both began with.

    None stands for no file. `merged` is a text with the changes of both, where they touch different lines.
    """

    kind: str
    name: str
    path: str
    base: str | None
    theirs: str | None
    mine: str | None
    merged: str | None


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
class Lines:
    """Lines of a file that the proposal writes, counted from 1."""

    kind: str
    name: str
    first: int = 1
    last: int = 0


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a change of an entry means; `example` is the exact situation, call or output that shows it."""

    kind: str
    name: str
    effect: str
    sentence: str
    example: Mapping[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Missing:
    """So many more people, in one of these roles, must approve `what`."""

    what: str
    people: int
    roles: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection (`act` is object) or a rejection (reject) and whether it still blocks."""

    act: str
    person: str
    role: str
    reason: str
    at: datetime
    standing: bool
    thread: int | None = None


@dataclass(frozen=True, slots=True)
class ProposalDetail:
    """All that somebody needs to decide: changes, checks, signatures, what is missing, whether it can be released.

    `underneath` are its entries that are others on the live release by now, `conflicts` the files that must be
    written
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
class ProposalEffects:
    """What a proposal means, sentence by sentence, and each golden case of what it touches, before and after."""

    proposal: int
    manifest: str
    meaning: tuple[Meaning, ...]
    cases: tuple[CaseEffect, ...]
    without_cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody, or anybody in a role, who is asked to look at a proposal; the other of the two is ""."""

    person: str
    role: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees of one case.

    `outcome` is filled, fallback, blocked, handed-off or refused; `leaves` is the exact text that may leave, with
    findings covered where the route asks for it; `told` is what a model would be told, if one answers.
    """

    route: str
    obligations: tuple[str, ...]
    because: tuple[str, ...]
    outcome: str
    reply: str
    leaves: str = ""
    told: str = ""


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
class Thread:
    """Comments about a proposal, or about lines of one of its files.

    `first` and `last` say where those lines are now; they are 0 where the thread is about the proposal as a whole,
    or
    `outdated` says that the lines are gone. `quoted` are the lines as they were. `objection` says that it blocks.
    """

    number: int
    proposal: int
    revision: int
    kind: str
    name: str
    first: int
    last: int
    quoted: tuple[str, ...]
    outdated: bool
    objection: bool
    resolved_by: str
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Underneath:
    """An entry of a proposal that is another on the live release now than where the proposal began."""

    kind: str
    name: str
    before: str
    now: str
