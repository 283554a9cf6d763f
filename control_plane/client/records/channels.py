"""The records of `/v1/channels`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChannelInfo", "ChannelWithdrawn", "Staged"]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel, the number of its live release, 0 before the first, and whether it is meant where none is named."""

    name: str
    release: int
    usual: bool


@dataclass(frozen=True, slots=True)
class ChannelWithdrawn:
    """How many more people must withdraw a channel before it stops."""

    channel: str
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
