"""`/v1/health`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.health import Health

__all__ = ["AsyncHealthApi", "HealthApi"]


def _get() -> Call[Health]:
    """Say that the server answers, and what is due."""
    return Call("GET", "/v1/health", Health)


class HealthApi(Group):
    """`/v1/health`, one call after the other."""

    get = now(_get)


class AsyncHealthApi(AsyncGroup):
    """The same for `await`."""

    get = later(_get)
