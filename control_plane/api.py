"""The HTTP interface `/v1`: each route is one use case, as the person behind the bearer token.

Does not: decide anything, know statuses (see `app`), or show one person's text to somebody without a token.
The documented form of every request and answer is at `/v1/openapi.json`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from control_plane import ledger, people
from control_plane.errors import NotSignedIn, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import proposals, queries, releases, review
from control_plane.registry.diffs import FieldDiff
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

__all__ = ["router"]

router = APIRouter(prefix="/v1")


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("expected text without NUL and lone surrogates")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""Text that UTF-8 and every database can hold."""
Number: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Proposing(_Body):
    """A change to propose: YAML files by path, and entries to remove as pairs of kind and name."""

    title: Text
    files: dict[Text, Text]
    passphrase: Text = Field(repr=False)
    base: Text | None = None
    remove: list[tuple[Text, Text]] = []


class Editing(_Body):
    """A change of a proposal; `revision` is the one that the editor looked at."""

    files: dict[Text, Text] = {}
    passphrase: Text = Field(repr=False)
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    remove: list[tuple[Text, Text]] = []


class Reviewing(_Body):
    """An approval or a rejection; `manifest` is the digest of the proposal that the reviewer looked at."""

    role: Text
    reason: Text
    passphrase: Text = Field(repr=False)
    manifest: Text


class Withdrawing(_Body):
    """What to withdraw, by name or digest, and why."""

    target: Text
    reason: Text
    passphrase: Text = Field(repr=False)


class Health(_Body):
    """That the server answers, and the number of the live release (0 before the first)."""

    status: str
    release: int


def _plane(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.plane
    return plane


def _actor(request: Request) -> people.Person:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("expected a bearer token, got none")
    try:
        return people.person_of_token(_plane(request), token.strip())
    except Refused as error:
        raise NotSignedIn("expected a valid token, got another") from error


Plane: TypeAlias = Annotated[ControlPlane, Depends(_plane)]
Actor: TypeAlias = Annotated[people.Person, Depends(_actor)]


@router.get("/health")
def health(plane: Plane) -> Health:
    """Say that the server answers."""
    manifest = queries.live_manifest(plane)
    return Health(status="ok", release=manifest.number if manifest else 0)


@router.get("/people/me")
def me(actor: Actor) -> people.Person:
    """Return the person behind the token."""
    return actor


@router.get("/people")
def everybody(plane: Plane, _actor: Actor) -> tuple[people.Person, ...]:
    """Return everybody, by login."""
    return people.list_people(plane)


@router.get("/inbox")
def inbox(plane: Plane, actor: Actor) -> tuple[Task, ...]:
    """Return what this person can move on now."""
    return queries.inbox(plane, actor.id)


@router.get("/prompts")
def prompts(plane: Plane, _actor: Actor) -> tuple[PromptInfo, ...]:
    """Return the live prompts and hand-offs."""
    return queries.list_prompts(plane)


@router.get("/prompts/{name}")
def prompt(plane: Plane, _actor: Actor, name: Text) -> PromptDetail:
    """Return a live entry with its content, source and versions."""
    return queries.show_prompt(plane, name)


@router.get("/prompts/{name}/diff")
def prompt_diff(
    plane: Plane, _actor: Actor, name: Text, *, before: Text | None = None, after: Text | None = None
) -> tuple[FieldDiff, ...]:
    """Return what differs between two versions of an entry."""
    return queries.diff_prompt(plane, name, before=before, after=after)


@router.get("/proposals")
def list_proposals(plane: Plane, _actor: Actor, state: Text | None = None) -> tuple[Proposal, ...]:
    """Return proposals, newest first."""
    return queries.list_proposals(plane, state=state)


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
    )


@router.get("/proposals/{number}")
def proposal(plane: Plane, _actor: Actor, number: Number) -> ProposalDetail:
    """Return a proposal with all that is needed to decide about it."""
    return queries.show_proposal(plane, number)


@router.put("/proposals/{number}")
def edit(plane: Plane, actor: Actor, number: Number, *, body: Editing) -> Proposal:
    """Edit a proposal, which voids its approvals."""
    return proposals.edit(
        plane,
        actor.id,
        number,
        files=body.files,
        passphrase=body.passphrase,
        revision=body.revision,
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
def list_releases(plane: Plane, _actor: Actor) -> tuple[Release, ...]:
    """Return all releases, newest first."""
    return queries.list_releases(plane)


@router.get("/withdrawals")
def list_withdrawals(plane: Plane, _actor: Actor) -> tuple[Withdrawal, ...]:
    """Return all withdrawals, newest first."""
    return queries.list_withdrawals(plane)


@router.post("/withdrawals", status_code=201)
def withdraw(plane: Plane, actor: Actor, body: Withdrawing) -> Withdrawal:
    """Withdraw a prompt."""
    return releases.withdraw(plane, actor.id, target=body.target, reason=body.reason, passphrase=body.passphrase)


@router.get("/audit/search")
def audit_search(
    plane: Plane,
    _actor: Actor,
    *,
    act: Text = "",
    actor: Text = "",
    name: Text = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> tuple[ledger.LedgerLeaf, ...]:
    """Search the audit log, newest first."""
    return ledger.search(plane, act=act, actor=actor, name=name, since=since, until=until, limit=limit, before=before)


@router.get("/audit/verify")
def audit_verify(plane: Plane, _actor: Actor) -> ledger.LedgerReport:
    """Verify the whole audit log."""
    return ledger.verify(plane)


@router.get("/audit/checkpoint", response_class=PlainTextResponse)
def audit_checkpoint(plane: Plane) -> str:
    """Return the signed checkpoint of the audit log: public, as all of the log is."""
    return ledger.checkpoint(plane).decode()
