"""`/v1`: the checks that are installed, whether a contract is compatible, and what a proposal changes for people."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Text
from control_plane.policy.checks.running import required
from control_plane.registry import compatible, effects

__all__ = ["router"]

router = routes()


class Asking(Body):
    """Scripts to hold against the live ones: YAML files by path; a mode to ask for instead of those that apply."""

    files: Annotated[dict[Text, Text], Field(min_length=1)]
    channel: Text = ""
    mode: Text = ""


@router.get("/checks")
def checks(_plane: Plane, _actor: Actor) -> dict[str, str]:
    """Return the checks that a proposal must pass, with their versions."""
    return required()


@router.post("/compatibility")
def compatibility(plane: Plane, _actor: Actor, body: Asking) -> tuple[compatible.Verdict, ...]:
    """Say whether scripts would break those who call them or read their outputs; nothing is stored."""
    return compatible.dry_run(plane, body.files, channel=body.channel, mode=body.mode)


@router.get("/proposals/{number}/effects")
def proposal_effects(plane: Plane, _actor: Actor, number: Number) -> effects.ProposalEffects:
    """Return what a proposal means, and what it changes for the person being coached."""
    return effects.show_effects(plane, number)
