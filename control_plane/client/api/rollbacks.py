"""`/v1/rollbacks`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Proposal, Stated

__all__ = ["AsyncRollbacksApi", "RollbacksApi"]


def _get(
    *,
    to: int,
    if_match: str | None = None,
    only: str | None = None,
    lift: bool | None = None,
    channel: str | None = None,
    title: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Propose what an earlier release held, as a new release."""
    return Call(
        "POST",
        "/v1/rollbacks",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(to=to, only=only, lift=lift, channel=channel, title=title, passphrase=passphrase, signed=signed),
    )


class RollbacksApi(Group):
    """`/v1/rollbacks`, one call after the other."""

    get = now(_get)


class AsyncRollbacksApi(AsyncGroup):
    """The same for `await`."""

    get = later(_get)
