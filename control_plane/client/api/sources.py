"""`/v1/sources`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.sources import Snapshot

__all__ = ["AsyncSourcesApi", "SourcesApi"]


def _list(*, channel: str | None = None) -> Call[Snapshot]:
    """Return every live source of a channel with its text, "" for the usual channel."""
    return Call("GET", "/v1/sources", Snapshot, query=given(channel=channel))


class SourcesApi(Group):
    """`/v1/sources`, one call after the other."""

    list = now(_list)


class AsyncSourcesApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
