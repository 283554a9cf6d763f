"""`/v1`: talk about proposals: threads, objections, requests to review."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Present, Text
from control_plane.registry.discussed import Anchor, Objection, Requested, Thread
from control_plane.reviewing import objections, requested, threads

__all__ = ["router"]

router = routes()
Line = Annotated[int, Field(ge=1, le=1_000_000)]


class Lines(Body):
    """Lines of a file that the proposal writes, counted from 1."""

    kind: Text
    name: Text
    first: Line = 1
    last: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    def anchor(self) -> Anchor:
        """Return the record."""
        return Anchor(self.kind, self.name, self.first, self.last)


class Commenting(Body):
    """A comment, on lines if they are named."""

    text: Text
    lines: Lines | None = None


class Replying(Body):
    """A reply in a thread."""

    text: Text


class Objecting(Body):
    """An objection: in which role, why, to which manifest digest, on lines if they are named."""

    role: Text
    reason: Text
    manifest: Text
    lines: Lines | None = None


class TakingBack(Present):
    """Why an objection is taken back, and by whom: as strong as a signature."""

    reason: Text = ""


class Requesting(Body):
    """Whom to ask, by login or id, and in which roles; `my_role` is that of who asks, "" for the only one that fits."""

    people: list[Text] = Field(default_factory=list)
    roles: list[Text] = Field(default_factory=list)
    my_role: Text = ""


class Ending(Body):
    """Who is asked no longer: a person, or a role; `my_role` is that of who asks no longer."""

    person: Text = ""
    role: Text = ""
    my_role: Text = ""


@router.get("/proposals/{number}/threads")
def list_threads(plane: Plane, _actor: Actor, number: Number) -> tuple[Thread, ...]:
    """Return the threads of a proposal in the order in which they began."""
    return threads.list_threads(plane, number)


@router.post("/proposals/{number}/threads", status_code=201)
def comment(plane: Plane, actor: Actor, number: Number, *, body: Commenting) -> Thread:
    """Begin a thread."""
    anchor = body.lines.anchor() if body.lines else None
    return threads.comment(plane, actor.person, number, text=body.text, anchor=anchor)


@router.post("/proposals/{number}/threads/{thread}/comments", status_code=201)
def reply(plane: Plane, actor: Actor, number: Number, *, thread: Number, body: Replying) -> Thread:
    """Reply in a thread."""
    return threads.reply(plane, actor.person, number, thread=thread, text=body.text)


@router.post("/proposals/{number}/threads/{thread}/resolve")
def resolve(plane: Plane, actor: Actor, number: Number, *, thread: Number) -> Thread:
    """Resolve a thread."""
    return threads.resolve(plane, actor.person, number, thread=thread)


@router.post("/proposals/{number}/threads/{thread}/reopen")
def reopen(plane: Plane, actor: Actor, number: Number, *, thread: Number) -> Thread:
    """Reopen a thread."""
    return threads.reopen(plane, actor.person, number, thread=thread)


@router.post("/proposals/{number}/objections", status_code=201)
def object_to(plane: Plane, actor: Actor, number: Number, *, body: Objecting) -> Objection:
    """Object: nothing is released until this is taken back or the content changes."""
    anchor = body.lines.anchor() if body.lines else None
    return objections.object_to(
        plane, actor.person, number, role=body.role, reason=body.reason, manifest=body.manifest, anchor=anchor
    )


@router.post("/proposals/{number}/objections/take-back", status_code=204)
def take_back(plane: Plane, request: Request, actor: Actor, *, number: Number, body: TakingBack) -> None:
    """Take back one's own objection or rejection."""
    objections.take_back(plane, actor.person, number, present=body.present(request), reason=body.reason)


@router.post("/proposals/{number}/requests", status_code=201)
def request(plane: Plane, actor: Actor, number: Number, *, body: Requesting) -> tuple[Requested, ...]:
    """Ask people, or anybody in some roles, to look at a proposal."""
    asked, role = body.people, body.my_role
    return requested.request(plane, actor.person, number, persons=asked, roles=body.roles, my_role=role)


@router.post("/proposals/{number}/requests/end")
def end_request(plane: Plane, actor: Actor, number: Number, *, body: Ending) -> tuple[Requested, ...]:
    """Ask somebody, or a role, no longer."""
    who, role = body.person, body.my_role
    return requested.end_request(plane, actor.person, number, person=who, role=body.role, my_role=role)
