"""`/v1/returns`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Proposal

__all__ = ["AsyncReturnsApi", "ReturnsApi"]


def _prepare_return(
    *, channel: str, passphrase: str, if_match: str | None = None, title: str | None = None
) -> Call[Proposal]:
    """Propose for the channel of a trial what the usual channel has."""
    return Call(
        "POST",
        "/v1/returns",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(channel=channel, passphrase=passphrase, title=title),
    )


class ReturnsApi(Group):
    """`/v1/returns`, one call after the other."""

    prepare_return = now(_prepare_return)


class AsyncReturnsApi(AsyncGroup):
    """The same for `await`."""

    prepare_return = later(_prepare_return)
