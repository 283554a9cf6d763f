"""`/v1/delegations`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import GrantRecord, Stated

__all__ = ["AsyncDelegationsApi", "DelegationsApi"]


def _delegate(
    *,
    person: str,
    role: str,
    until: datetime,
    reason: str,
    if_match: str | None = None,
    since: datetime | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[GrantRecord]:
    """Let another person act in a role of one's own while one is away."""
    return Call(
        "POST",
        "/v1/delegations",
        GrantRecord,
        headers=given(**{"If-Match": if_match}),
        body=given(
            person=person, role=role, until=until, reason=reason, since=since, passphrase=passphrase, signed=signed
        ),
    )


class DelegationsApi(Group):
    """`/v1/delegations`, one call after the other."""

    delegate = now(_delegate)


class AsyncDelegationsApi(AsyncGroup):
    """The same for `await`."""

    delegate = later(_delegate)
