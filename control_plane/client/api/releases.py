"""`/v1/releases`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import (
    AsyncGroup,
    Call,
    Group,
    Paged,
    given,
    later,
    later_items,
    now,
    now_items,
    segment,
)
from control_plane.client.records.releases import Reviewed
from control_plane.client.records.shared import Release, Stated

__all__ = ["AsyncReleasesApi", "ReleasesApi"]


def _list(*, channel: str | None = None, limit: int | None = None) -> Paged[Release]:
    """Return all releases of a channel, newest first."""
    return Paged(Call("GET", "/v1/releases", tuple[Release, ...], query=given(channel=channel, limit=limit)))


def _review_release(
    number: int,
    *,
    role: str,
    reason: str,
    manifest: str,
    if_match: str | None = None,
    channel: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Reviewed]:
    """Sign the mandatory review of a break-glass release."""
    return Call(
        "POST",
        f"/v1/releases/{segment(number)}/review",
        Reviewed,
        headers=given(**{"If-Match": if_match}),
        body=given(role=role, reason=reason, manifest=manifest, channel=channel, passphrase=passphrase, signed=signed),
    )


class ReleasesApi(Group):
    """`/v1/releases`, one call after the other."""

    list = now_items(_list)
    review_release = now(_review_release)


class AsyncReleasesApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    review_release = later(_review_release)
