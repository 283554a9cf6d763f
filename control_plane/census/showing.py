"""The census as it is shown: of days that are over, in groups of five or more, to those whose role it is.

Promises: a day is shown once no report of it is taken any more, so that looking twice never shows two states of it;
what is shown is said in `figures`, and nothing else is; days are never added up. Does not: change anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from sqlmodel import col, select

from audit.record import LeafObject
from control_plane import db
from control_plane.accounts import rights
from control_plane.census.counting import ALL, OTHER, RUNS
from control_plane.census.figures import LEAST, shown, shown_steps
from control_plane.plane import ControlPlane
from control_plane.tables.census import CensusRow
from control_plane.tables.registry import VersionRow
from edge_runtime.core.counts import LEVELS
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "MOST_DAYS",
    "ROLES",
    "CensusDay",
    "PackageCount",
    "ReleaseCount",
    "RunsCount",
    "StateCount",
    "WithdrawalsCount",
    "show",
]

ROLES = (
    "release-manager",
    "safety-owner",
    "compliance",
    "employee-representative",
    "auditor",
    "administrator",
)
"""Those who answer for what runs, for how it is stopped, and for what is measured."""
MOST_DAYS = 92
CLOSED_AFTER = 2
_USE = b"mentorplane-census/1 offset\0"
_STANDING = frozenset({ALL, "package", "release", "state", "withdrawals"})
"""Questions that every device answers once."""
_OF_VERSION = f"{RUNS}/"


@dataclass(frozen=True, slots=True)
class ReleaseCount:
    """At least so many devices run `release` and know of `newest`, which is out to its stage `stage`."""

    release: int
    newest: int
    stage: int
    devices: int


@dataclass(frozen=True, slots=True)
class StateCount:
    """At least so many devices are `fresh`, `stale` or `expired`, after a look that was `ok` or came to nothing."""

    fresh: str
    refresh: str
    devices: int


@dataclass(frozen=True, slots=True)
class WithdrawalsCount:
    """At least so many devices know the first `known` entries of the channel's list of withdrawals."""

    known: int
    devices: int


@dataclass(frozen=True, slots=True)
class PackageCount:
    """At least so many devices have this version of the software."""

    package: str
    devices: int


@dataclass(frozen=True, slots=True)
class RunsCount:
    """On at least so many devices a version of a prompt ran so, and at least `runs` times in all.

    `release` was in force there, and out to its stage `stage`; 0 where a newer one was.
    """

    prompt: str
    version: str
    release: int
    stage: int
    route: str
    outcome: str
    devices: int
    runs: int


@dataclass(frozen=True, slots=True)
class CensusDay:
    """What is shown of a day; `devices` is at least so many in all, 0 where none or too few were counted."""

    day: str
    channel: str
    devices: int
    releases: tuple[ReleaseCount, ...] = ()
    states: tuple[StateCount, ...] = ()
    withdrawals: tuple[WithdrawalsCount, ...] = ()
    packages: tuple[PackageCount, ...] = ()
    runs: tuple[RunsCount, ...] = ()


def show(plane: ControlPlane, person: str, *, channel: str = "", days: int = 7) -> tuple[CensusDay, ...]:
    """Return the last days that are over of a channel, the newest first.

    Raises:
        InvalidDocument: there is no such channel, or other than 1 to `MOST_DAYS` days.
        NotFound: there is no such person.
        Refused: they hold none of `ROLES`; the log says that they tried.
    """
    channel = plane.on(channel)
    if not 1 <= days <= MOST_DAYS:
        raise InvalidDocument(f"expected 1 to {MOST_DAYS} days, got another number")
    rights.require_role(plane, person, ROLES, attempt=rights.Attempt("read-census", LeafObject("channel", channel)))
    newest = plane.now().date() - timedelta(days=CLOSED_AFTER)
    wanted = [(newest - timedelta(days=back)).isoformat() for back in range(days)]
    counted = _counted(plane, channel, wanted)
    names = _names(plane, {question for counts in counted.values() for question in counts})
    days_shown = (_day(plane, channel, day, counts=counted.get(day, {})) for day in wanted)
    return tuple(replace(day, runs=_runs(plane, day, counted.get(day.day, {}), names=names)) for day in days_shown)


