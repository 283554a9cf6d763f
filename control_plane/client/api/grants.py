"""`/v1/grants`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.grants import Checklist
from control_plane.client.records.shared import GrantRecord, Proving, Stated

__all__ = ["AsyncGrantsApi", "GrantsApi"]


def _list(*, person: str | None = None, in_force: bool | None = None) -> Call[tuple[GrantRecord, ...]]:
    """Return grants and delegations, newest first."""
    return Call("GET", "/v1/grants", tuple[GrantRecord, ...], query=given(person=person, in_force=in_force))


def _propose_grant(
    *,
    person: str,
    role: str,
    reason: str,
    if_match: str | None = None,
    since: datetime | None = None,
    days: int | None = None,
    previous: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[GrantRecord]:
    """Sign a grant as the first of two people."""
    return Call(
        "POST",
        "/v1/grants",
        GrantRecord,
        headers=given(**{"If-Match": if_match}),
        body=given(
            person=person,
            role=role,
            reason=reason,
            since=since,
            days=days,
            previous=previous,
            passphrase=passphrase,
            signed=signed,
        ),
    )


def _sign_grant(
    identity: str,
    *,
    digest: str,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[GrantRecord]:
    """Sign a grant as the second person: it is in force then."""
    return Call(
        "POST",
        f"/v1/grants/{segment(identity)}/sign",
        GrantRecord,
        headers=given(**{"If-Match": if_match}),
        body=given(digest=digest, reason=reason, passphrase=passphrase, signed=signed),
    )


def _end_grant(
    identity: str,
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[GrantRecord]:
    """End a grant or a delegation at once."""
    return Call(
        "POST",
        f"/v1/grants/{segment(identity)}/end",
        GrantRecord,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof),
    )


def _what_is_open(identity: str) -> Call[Checklist]:
    """Return what is open for the role of a grant."""
    return Call("GET", f"/v1/grants/{segment(identity)}/open", Checklist)


def _take_over(
    identity: str,
    *,
    digest: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[GrantRecord]:
    """Take note of what is open, as the successor, and hold the role from then on."""
    return Call(
        "POST",
        f"/v1/grants/{segment(identity)}/take-over",
        GrantRecord,
        headers=given(**{"If-Match": if_match}),
        body=given(digest=digest, passphrase=passphrase, proof=proof),
    )


class GrantsApi(Group):
    """`/v1/grants`, one call after the other."""

    list = now(_list)
    propose_grant = now(_propose_grant)
    sign_grant = now(_sign_grant)
    end_grant = now(_end_grant)
    what_is_open = now(_what_is_open)
    take_over = now(_take_over)


class AsyncGrantsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    propose_grant = later(_propose_grant)
    sign_grant = later(_sign_grant)
    end_grant = later(_end_grant)
    what_is_open = later(_what_is_open)
    take_over = later(_take_over)
