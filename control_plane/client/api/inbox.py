"""`/v1/inbox`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.inbox import Task

__all__ = ["AsyncInboxApi", "InboxApi"]


def _list() -> Call[tuple[Task, ...]]:
    """Return what this person can move on now."""
    return Call("GET", "/v1/inbox", tuple[Task, ...])


class InboxApi(Group):
    """`/v1/inbox`, one call after the other."""

    list = now(_list)


class AsyncInboxApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
