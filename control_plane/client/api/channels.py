"""`/v1/channels`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.channels import ChannelInfo, ChannelWithdrawn

__all__ = ["AsyncChannelsApi", "ChannelsApi"]


def _list() -> Call[tuple[ChannelInfo, ...]]:
    """Return the channels, and what is live on each."""
    return Call("GET", "/v1/channels", tuple[ChannelInfo, ...])


def _withdraw_channel(
    name: str, *, reason: str, passphrase: str, if_match: str | None = None
) -> Call[ChannelWithdrawn]:
    """Withdraw all prompts of a channel; two people must, about the same release."""
    return Call(
        "POST",
        f"/v1/channels/{segment(name)}/withdrawal",
        ChannelWithdrawn,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase),
    )


class ChannelsApi(Group):
    """`/v1/channels`, one call after the other."""

    list = now(_list)
    withdraw_channel = now(_withdraw_channel)


class AsyncChannelsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    withdraw_channel = later(_withdraw_channel)
