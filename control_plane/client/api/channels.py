"""`/v1/channels`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.channels import ChannelInfo, ChannelWithdrawn, Staged
from control_plane.client.records.shared import Stated

__all__ = ["AsyncChannelsApi", "ChannelsApi"]


def _list() -> Call[tuple[ChannelInfo, ...]]:
    """Return the channels, and what is live on each."""
    return Call("GET", "/v1/channels", tuple[ChannelInfo, ...])


def _withdraw_channel(
    name: str,
    *,
    reason: str,
    if_match: str | None = None,
    role: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[ChannelWithdrawn]:
    """Withdraw all prompts of a channel; two people must, about the same release."""
    return Call(
        "POST",
        f"/v1/channels/{segment(name)}/withdrawal",
        ChannelWithdrawn,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, role=role, passphrase=passphrase, signed=signed),
    )


def _show_rollout(name: str) -> Call[Staged]:
    """Return how far the live release of a channel is rolled out."""
    return Call("GET", f"/v1/channels/{segment(name)}/rollout", Staged)


def _open_stage(
    name: str,
    *,
    release: int,
    stage: int,
    if_match: str | None = None,
    reason: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Staged]:
    """Let further devices adopt the live release of a channel: its next stage."""
    return Call(
        "POST",
        f"/v1/channels/{segment(name)}/rollout",
        Staged,
        headers=given(**{"If-Match": if_match}),
        body=given(release=release, stage=stage, reason=reason, passphrase=passphrase, signed=signed),
    )


def _halt_rollout(
    name: str,
    *,
    release: int,
    reason: str,
    if_match: str | None = None,
    role: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Staged]:
    """Halt the rollout of the live release of a channel: no further device adopts it."""
    return Call(
        "POST",
        f"/v1/channels/{segment(name)}/halt",
        Staged,
        headers=given(**{"If-Match": if_match}),
        body=given(release=release, reason=reason, role=role, passphrase=passphrase, signed=signed),
    )


class ChannelsApi(Group):
    """`/v1/channels`, one call after the other."""

    list = now(_list)
    withdraw_channel = now(_withdraw_channel)
    show_rollout = now(_show_rollout)
    open_stage = now(_open_stage)
    halt_rollout = now(_halt_rollout)


class AsyncChannelsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    withdraw_channel = later(_withdraw_channel)
    show_rollout = later(_show_rollout)
    open_stage = later(_open_stage)
    halt_rollout = later(_halt_rollout)
