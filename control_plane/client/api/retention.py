"""`/v1/retention`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.retention import SettingChanged
from control_plane.client.records.shared import Proving

__all__ = ["AsyncRetentionApi", "RetentionApi"]


def _get() -> Call[Mapping[str, str]]:
    """Return how long texts are kept, in days after their month, and whether reading the log is logged."""
    return Call("GET", "/v1/retention", Mapping[str, str])


def _change_retention(
    name: str,
    *,
    reason: str,
    value: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    role: str | None = None,
) -> Call[SettingChanged]:
    """Change a setting; the log says so before it takes effect."""
    return Call(
        "PUT",
        f"/v1/retention/{segment(name)}",
        SettingChanged,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, value=value, passphrase=passphrase, proof=proof, role=role),
    )


class RetentionApi(Group):
    """`/v1/retention`, one call after the other."""

    get = now(_get)
    change_retention = now(_change_retention)


class AsyncRetentionApi(AsyncGroup):
    """The same for `await`."""

    get = later(_get)
    change_retention = later(_change_retention)
