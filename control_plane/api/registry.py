"""`/v1`: health and prompts."""

from __future__ import annotations

from fastapi import Request

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Plane, Text
from control_plane.diffs.words import FieldDiff
from control_plane.overview import queries
from control_plane.registry.records import PromptDetail, PromptInfo
from control_plane.requests.paging import Paging

__all__ = ["router"]

router = routes()


class Health(Body):
    """That the server answers, the number of the live release (0 before the first), and what needs looking after."""

    status: str
    release: int
    warnings: tuple[str, ...] = ()


@router.get("/health")
def health(request: Request, plane: Plane) -> Health:
    """Say that the server answers, and what is due."""
    manifest, state = queries.live_manifest(plane), request.app.state
    warnings = (*state.warnings, *(state.keeper.warnings() if state.keeper else ()))
    return Health(status="ok", release=manifest.number if manifest else 0, warnings=warnings)


@router.get("/prompts")
def prompts(plane: Plane, _actor: Actor, page: Paging, *, channel: Text = "") -> tuple[PromptInfo, ...]:
    """Return the live prompts and hand-offs of a channel."""
    return page.cut(queries.list_prompts(plane, channel=channel), lambda prompt: (prompt.kind, prompt.name))


@router.get("/prompts/{name}")
def prompt(plane: Plane, _actor: Actor, name: Text, *, channel: Text = "") -> PromptDetail:
    """Return a live entry with its content, source and versions."""
    return queries.show_prompt(plane, name, channel=channel)


@router.get("/prompts/{name}/diff")
def prompt_diff(
    plane: Plane,
    _actor: Actor,
    name: Text,
    *,
    before: Text | None = None,
    after: Text | None = None,
    channel: Text = "",
) -> tuple[FieldDiff, ...]:
    """Return what differs between two versions of an entry."""
    return queries.diff_prompt(plane, name, before=before, after=after, channel=channel)
