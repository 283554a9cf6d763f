"""`/v1/withdrawn`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.withdrawn import Standing

__all__ = ["AsyncWithdrawnApi", "WithdrawnApi"]


def _list_standing() -> Call[tuple[Standing, ...]]:
    """Return what stands withdrawn on each channel where something does."""
    return Call("GET", "/v1/withdrawn", tuple[Standing, ...])


class WithdrawnApi(Group):
    """`/v1/withdrawn`, one call after the other."""

    list_standing = now(_list_standing)


class AsyncWithdrawnApi(AsyncGroup):
    """The same for `await`."""

    list_standing = later(_list_standing)
