"""`/v1/drafts`: what somebody works on before they propose it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Signing, Text
from control_plane.registry.discussed import DraftInfo, SavedDraft
from control_plane.registry.records import Proposal
from control_plane.requests.paging import Paging
from control_plane.reviewing import drafts

__all__ = ["router"]

router = routes()
Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Saving(Body):
    """A draft to save: YAML files by path, which need not read yet, and entries to remove."""

    title: Text
    files: dict[Text, Text] = Field(default_factory=dict)
    remove: list[tuple[Text, Text]] = Field(default_factory=list)
    channel: Text = ""


class SavingAgain(Body):
    """A further version of a draft, as a whole; `revision` is the one that its editor looked at."""

    revision: Revision
    title: Text | None = None
    files: dict[Text, Text] = Field(default_factory=dict)
    remove: list[tuple[Text, Text]] = Field(default_factory=list)


class Inviting(Body):
    """People by login or id."""

    people: list[Text]


class Proposing(Signing):
    """What signs, a passphrase or what was signed with the author's own key, and the version that they looked at."""

    revision: Revision | None = None


@router.get("/drafts")
def list_drafts(
    plane: Plane, actor: Actor, page: Paging, *, channel: Text = "", ended: bool = False
) -> tuple[DraftInfo, ...]:
    """Return the drafts that this person may see, newest first."""
    found = drafts.list_drafts(plane, actor.person, channel=channel, ended=ended)
    return page.cut(sorted(found, key=lambda one: one.id, reverse=True), lambda one: one.id, falling=True)


@router.post("/drafts", status_code=201)
def save_draft(plane: Plane, actor: Actor, body: Saving) -> DraftInfo:
    """Save a new draft; nothing is signed."""
    return drafts.save_draft(
        plane, actor.person, files=body.files, title=body.title, remove=body.remove, channel=body.channel
    )


@router.get("/drafts/{number}")
def show_draft(plane: Plane, actor: Actor, number: Number, *, revision: Revision | None = None) -> SavedDraft:
    """Return a draft as it was saved, and what stands in the way of proposing it."""
    return drafts.show_draft(plane, actor.person, number, revision=revision)


@router.put("/drafts/{number}")
def update_draft(plane: Plane, actor: Actor, number: Number, *, body: SavingAgain) -> DraftInfo:
    """Save a further version of a draft."""
    return drafts.update_draft(
        plane,
        actor.person,
        number,
        files=body.files,
        revision=body.revision,
        title=body.title,
        remove=body.remove,
    )


@router.delete("/drafts/{number}", status_code=204)
def discard_draft(plane: Plane, actor: Actor, number: Number) -> None:
    """Discard a draft with all its versions."""
    drafts.discard_draft(plane, actor.person, number)


@router.post("/drafts/{number}/invite")
def invite_to_draft(plane: Plane, actor: Actor, number: Number, *, body: Inviting) -> tuple[str, ...]:
    """Let people see and edit a draft; return everybody who is invited."""
    return drafts.invite(plane, actor.person, number, persons=body.people)


@router.post("/drafts/{number}/uninvite")
def uninvite_from_draft(plane: Plane, actor: Actor, number: Number, *, body: Inviting) -> tuple[str, ...]:
    """Let people no longer see a draft; return everybody who still is invited."""
    return drafts.uninvite(plane, actor.person, number, persons=body.people)


@router.post("/drafts/{number}/propose", status_code=201)
def propose_draft(plane: Plane, actor: Actor, number: Number, *, body: Proposing) -> Proposal:
    """Propose a draft, signed by its author."""
    return drafts.propose_draft(plane, actor.person, number, passphrase=body.proof(), revision=body.revision)
