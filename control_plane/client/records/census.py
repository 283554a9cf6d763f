"""The records of `/v1/census`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CensusDay", "PackageCount", "ReleaseCount", "RunsCount", "StateCount", "WithdrawalsCount"]


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


@dataclass(frozen=True, slots=True)
class PackageCount:
    """At least so many devices have this version of the software."""

    package: str
    devices: int


@dataclass(frozen=True, slots=True)
class ReleaseCount:
    """At least so many devices run `release` and know of `newest`, which is out to its stage `stage`."""

    release: int
    newest: int
    stage: int
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
