"""`/v1/schedule`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.schedule import Planned

__all__ = ["AsyncScheduleApi", "ScheduleApi"]


def _list_planned() -> Call[tuple[Planned, ...]]:
    """Return what goes out at a time, and what was suspended instead and why; the next first."""
    return Call("GET", "/v1/schedule", tuple[Planned, ...])


class ScheduleApi(Group):
    """`/v1/schedule`, one call after the other."""

    list_planned = now(_list_planned)


class AsyncScheduleApi(AsyncGroup):
    """The same for `await`."""

    list_planned = later(_list_planned)
