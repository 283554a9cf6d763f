"""`/v1/census`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.census import CensusDay

__all__ = ["AsyncCensusApi", "CensusApi"]


def _list(*, channel: str | None = None, days: int | None = None) -> Call[tuple[CensusDay, ...]]:
    """Return what devices told on the last days that are over, newest first, in groups of five or more."""
    return Call("GET", "/v1/census", tuple[CensusDay, ...], query=given(channel=channel, days=days))


class CensusApi(Group):
    """`/v1/census`, one call after the other."""

    list = now(_list)


class AsyncCensusApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
