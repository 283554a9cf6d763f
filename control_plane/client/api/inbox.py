"""`/v1/inbox`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, Paged, given, later_items, now_items
from control_plane.client.records.inbox import Task

__all__ = ["AsyncInboxApi", "InboxApi"]


def _list(*, limit: int | None = None) -> Paged[Task]:
    """Return what this person can move on now; first what they were asked to look at."""
    return Paged(Call("GET", "/v1/inbox", tuple[Task, ...], query=given(limit=limit)))


class InboxApi(Group):
    """`/v1/inbox`, one call after the other."""

    list = now_items(_list)


class AsyncInboxApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
