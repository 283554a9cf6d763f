"""`/v1/approvals`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.approvals import ItemInput
from control_plane.client.records.shared import Proposal, Stated

__all__ = ["ApprovalsApi", "AsyncApprovalsApi"]


def _approve_batch(
    *,
    items: Sequence[ItemInput],
    if_match: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[tuple[Proposal, ...]]:
    """Approve several proposals that this person opened, all or none."""
    return Call(
        "POST",
        "/v1/approvals",
        tuple[Proposal, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(items=items, passphrase=passphrase, signed=signed),
    )


class ApprovalsApi(Group):
    """`/v1/approvals`, one call after the other."""

    approve_batch = now(_approve_batch)


class AsyncApprovalsApi(AsyncGroup):
    """The same for `await`."""

    approve_batch = later(_approve_batch)
