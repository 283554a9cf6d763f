"""`/v1`: the inbox and proposals: lists, proposing, editing, checking, deciding. Talk about them is in `discussion`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Signing, Text
from control_plane.errors import Unguarded
from control_plane.overview import batches, listing, queries
from control_plane.plane import ControlPlane
from control_plane.policy.checks.records import CheckResult
from control_plane.registry.discussed import BatchItem, Conflicting
from control_plane.registry.records import Proposal, ProposalDetail, Task
from control_plane.requests.etags import matched
from control_plane.requests.paging import Paging
from control_plane.reviewing import closing, conflicts, own_keys, proposals, review, trials
from control_plane.reviewing.material import Material
from control_plane.signing import Elsewhere
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject

__all__ = ["Change", "Duplicate", "Edit", "Rebase", "Revision", "proposed", "router"]

router = routes()
Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]
Percent = Annotated[int, Field(ge=1, le=100)]


class Window(Body):
    """When a trial on a channel ends, and what happens then: keep, or return."""

    ends_at: AwareDatetime
    then: Text


class Change(Body):
    """A change to propose: YAML files by path, entries to remove as pairs of kind and name, stages of the rollout."""

    title: Text
    files: dict[Text, Text]
    base: Text | None = None
    remove: list[tuple[Text, Text]] = Field(default_factory=list)
    channel: Text = ""
    emergency: bool = False
    stages: list[Percent] = Field(default_factory=list, max_length=20)
    window: Window | None = None


class Proposing(Signing, Change):
    """A change with what signs it; `signed` is for those who keep their key themselves: see `/v1/unsigned`."""


class Edit(Body):
    """A change of a proposal; `revision` is the one that the editor looked at."""

    files: dict[Text, Text] = Field(default_factory=dict)
    revision: Revision | None = None
    remove: list[tuple[Text, Text]] = Field(default_factory=list)


class Editing(Signing, Edit):
    """A change of a proposal with what signs it, as for a new one."""


class Reviewing(Body):
    """An approval or a rejection; `manifest` is the digest of the proposal that the reviewer looked at."""

    role: Text
    reason: Text
    passphrase: Text = Field(repr=False)
    manifest: Text


class Finding(BaseModel):
    """What proposals to list: everything that is given must match; `limit` and `cursor` stand beside it.

    `waiting` is what the person who asks can move on, `waiting_for` what somebody can, by login or id.
    """

    model_config = ConfigDict(frozen=True)

    state: Text = ""
    channel: Text = ""
    author: Text = ""
    kind: Text = ""
    name: Text = ""
    words: Text = ""
    waiting: bool = False
    waiting_for: Text = ""


class Rebase(Body):
    """A rebase; `merged` takes the merged text of files whose changes are in other lines only."""

    revision: Revision | None = None
    merged: bool = False


class Rebasing(Signing, Rebase):
    """A rebase with what signs it."""


class Closing(Body):
    """Why a proposal is closed."""

    reason: Text = ""


class Duplicate(Body):
    """A new proposal with what another has, on its channel or on one that is named."""

    title: Text
    channel: Text = ""


class Duplicating(Signing, Duplicate):
    """A duplicate with what signs it."""


class Item(Body):
    """One proposal of a batch."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    manifest: Text
    role: Text
    reason: Text


class Batch(Signing):
    """Proposals that one person opened and approves with one re-authentication, or one statement for each item."""

    items: list[Item]


class Signed(Body):
    """A statement signed with the person's own key, and the reason that it commits to, with its salt in base64."""

    envelope: JsonObject
    reason: Text
    salt: Text


@router.get("/inbox")
def inbox(plane: Plane, actor: Actor, page: Paging) -> tuple[Task, ...]:
    """Return what this person can move on now; first what they were asked to look at."""
    found = listing.inbox(plane, actor.person, limit=listing.MOST)
    found = tuple(sorted(found, key=lambda task: (task.requested, task.proposal.number), reverse=True))
    return page.cut(found, lambda task: (int(task.requested), task.proposal.number), falling=True)


