"""`/v1/unsigned`: what somebody with a key of their own signs before an act, and the act is carried out with it.

Each route carries the act out as far as the signatures and undoes it: nothing is stored. What was signed goes to the
route of the act itself, in `signed`.
"""

from __future__ import annotations

from control_plane.api import grants, releases
from control_plane.api.grants import Delegation, Grant, Second
from control_plane.api.proposals import Change, Duplicate, Edit, Rebase, Revision, proposed
from control_plane.api.releases import (
    Halt,
    OpenStage,
    Promote,
    Return,
    Review,
    RollBack,
    Withdraw,
    WithdrawChannel,
)
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Text
from control_plane.lifecycle import acts
from control_plane.reviewing import closing, drafts, proposals
from control_plane.reviewing.material import Material
from control_plane.reviewing.own_keys import unsigned
from control_plane.signing import Terms, Words

__all__ = ["router"]

router = routes("/unsigned")


class Asking(Body):
    """The version of a draft that its author looked at."""

    revision: Revision | None = None


@router.post("/proposals")
def unsigned_proposal(plane: Plane, actor: Actor, body: Change) -> Material:
    """Return what there is to sign of a proposal."""
    return unsigned(lambda proof: proposed(plane, actor.person, body, proof=proof), Material)


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
        ),
        Material,
    )


@router.post("/drafts/{number}")
def unsigned_draft(plane: Plane, actor: Actor, number: Number, *, body: Asking) -> Material:
    """Return what there is to sign of a draft."""
    return unsigned(
        lambda proof: drafts.propose_draft(plane, actor.person, number, passphrase=proof, revision=body.revision),
        Material,
    )


@router.post("/proposals/{number}/rebase")
def unsigned_rebase(plane: Plane, actor: Actor, number: Number, *, body: Rebase) -> Material:
    """Return what there is to sign of a rebase."""
    return unsigned(
        lambda proof: proposals.rebase(
            plane, actor.person, number, passphrase=proof, revision=body.revision, merged=body.merged
        ),
        Material,
    )


@router.post("/proposals/{number}/duplicate")
def unsigned_duplicate(plane: Plane, actor: Actor, number: Number, *, body: Duplicate) -> Material:
    """Return what there is to sign of a duplicate."""
    return unsigned(
        lambda proof: closing.duplicate(
            plane, actor.person, number, title=body.title, passphrase=proof, channel=body.channel
        ),
        Material,
    )


@router.post("/promotions")
def unsigned_promotion(plane: Plane, actor: Actor, body: Promote) -> Material:
    """Return what there is to sign of a promotion."""
    return unsigned(lambda proof: releases.promoted(plane, actor.person, body, proof=proof), Material)


@router.post("/rollbacks")
def unsigned_rollback(plane: Plane, actor: Actor, body: RollBack) -> Material:
    """Return what there is to sign of a rollback."""
    return unsigned(lambda proof: releases.rolled_back(plane, actor.person, body, proof=proof), Material)


@router.post("/returns")
def unsigned_return(plane: Plane, actor: Actor, body: Return) -> Material:
    """Return what there is to sign of a return."""
    return unsigned(
        lambda proof: acts.prepare_return(
            plane, actor.person, channel=body.channel, title=body.title, passphrase=proof
        ),
        Material,
    )


@router.post("/releases/{number}/review")
def unsigned_review(plane: Plane, actor: Actor, number: Number, *, body: Review) -> Material:
    """Return what there is to sign of the review of a break-glass release."""
    return unsigned(lambda proof: releases.reviewed(plane, actor.person, body, number=number, proof=proof), Material)


@router.post("/withdrawals")
def unsigned_withdrawal(plane: Plane, actor: Actor, body: Withdraw) -> Words:
    """Return what there is to sign of a withdrawal, for each channel."""
    return unsigned(lambda proof: releases.withdrawn(plane, actor.person, body, proof=proof), Words)


@router.post("/channels/{name}/withdrawal")
def unsigned_channel_withdrawal(plane: Plane, actor: Actor, name: Text, *, body: WithdrawChannel) -> Words:
    """Return what there is to sign of the withdrawal of a channel."""
    return unsigned(
        lambda proof: releases.channel_withdrawn(plane, actor.person, body, channel=name, proof=proof), Words
    )


@router.post("/channels/{name}/rollout")
def unsigned_opening(plane: Plane, actor: Actor, name: Text, *, body: OpenStage) -> Words:
    """Return what there is to sign of the opening of a stage."""
    return unsigned(lambda proof: releases.stage_opened(plane, actor.person, body, channel=name, proof=proof), Words)


@router.post("/channels/{name}/halt")
def unsigned_halt(plane: Plane, actor: Actor, name: Text, *, body: Halt) -> Words:
    """Return what there is to sign of the halt of a rollout."""
    return unsigned(lambda proof: releases.halted(plane, actor.person, body, channel=name, proof=proof), Words)


@router.post("/grants")
def unsigned_grant(plane: Plane, actor: Actor, body: Grant) -> Terms:
    """Return what the first of two people signs of a grant."""
    return unsigned(lambda proof: grants.proposed(plane, actor.person, body, proof=proof), Terms)


@router.post("/grants/{identity}/sign")
def unsigned_second(plane: Plane, actor: Actor, identity: Text, *, body: Second) -> Terms:
    """Return what the second of two people signs of a grant."""
    return unsigned(lambda proof: grants.seconded(plane, actor.person, body, identity=identity, proof=proof), Terms)


@router.post("/delegations")
def unsigned_delegation(plane: Plane, actor: Actor, body: Delegation) -> Terms:
    """Return what whoever will be away signs of a delegation."""
    return unsigned(lambda proof: grants.delegated(plane, actor.person, body, proof=proof), Terms)
