"""The records of `/v1/channels`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChannelInfo", "ChannelWithdrawn", "Staged"]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel and the number of its live release, 0 before the first."""

    name: str
    release: int


@dataclass(frozen=True, slots=True)
class ChannelWithdrawn:
    """How many more people must withdraw the channel before it stops."""

    missing: int


@dataclass(frozen=True, slots=True)
class Staged:
    """How far the live release of a channel is rolled out: the stages people approved, and the one that is open."""

    channel: str
    release: int
    stages: tuple[int, ...]
    stage: int
    percent: int
    halted: bool
