"""Records of reviewing, for pages, HTTP and the command line.

Does not: hold rows. Times are aware UTC; digests are tagged (`sha256:…`); people are pseudonymous ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "Anchor",
    "BatchItem",
    "Comment",
    "Conflicting",
    "DraftInfo",
    "DraftProblem",
    "Objection",
    "Requested",
    "SavedDraft",
    "Thread",
    "Underneath",
]


@dataclass(frozen=True, slots=True)
class Anchor:
    """Lines of a file that a proposal writes, counted from 1: `first` to `last`, or `first` alone if that is 0."""

    kind: str
    name: str
    first: int = 1
    last: int = 0

    @property
    def end(self) -> int:
        """The last line."""
        return self.last or self.first


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said; `entry` is its index in the audit log."""

    entry: int
    person: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """Comments about a proposal, or about lines of one of its files.

    `first` and `last` say where those lines are now; they are 0 where the thread is about the proposal as a whole, or
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
class Requested:
    """Somebody, or anybody in a role, who is asked to look at a proposal; the other of the two is ""."""

    person: str
    role: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Underneath:
    """An entry of a proposal that is another on the live release now than where the proposal began."""

    kind: str
    name: str
    before: str
    now: str


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
class DraftInfo:
    """A draft in one row."""

    id: int
    channel: str
    title: str
    author: str
    revision: int
    base: str
    saved_at: datetime
    proposal: int | None


@dataclass(frozen=True, slots=True)
class DraftProblem:
    """Why a file of a draft could not be proposed as it is."""

    path: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A version of a draft with its files by path, and what stands in the way of proposing it."""

    info: DraftInfo
    editor: str
    files: dict[str, str]
    removed: tuple[tuple[str, str], ...]
    guests: tuple[str, ...]
    problems: tuple[DraftProblem, ...]


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One proposal of a batch: what is approved, in which role, why."""

    number: int
    manifest: str
    role: str
    reason: str
