"""`/v1/returns`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Proposal, Stated

__all__ = ["AsyncReturnsApi", "ReturnsApi"]


def _prepare_return(
    *,
    channel: str,
    if_match: str | None = None,
    title: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Propose for the channel of a trial what the usual channel has."""
    return Call(
        "POST",
        "/v1/returns",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(channel=channel, title=title, passphrase=passphrase, signed=signed),
    )


class ReturnsApi(Group):
    """`/v1/returns`, one call after the other."""

    prepare_return = now(_prepare_return)


class AsyncReturnsApi(AsyncGroup):
    """The same for `await`."""

    prepare_return = later(_prepare_return)
