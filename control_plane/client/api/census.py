"""`/v1/census`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.census import CensusDay

__all__ = ["AsyncCensusApi", "CensusApi"]


def _list(*, channel: str | None = None, days: int | None = None) -> Call[tuple[CensusDay, ...]]:
    """Return what devices told on the last days that are over, newest first, in groups of five or more."""
    return Call("GET", "/v1/census", tuple[CensusDay, ...], query=given(channel=channel, days=days))


def _rollups(day: str, *, channel: str | None = None) -> Call[str]:
    """Return the roll-ups of receipts that devices told of a day, as the log holds the root of them."""
    return Call("GET", f"/v1/census/rollups/{segment(day)}", str, query=given(channel=channel))


class CensusApi(Group):
    """`/v1/census`, one call after the other."""

    list = now(_list)
    rollups = now(_rollups)


class AsyncCensusApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    rollups = later(_rollups)
