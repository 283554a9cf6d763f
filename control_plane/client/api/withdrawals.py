"""`/v1/withdrawals`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, Paged, given, later, later_items, now, now_items
from control_plane.client.records.shared import Stated
from control_plane.client.records.withdrawals import Withdrawal

__all__ = ["AsyncWithdrawalsApi", "WithdrawalsApi"]


def _list(*, channel: str | None = None, limit: int | None = None) -> Paged[Withdrawal]:
    """Return all withdrawals on a channel, newest first."""
    return Paged(Call("GET", "/v1/withdrawals", tuple[Withdrawal, ...], query=given(channel=channel, limit=limit)))


def _withdraw(
    *,
    target: str,
    reason: str,
    if_match: str | None = None,
    replacement: str | None = None,
    channel: str | None = None,
    role: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Withdrawal]:
    """Withdraw a prompt, on every channel that has it."""
    return Call(
        "POST",
        "/v1/withdrawals",
        Withdrawal,
        headers=given(**{"If-Match": if_match}),
        body=given(
            target=target,
            reason=reason,
            replacement=replacement,
            channel=channel,
            role=role,
            passphrase=passphrase,
            signed=signed,
        ),
    )


class WithdrawalsApi(Group):
    """`/v1/withdrawals`, one call after the other."""

    list = now_items(_list)
    withdraw = now(_withdraw)


class AsyncWithdrawalsApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    withdraw = later(_withdraw)
