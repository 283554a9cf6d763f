"""`/v1/checks`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping

from control_plane.client.calls import AsyncGroup, Call, Group, later, now

__all__ = ["AsyncChecksApi", "ChecksApi"]


def _get() -> Call[Mapping[str, str]]:
    """Return the checks that a proposal must pass, with their versions."""
    return Call("GET", "/v1/checks", Mapping[str, str])


class ChecksApi(Group):
    """`/v1/checks`, one call after the other."""

    get = now(_get)


class AsyncChecksApi(AsyncGroup):
    """The same for `await`."""

    get = later(_get)
