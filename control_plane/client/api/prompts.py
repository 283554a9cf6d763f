"""`/v1/prompts`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import (
    AsyncGroup,
    Call,
    Group,
    Paged,
    given,
    later,
    later_items,
    now,
    now_items,
    segment,
)
from control_plane.client.records.prompts import PromptDetail, PromptInfo
from control_plane.client.records.shared import FieldDiff

__all__ = ["AsyncPromptsApi", "PromptsApi"]


def _list(*, channel: str | None = None, limit: int | None = None) -> Paged[PromptInfo]:
    """Return the live prompts and hand-offs of a channel."""
    return Paged(Call("GET", "/v1/prompts", tuple[PromptInfo, ...], query=given(channel=channel, limit=limit)))


def _get(name: str, *, channel: str | None = None) -> Call[PromptDetail]:
    """Return a live entry with its content, source and versions."""
    return Call("GET", f"/v1/prompts/{segment(name)}", PromptDetail, query=given(channel=channel))


def _diff(
    name: str, *, before: str | None = None, after: str | None = None, channel: str | None = None
) -> Call[tuple[FieldDiff, ...]]:
    """Return what differs between two versions of an entry."""
    return Call(
        "GET",
        f"/v1/prompts/{segment(name)}/diff",
        tuple[FieldDiff, ...],
        query=given(before=before, after=after, channel=channel),
    )


class PromptsApi(Group):
    """`/v1/prompts`, one call after the other."""

    list = now_items(_list)
    get = now(_get)
    diff = now(_diff)


class AsyncPromptsApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    get = later(_get)
    diff = later(_diff)
