"""What a proof gathers and what it comes to: records without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.proving.canaries import Canary
from edge_runtime.proving.capture import Wire
from edge_runtime.proving.corpus import Text
from edge_runtime.proving.recorder import Request

__all__ = ["Evidence", "Kept", "Leak", "Permitted", "Run", "Said", "Settings", "Tally", "Told", "Verdict"]


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


@frozen
class Leak:
    """A way out that may not be: which, what went, how often, in which run first and from where; canaries in it."""

    way: str
    what: str
    times: int
    run: int
    canaries: tuple[int, ...]
    callers: tuple[str, ...] = ()


@frozen
class Tally:
    """What became of the runs of one route."""

    route: str
    runs: int
    requests: int
    sent_bytes: int
    planted: int
    disclosed: int
    missed: int
    leaked: int


@frozen
class Verdict:
    """What a proof comes to. `disclosed` and `missed` are canaries that left as the policy allowed, by kind."""

    leaks: tuple[Leak, ...]
    tallies: tuple[Tally, ...]
    disclosed: Mapping[str, int]
    missed: Mapping[str, int]


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
