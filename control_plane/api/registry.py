"""`/v1`: prompts, proposals, releases, withdrawals."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from control_plane.api.shared import Actor, Body, Number, Plane, Text
from control_plane.diffs.words import FieldDiff
from control_plane.errors import Unguarded
from control_plane.registry import proposals, queries, releases, review
from control_plane.registry.records import (
    CheckResult,
    PromptDetail,
    PromptInfo,
    Proposal,
    ProposalDetail,
    Release,
    Task,
    Withdrawal,
)
from control_plane.requests.etags import matched
from control_plane.requests.paging import Paging

__all__ = ["router"]

router = APIRouter()


class Proposing(Body):
    """A change to propose: YAML files by path, and entries to remove as pairs of kind and name."""

    title: Text
    files: dict[Text, Text]
    passphrase: Text = Field(default="", repr=False)
    base: Text | None = None
    remove: list[tuple[Text, Text]] = Field(default_factory=list)
    channel: Text = ""


class Editing(Body):
    """A change of a proposal; `revision` is the one that the editor looked at."""

    files: dict[Text, Text] = Field(default_factory=dict)
    passphrase: Text = Field(default="", repr=False)
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    remove: list[tuple[Text, Text]] = Field(default_factory=list)


class Reviewing(Body):
    """An approval or a rejection; `manifest` is the digest of the proposal that the reviewer looked at."""

    role: Text
    reason: Text
    passphrase: Text = Field(repr=False)
    manifest: Text


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


@router.get("/inbox")
def inbox(plane: Plane, actor: Actor, page: Paging) -> tuple[Task, ...]:
    """Return what this person can move on now."""
    return page.cut(queries.inbox(plane, actor.id), lambda task: task.proposal.number, falling=True)


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


@router.get("/proposals")
def list_proposals(
    plane: Plane, _actor: Actor, page: Paging, *, state: Text | None = None, channel: Text = ""
) -> tuple[Proposal, ...]:
    """Return proposals, newest first."""
    found = queries.list_proposals(plane, state=state, channel=channel)
    return page.cut(found, lambda proposal: proposal.number, falling=True)


@router.post("/proposals", status_code=201)
def propose(plane: Plane, actor: Actor, body: Proposing) -> Proposal:
    """Propose a change."""
    return proposals.propose(
        plane,
        actor.id,
        files=body.files,
        title=body.title,
        passphrase=body.passphrase,
        base=body.base,
        remove=body.remove,
        channel=body.channel,
    )


@router.get("/proposals/{number}")
def proposal(plane: Plane, _actor: Actor, number: Number) -> ProposalDetail:
    """Return a proposal with all that is needed to decide about it."""
    return queries.show_proposal(plane, number)


@router.put("/proposals/{number}")
def edit(plane: Plane, actor: Actor, number: Number, *, body: Editing, request: Request) -> Proposal:
    """Edit a proposal, which voids its approvals; `revision` or If-Match says what the editor looked at."""
    seen = matched(request.scope)
    revision = body.revision or (seen["proposal"]["revision"] if seen else None)
    if revision is None:
        raise Unguarded("expected the revision that the editor looked at, or If-Match, got neither")
    return proposals.edit(
        plane,
        actor.id,
        number,
        files=body.files,
        passphrase=body.passphrase,
        revision=revision,
        remove=body.remove,
    )


@router.post("/proposals/{number}/check")
def check(plane: Plane, actor: Actor, number: Number) -> tuple[CheckResult, ...]:
    """Run every check."""
    return review.check(plane, actor.id, number)


@router.post("/proposals/{number}/approve")
def approve(plane: Plane, actor: Actor, number: Number, *, body: Reviewing) -> Proposal:
    """Approve a proposal."""
    return review.approve(
        plane,
        actor.id,
        number,
        role=body.role,
        reason=body.reason,
        passphrase=body.passphrase,
        manifest=body.manifest,
    )


@router.post("/proposals/{number}/reject")
def reject(plane: Plane, actor: Actor, number: Number, *, body: Reviewing) -> Proposal:
    """Reject a proposal."""
    return review.reject(
        plane,
        actor.id,
        number,
        role=body.role,
        reason=body.reason,
        passphrase=body.passphrase,
        manifest=body.manifest,
    )


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
