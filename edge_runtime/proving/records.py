"""What a proof gathers and what it comes to: records without behaviour."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.proving.canaries import Canary
from edge_runtime.proving.capture import Wire
from edge_runtime.proving.corpus import Text
from edge_runtime.proving.recorder import Request

__all__ = ["Evidence", "Kept", "Leak", "Permitted", "Run", "Said", "Settings", "Tally", "Told", "Verdict"]

ELSEWHERE = ("person", "temporary", "work")
"""Folders of the watched process that are not its home: nothing may be left in them."""
DISCLOSED, MISSED = "disclosed", "missed"
"""Why somebody may tolerate that a canary left: the policy lets plain text leave, or only its sense tells."""


@frozen
class Permitted:
    """What is no leak by itself: ports of this machine that are ours, hosts and folders that the developer named."""

    ports: frozenset[int]
    hosts: frozenset[str]
    folders: tuple[str, ...]


@frozen
class Run:
    """One turn of one text: what was asked, what the replies said of themselves, and what was raised."""

    text: int
    turn: int
    scenario: str
    replies: tuple[Mapping[str, Any], ...] = member(repr=False, default=())
    raised: str = member(repr=False, default="")


@frozen
class Told:
    """An audit event: in which run it came, all that Python was given, and the lines that led to it."""

    run: int
    event: str
    arguments: tuple[Any, ...] = member(repr=False)
    callers: tuple[str, ...] = ()


@frozen
class Said:
    """A log record, or what came on standard output or error: where, in which run, and what."""

    run: int
    where: str
    said: str = member(repr=False)


@frozen
class Kept:
    """A file that there was after the runs."""

    path: str
    data: bytes = member(repr=False)


@frozen
class Evidence:
    """All that was gathered."""

    texts: tuple[Text, ...]
    canaries: tuple[Canary, ...]
    runs: tuple[Run, ...]
    requests: tuple[Request, ...]
    told: tuple[Told, ...]
    said: tuple[Said, ...]
    kept: tuple[Kept, ...]
    wire: Wire | None
    received_bytes: int
    permitted: Permitted
    unfit: int = 0
    names_told: bool = True


@frozen
class Leak:
    """A way out that may not be: which, what went, how often, in which run first and from where; canaries in it.

    `excuse`: why somebody may tolerate it, "" for what nobody may.
    """

    way: str
    what: str
    times: int
    run: int
    canaries: tuple[int, ...]
    callers: tuple[str, ...] = ()
    excuse: str = ""


@frozen
class Tally:
    """What became of the runs of one route."""

    route: str
    runs: int = 0
    requests: int = 0
    sent_bytes: int = 0
    planted: int = 0
    disclosed: int = 0
    missed: int = 0
    leaked: int = 0


@frozen
class Verdict:
    """What a proof comes to. `recall`: how many of a kind that only their sense tells were found, and how many said."""

    leaks: tuple[Leak, ...]
    tallies: tuple[Tally, ...]
    recall: Mapping[str, tuple[int, int]]

    def failing(self, tolerated: Collection[str]) -> tuple[Leak, ...]:
        """Return the leaks that are not tolerated."""
        return tuple(leak for leak in self.leaks if not leak.excuse or leak.excuse not in tolerated)


@frozen
class Settings:
    """What to prove: a home with its trust, or an app; with how many texts; what the developer permits."""

    texts: int
    home: str = ""
    trust: str = ""
    channel: str = "production"
    app: str = ""
    hosts: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    chamber: bool = True
    untold: bool = False
