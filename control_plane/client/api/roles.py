"""`/v1/roles`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.roles import HeldRole

__all__ = ["AsyncRolesApi", "RolesApi"]


def _list() -> Call[tuple[HeldRole, ...]]:
    """Return who holds which role now, for whom if it was delegated, and until when."""
    return Call("GET", "/v1/roles", tuple[HeldRole, ...])


class RolesApi(Group):
    """`/v1/roles`, one call after the other."""

    list = now(_list)


class AsyncRolesApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
