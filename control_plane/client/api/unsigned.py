"""`/v1/unsigned`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.shared import Material, Window

__all__ = ["AsyncUnsignedApi", "UnsignedApi"]


def _proposal(
    *,
    title: str,
    files: Mapping[str, str],
    if_match: str | None = None,
    base: str | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
    channel: str | None = None,
    emergency: bool | None = None,
    stages: Sequence[int] | None = None,
    window: Window | None = None,
) -> Call[Material]:
    """Return what there is to sign of a proposal."""
    return Call(
        "POST",
        "/v1/unsigned/proposals",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(
            title=title,
            files=files,
            base=base,
            remove=remove,
            channel=channel,
            emergency=emergency,
            stages=stages,
            window=window,
        ),
    )


def _edit(
    number: int,
    *,
    if_match: str | None = None,
    files: Mapping[str, str] | None = None,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
) -> Call[Material]:
    """Return what there is to sign of an edit of a proposal."""
    return Call(
        "POST",
        f"/v1/unsigned/proposals/{segment(number)}",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(files=files, revision=revision, remove=remove),
    )


def _draft(number: int, *, if_match: str | None = None, revision: int | None = None) -> Call[Material]:
    """Return what there is to sign of a draft."""
    return Call(
        "POST",
        f"/v1/unsigned/drafts/{segment(number)}",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(revision=revision),
    )


class UnsignedApi(Group):
    """`/v1/unsigned`, one call after the other."""

    proposal = now(_proposal)
    edit = now(_edit)
    draft = now(_draft)


class AsyncUnsignedApi(AsyncGroup):
    """The same for `await`."""

    proposal = later(_proposal)
    edit = later(_edit)
    draft = later(_draft)
