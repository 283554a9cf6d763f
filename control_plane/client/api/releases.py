"""`/v1/releases`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, Paged, given, later_items, now_items
from control_plane.client.records.shared import Release

__all__ = ["AsyncReleasesApi", "ReleasesApi"]


def _list(*, channel: str | None = None, limit: int | None = None) -> Paged[Release]:
    """Return all releases of a channel, newest first."""
    return Paged(Call("GET", "/v1/releases", tuple[Release, ...], query=given(channel=channel, limit=limit)))


class ReleasesApi(Group):
    """`/v1/releases`, one call after the other."""

    list = now_items(_list)


class AsyncReleasesApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