@router.get("/proposals")
def list_proposals(
    plane: Plane, actor: Actor, page: Paging, *, find: Annotated[Finding, Query()]
) -> tuple[Proposal, ...]:
    """Return the proposals that match everything that is given, newest first."""
    search = listing.Search(
        state=find.state,
        channel=find.channel,
        author=find.author,
        kind=find.kind,
        name=find.name,
        words=find.words,
        waiting_for=find.waiting_for or (actor.person if find.waiting else ""),
        before=page.number(),
        limit=page.limit + 1,
    )
    return page.link(listing.find_proposals(plane, search), lambda proposal: (proposal.number,))


@router.post("/proposals", status_code=201)
def propose(plane: Plane, actor: Actor, body: Proposing) -> Proposal:
    """Propose a change."""
    return proposed(plane, actor.person, body, proof=body.proof())


def proposed(plane: ControlPlane, author: str, body: Change, *, proof: str | Elsewhere) -> Proposal:
    """Propose what a request says, with what signs it."""
    return proposals.propose(
        plane,
        author,
        files=body.files,
        title=body.title,
        passphrase=proof,
        base=body.base,
        remove=body.remove,
        channel=body.channel,
        emergency=body.emergency,
        stages=body.stages,
        window=trials.Window(body.window.ends_at, body.window.then) if body.window else None,
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
        actor.person,
        number,
        files=body.files,
        passphrase=body.proof(),
        revision=revision,
        remove=body.remove,
    )


@router.post("/proposals/{number}/check")
def check(plane: Plane, actor: Actor, number: Number) -> tuple[CheckResult, ...]:
    """Run every check."""
    return review.check(plane, actor.person, number)


@router.post("/proposals/{number}/approve")
def approve(plane: Plane, actor: Actor, number: Number, *, body: Reviewing) -> Proposal:
    """Approve a proposal."""
    return review.approve(
        plane,
        actor.person,
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
        actor.person,
        number,
        role=body.role,
        reason=body.reason,
        passphrase=body.passphrase,
        manifest=body.manifest,
    )


@router.post("/proposals/{number}/open")
def open_proposal(plane: Plane, actor: Actor, number: Number) -> ProposalDetail:
    """Return a proposal as it is now, and record that this person was shown it: what a batch asks for."""
    return batches.open_proposal(plane, actor.person, number)


@router.post("/approvals")
def approve_batch(plane: Plane, actor: Actor, body: Batch) -> tuple[Proposal, ...]:
    """Approve several proposals that this person opened, all or none."""
    items = [BatchItem(one.number, one.manifest, one.role, one.reason) for one in body.items]
    return batches.approve_batch(plane, actor.person, items, passphrase=body.proof())


@router.get("/proposals/{number}/material")
def material(plane: Plane, _actor: Actor, number: Number) -> Material:
    """Return what somebody needs to decide where their own key is, without believing this server."""
    return own_keys.material_of(plane, number)


@router.post("/proposals/{number}/statements")
def take_statement(plane: Plane, actor: Actor, number: Number, *, body: Signed) -> Proposal:
    """Take an approval or a rejection that was signed with the person's own key."""
    salt = dsse.decode_base64(body.salt)
    return own_keys.take_statement(plane, actor.person, number, envelope=body.envelope, reason=body.reason, salt=salt)


@router.get("/proposals/{number}/conflicts")
def list_conflicts(plane: Plane, _actor: Actor, number: Number) -> tuple[Conflicting, ...]:
    """Return the files that the live release changed as well, with the text of each side."""
    return conflicts.conflicts_of(plane, number)


@router.post("/proposals/{number}/rebase")
def rebase(plane: Plane, actor: Actor, number: Number, *, body: Rebasing) -> Proposal:
    """Put a stale proposal on the live release, which voids its approvals."""
    return proposals.rebase(
        plane, actor.person, number, passphrase=body.proof(), revision=body.revision, merged=body.merged
    )


@router.post("/proposals/{number}/close")
def close(plane: Plane, actor: Actor, number: Number, *, body: Closing) -> Proposal:
    """Close a proposal for good."""
    return closing.close(plane, actor.person, number, reason=body.reason)


@router.post("/proposals/{number}/duplicate", status_code=201)
def duplicate(plane: Plane, actor: Actor, number: Number, *, body: Duplicating) -> Proposal:
    """Propose what another proposal has; no approval comes along."""
    return closing.duplicate(
        plane, actor.person, number, title=body.title, passphrase=body.proof(), channel=body.channel
    )
