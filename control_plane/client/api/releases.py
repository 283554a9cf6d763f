"""`/v1/releases`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Release

__all__ = ["AsyncReleasesApi", "ReleasesApi"]


def _list(*, channel: str | None = None) -> Call[tuple[Release, ...]]:
    """Return all releases of a channel, newest first."""
    return Call("GET", "/v1/releases", tuple[Release, ...], query=given(channel=channel))


class ReleasesApi(Group):
    """`/v1/releases`, one call after the other."""

    list = now(_list)


class AsyncReleasesApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
