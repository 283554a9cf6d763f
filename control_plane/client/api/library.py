"""`/v1/library`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.library import Count, Detail, Page

__all__ = ["AsyncLibraryApi", "LibraryApi"]


def _search(
    *,
    words: str | None = None,
    kind: str | None = None,
    folder: str | None = None,
    tag: str | None = None,
    owner: str | None = None,
    locale: str | None = None,
    tier: str | None = None,
    stale: bool | None = None,
    withdrawn: bool | None = None,
    after: str | None = None,
    limit: int | None = None,
    channel: str | None = None,
) -> Call[Page]:
    """Return a page of live entries; `after` is the `next` of the page before."""
    return Call(
        "GET",
        "/v1/library",
        Page,
        query=given(
            words=words,
            kind=kind,
            folder=folder,
            tag=tag,
            owner=owner,
            locale=locale,
            tier=tier,
            stale=stale,
            withdrawn=withdrawn,
            after=after,
            limit=limit,
            channel=channel,
        ),
    )


def _folders(*, channel: str | None = None) -> Call[tuple[Count, ...]]:
    """Return the folders, each with how many live entries are in it and below."""
    return Call("GET", "/v1/library/folders", tuple[Count, ...], query=given(channel=channel))


def _tags(*, channel: str | None = None) -> Call[tuple[Count, ...]]:
    """Return the tags, each with how many live entries have it."""
    return Call("GET", "/v1/library/tags", tuple[Count, ...], query=given(channel=channel))


def _show(kind: str, name: str, *, channel: str | None = None) -> Call[Detail]:
    """Return a live entry with its content, source, versions, and what it relies on and is used by; kind may be any."""
    return Call("GET", f"/v1/library/{segment(kind)}/{segment(name)}", Detail, query=given(channel=channel))


class LibraryApi(Group):
    """`/v1/library`, one call after the other."""

    search = now(_search)
    folders = now(_folders)
    tags = now(_tags)
    show = now(_show)


class AsyncLibraryApi(AsyncGroup):
    """The same for `await`."""

    search = later(_search)
    folders = later(_folders)
    tags = later(_tags)
    show = later(_show)
