"""`/v1`: prompts, releases, withdrawals."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from control_plane.api.shared import Actor, Body, Number, Plane, Text
from control_plane.diffs.words import FieldDiff
from control_plane.registry import queries, releases
from control_plane.registry.records import (
    PromptDetail,
    PromptInfo,
    Release,
    Withdrawal,
)
from control_plane.requests.paging import Paging

__all__ = ["router"]

router = APIRouter()


class Withdrawing(Body):
    """What to withdraw on a channel, by name or digest, and why."""

    target: Text
    reason: Text
    passphrase: Text = Field(repr=False)
    channel: Text = ""


class Health(Body):
    """That the server answers, and the number of the live release (0 before the first)."""

    status: str
    release: int


@router.get("/health")
def health(plane: Plane) -> Health:
    """Say that the server answers."""
    manifest = queries.live_manifest(plane)
    return Health(status="ok", release=manifest.number if manifest else 0)


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


@router.post("/proposals/{number}/release", status_code=201)
def release(plane: Plane, actor: Actor, number: Number) -> Release:
    """Release an approved proposal."""
    return releases.release(plane, actor.id, number)


@router.get("/releases")
def list_releases(plane: Plane, _actor: Actor, page: Paging, *, channel: Text = "") -> tuple[Release, ...]:
    """Return all releases of a channel, newest first."""
    return page.cut(queries.list_releases(plane, channel=channel), lambda release: release.number, falling=True)


@router.get("/withdrawals")
def list_withdrawals(plane: Plane, _actor: Actor, page: Paging, *, channel: Text = "") -> tuple[Withdrawal, ...]:
    """Return all withdrawals on a channel, newest first."""
    found = queries.list_withdrawals(plane, channel=channel)
    numbered = [(len(found) - at, withdrawal) for at, withdrawal in enumerate(found)]  # the list only grows
    return tuple(withdrawal for _, withdrawal in page.cut(numbered, lambda pair: pair[0], falling=True))


@router.post("/withdrawals", status_code=201)
def withdraw(plane: Plane, actor: Actor, body: Withdrawing) -> Withdrawal:
    """Withdraw a prompt."""
    return releases.withdraw(
        plane,
        actor.id,
        target=body.target,
        reason=body.reason,
        passphrase=body.passphrase,
        channel=body.channel,
    )
