"""`/v1/trials`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.trials import WindowInfo

__all__ = ["AsyncTrialsApi", "TrialsApi"]


def _list() -> Call[tuple[WindowInfo, ...]]:
    """Return the trials with an end, the next to end first."""
    return Call("GET", "/v1/trials", tuple[WindowInfo, ...])


class TrialsApi(Group):
    """`/v1/trials`, one call after the other."""

    list = now(_list)


class AsyncTrialsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
