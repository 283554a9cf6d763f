"""`/v1/compatibility`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.compatibility import Verdict

__all__ = ["AsyncCompatibilityApi", "CompatibilityApi"]


def _list(
    *, files: Mapping[str, str], if_match: str | None = None, channel: str | None = None, mode: str | None = None
) -> Call[tuple[Verdict, ...]]:
    """Say whether scripts would break those who call them or read their outputs; nothing is stored."""
    return Call(
        "POST",
        "/v1/compatibility",
        tuple[Verdict, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(files=files, channel=channel, mode=mode),
    )


class CompatibilityApi(Group):
    """`/v1/compatibility`, one call after the other."""

    list = now(_list)


class AsyncCompatibilityApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
