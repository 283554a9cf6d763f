"""`/v1/library`: what is live, listed and searched; folders and tags with counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query as Parameter

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Plane, Text
from control_plane.registry import library
from control_plane.registry.library import Count, Detail, Page, Query

__all__ = ["router"]

router = routes()
Limit = Annotated[int, Parameter(ge=1, le=library.MAX_LIMIT)]


@router.get("/library")
def search(
    plane: Plane,
    _actor: Actor,
    *,
    words: Text = "",
    kind: Text = "",
    folder: Text = "",
    tag: Text = "",
    owner: Text = "",
    locale: Text = "",
    tier: Text = "",
    stale: bool | None = None,
    withdrawn: bool | None = None,
    after: Text = "",
    limit: Limit = 50,
    channel: Text = "",
) -> Page:
    """Return a page of live entries; `after` is the `next` of the page before."""
    query = Query(
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
    )
    return library.search(plane, query, channel=channel)


@router.get("/library/folders")
def folders(plane: Plane, _actor: Actor, *, channel: Text = "") -> tuple[Count, ...]:
    """Return the folders, each with how many live entries are in it and below."""
    return library.folders(plane, channel=channel)


@router.get("/library/tags")
def tags(plane: Plane, _actor: Actor, *, channel: Text = "") -> tuple[Count, ...]:
    """Return the tags, each with how many live entries have it."""
    return library.tags(plane, channel=channel)


@router.get("/library/{kind}/{name}")
def show(plane: Plane, _actor: Actor, kind: Text, *, name: Text, channel: Text = "") -> Detail:
    """Return a live entry with its content, source, versions, and what it relies on and is used by; kind may be any."""
    return library.show(plane, name, kind="" if kind == "any" else kind, channel=channel)