Counts = dict[str, dict[str, int]]


def _counted(plane: ControlPlane, channel: str, days: list[str]) -> dict[str, Counts]:
    some = select(CensusRow).where(CensusRow.channel == channel, col(CensusRow.day).in_(days))
    found: dict[str, Counts] = {}
    with db.read(plane.engine) as session:
        for row in session.exec(some):
            found.setdefault(row.day, {}).setdefault(row.question, {})[row.answer] = row.devices
    return found


def _offset(plane: ControlPlane, channel: str, question: str, *, answer: str) -> int:
    said = _USE + "\0".join((channel, question, answer)).encode()
    return int.from_bytes(hmac.digest(plane.keys.texts, said, "sha256")) % LEAST


def _names(plane: ControlPlane, questions: set[str]) -> dict[str, str]:
    """Return the names of the prompts whose versions were told of, by digest."""
    digests = [question.removeprefix(_OF_VERSION) for question in questions if question.startswith(_OF_VERSION)]
    some = select(VersionRow.digest, VersionRow.name).where(VersionRow.kind == "prompt")
    with db.read(plane.engine) as session:
        return dict(session.exec(some.where(col(VersionRow.digest).in_(digests))).all()) if digests else {}


def _runs(plane: ControlPlane, day: CensusDay, counts: Counts, *, names: Mapping[str, str]) -> tuple[RunsCount, ...]:
    found = []
    for question in counts:
        digest = question.removeprefix(_OF_VERSION)
        if digest == question or digest not in names:
            continue
        steps: dict[str, dict[int, int]] = {}
        for answer, devices in counts[question].items():
            about, _, level = answer.rpartition("/")
            if about:
                steps.setdefault(about, {})[int(level)] = devices
        for about, given in steps.items():
            figures = shown_steps(given, _offset(plane, day.channel, question, answer=about))
            if LEVELS[0] in figures:
                found.append(_runs_count(names[digest], digest, about, figures=figures))
    return tuple(sorted(found, key=lambda one: (one.prompt, -one.release, -one.stage, one.route, one.outcome)))


def _runs_count(prompt: str, version: str, about: str, *, figures: Mapping[int, int]) -> RunsCount:
    release, stage, route, outcome = about.split("/")
    steps = pairwise((0, *LEVELS))
    runs = sum((level - below) * figures.get(level, 0) for below, level in steps)
    return RunsCount(
        prompt, version, int(release), int(stage), route=route, outcome=outcome, devices=figures[LEVELS[0]], runs=runs
    )


def _day(plane: ControlPlane, channel: str, day: str, *, counts: Mapping[str, Mapping[str, int]]) -> CensusDay:
    standing = {question: given for question, given in counts.items() if question in _STANDING}
    figures = shown(standing, lambda question, answer: _offset(plane, channel, question, answer=answer))
    releases = (_release(answer, devices) for answer, devices in _known(figures, "release"))
    states = (_state(answer, devices) for answer, devices in _known(figures, "state"))
    known = (WithdrawalsCount(int(answer), devices) for answer, devices in _known(figures, "withdrawals"))
    packages = (PackageCount(answer, devices) for answer, devices in _known(figures, "package"))
    return CensusDay(
        day,
        channel,
        figures.get(ALL, {}).get(ALL, 0),
        releases=tuple(sorted(releases, key=lambda one: (-one.newest, -one.release, -one.stage))),
        states=tuple(sorted(states, key=lambda one: (-one.devices, one.fresh, one.refresh))),
        withdrawals=tuple(sorted(known, key=lambda one: -one.known)),
        packages=tuple(sorted(packages, key=lambda one: (-one.devices, one.package))),
    )


def _known(figures: Mapping[str, Mapping[str, int]], question: str) -> list[tuple[str, int]]:
    return [(answer, devices) for answer, devices in figures.get(question, {}).items() if answer != OTHER]


def _release(answer: str, devices: int) -> ReleaseCount:
    release, newest, stage = map(int, answer.split("/"))
    return ReleaseCount(release, newest, stage, devices)


def _state(answer: str, devices: int) -> StateCount:
    fresh, refresh = answer.split("/")
    return StateCount(fresh, refresh, devices)
