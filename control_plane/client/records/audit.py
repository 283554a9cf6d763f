"""The records of `/v1/audit`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["AsOf", "ControlsReport", "Deed", "Evidence", "Filed", "Found", "Gap", "Hit", "Lack", "LedgerReport", "Live"]


@dataclass(frozen=True, slots=True)
class AsOf:
    """What was live at `at`; `release` is 0, and all else empty, before the first release of the channel.

    `rollback_to` is the number of the release that this one names as the one to go back to, 0 if none.
    """

    at: datetime
    channel: str
    release: int = 0
    manifest: str = ""
    released: Deed | None = None
    rollback_to: int = 0
    policies: tuple[Live, ...] = ()
    models: tuple[Mapping[str, str | int], ...] = ()
    entries: tuple[Live, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlsReport:
    """The report for a rule book; `entries` is the number of entries in the period."""

    name: str
    title: str
    organisation: str
    log: str
    since: str
    until: str
    made_at: str
    entries: int
    controls: tuple[Found, ...]
    preface: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something, evidenced by the entry at `index`; name and reason as far as they are not erased, else ""."""

    index: int
    act: str
    person: str
    name: str
    role: str
    meaning: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Entries of one kind that evidence a control: how many in the period, and some of them."""

    what: str
    count: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Filed:
    """The entry that says that a document is on file."""

    logged: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about one control."""

    reference: str
    title: str
    asks: str
    evidence: tuple[Evidence, ...]
    gaps: tuple[Lack, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap: entries `first` to `last`, times `since` to `until`; None where there is none, or it goes on."""

    kind: Literal["index", "link", "time", "witness", "setting", "reading", "export", "evidence", "review", "trial"]
    message: str
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry with its place in the log: its inclusion proof, in base64, under the checkpoint of `size` entries.

    `size` is 0 and there is no proof for an entry that is not published yet, after a crash or on a full disk.
    `tlog_proof` is the same as a C2SP proof file with the signed checkpoint in it, where it was asked for.
    """

    index: int
    act: str
    actor: str
    role: str
    kind: str
    name: str
    digest: str
    manifest: str
    at: datetime
    data: str
    outcome: str = ""
    channel: str = ""
    version: str = ""
    size: int = 0
    proof: tuple[str, ...] = ()
    tlog_proof: str = ""


@dataclass(frozen=True, slots=True)
class Lack:
    """A gap that was seen: what, and the entries that it is about, if any."""

    message: str
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `verify` found; `root` is the tree's, in hex."""

    ok: bool
    size: int
    self_contained: bool
    problems: tuple[str, ...]
    root: str


@dataclass(frozen=True, slots=True)
class Live:
    """One entry of the release that was live: its version, who approved it, and whether it was withdrawn by then."""

    kind: str
    name: str
    epoch: int
    digest: str
    tier: str
    author: str
    since_release: int
    released: Deed
    approved: tuple[Deed, ...]
    withdrawn: Deed | None
