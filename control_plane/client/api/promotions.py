"""`/v1/promotions`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Proposal, Stated

__all__ = ["AsyncPromotionsApi", "PromotionsApi"]


def _promote(
    *,
    source: str,
    if_match: str | None = None,
    target: str | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Propose for one channel what is live on another."""
    return Call(
        "POST",
        "/v1/promotions",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(source=source, target=target, names=names, title=title, passphrase=passphrase, signed=signed),
    )


class PromotionsApi(Group):
    """`/v1/promotions`, one call after the other."""

    promote = now(_promote)


class AsyncPromotionsApi(AsyncGroup):
    """The same for `await`."""

    promote = later(_promote)
