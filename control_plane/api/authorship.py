"""`/v1/unsigned`: what an author with a key of their own signs before they propose, edit, or propose a draft.

Each route carries the act out as far as the signature and undoes it: nothing is stored. What was signed goes to the
route of the act itself, in `signed`.
"""

from __future__ import annotations

from control_plane.api.proposals import Change, Edit, Revision, proposed
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane
from control_plane.registry import proposals
from control_plane.reviewing import drafts
from control_plane.reviewing.material import Material
from control_plane.reviewing.own_keys import unsigned

__all__ = ["router"]

router = routes("/unsigned")


class Asking(Body):
    """The version of a draft that its author looked at."""

    revision: Revision | None = None


@router.post("/proposals")
def unsigned_proposal(plane: Plane, actor: Actor, body: Change) -> Material:
    """Return what there is to sign of a proposal."""
    return unsigned(lambda proof: proposed(plane, actor.person, body, proof=proof))


@router.post("/proposals/{number}")
def unsigned_edit(plane: Plane, actor: Actor, number: Number, *, body: Edit) -> Material:
    """Return what there is to sign of an edit of a proposal."""
    return unsigned(
        lambda proof: proposals.edit(
            plane,
            actor.person,
            number,
            files=body.files,
            passphrase=proof,
            revision=body.revision,
            remove=body.remove,
        )
    )


@router.post("/drafts/{number}")
def unsigned_draft(plane: Plane, actor: Actor, number: Number, *, body: Asking) -> Material:
    """Return what there is to sign of a draft."""
    return unsigned(
        lambda proof: drafts.propose_draft(plane, actor.person, number, passphrase=proof, revision=body.revision)
    )
