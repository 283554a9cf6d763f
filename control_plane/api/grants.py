"""`/v1/roles`, `/v1/grants` and `/v1/delegations`: who holds which role now, and who says so.

Who may: everybody signed in reads them; administrators and whoever is enrolled for a role in which people approve signs
or ends a grant; a successor takes note of what is open; whoever holds a role by a grant of their own delegates it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import Field

from control_plane.accounts import people
from control_plane.accounts.people import HeldRole
from control_plane.api.audit import Moment
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Present, Signing, Text
from control_plane.granting import delegations, grants
from control_plane.granting.grants import GrantRecord, Making
from control_plane.overview import handover
from control_plane.overview.handover import Checklist
from control_plane.plane import ControlPlane
from control_plane.signing import Elsewhere

__all__ = ["Delegation", "Grant", "Second", "delegated", "proposed", "router", "seconded"]

router = routes()


class Grant(Body):
    """A grant to sign first; `previous` is the grant whose holder this one follows."""

    person: Text
    role: Text
    reason: Text
    since: Moment | None = None
    days: Annotated[int, Field(ge=0, le=366)] = 0
    previous: Text = ""


class Granting(Signing, Grant):
    """A grant with what signs it."""


class Second(Body):
    """The second signature of a grant: `digest` is that of the one that the signer looked at."""

    digest: Text
    reason: Text


class Seconding(Signing, Second):
    """The second signature with what makes it."""


class Ending(Explained):
    """Why a grant or delegation ends."""


class Noting(Present):
    """The digest of the list that the successor looked at."""

    digest: Text


class Delegation(Body):
    """Who acts in a role of mine, from when (now if nothing is said) until when."""

    person: Text
    role: Text
    until: Moment
    reason: Text
    since: Moment | None = None


class Delegating(Signing, Delegation):
    """A delegation with what signs it."""


@router.get("/roles")
def list_roles(plane: Plane, _actor: Actor) -> tuple[HeldRole, ...]:
    """Return who holds which role now, for whom if it was delegated, and until when."""
    return people.held_roles(plane)


@router.get("/grants")
def list_grants(plane: Plane, _actor: Actor, *, person: Text = "", in_force: bool = False) -> tuple[GrantRecord, ...]:
    """Return grants and delegations, newest first."""
    return grants.list_grants(plane, person=person, now_only=in_force)


@router.post("/grants", status_code=201)
def propose_grant(plane: Plane, actor: Actor, body: Granting) -> GrantRecord:
    """Sign a grant as the first of two people."""
    return proposed(plane, actor.person, body, proof=body.proof())


def proposed(plane: ControlPlane, person: str, body: Grant, *, proof: str | Elsewhere) -> GrantRecord:
    """Sign the grant that a request says, with what signs it."""
    making = Making(body.person, body.role, body.since, body.days, body.previous)
    return grants.propose(plane, person, making, reason=body.reason, passphrase=proof)


@router.post("/grants/{identity}/sign")
def sign_grant(plane: Plane, actor: Actor, identity: Text, *, body: Seconding) -> GrantRecord:
    """Sign a grant as the second person: it is in force then."""
    return seconded(plane, actor.person, body, identity=identity, proof=body.proof())


def seconded(plane: ControlPlane, person: str, body: Second, *, identity: str, proof: str | Elsewhere) -> GrantRecord:
    """Sign the grant that a request names as the second person, with what signs it."""
    return grants.sign(plane, person, identity, digest=body.digest, reason=body.reason, passphrase=proof)


@router.post("/grants/{identity}/end")
def end_grant(plane: Plane, request: Request, actor: Actor, *, identity: Text, body: Ending) -> GrantRecord:
    """End a grant or a delegation at once."""
    return grants.end(plane, actor.person, identity, reason=body.reason, passphrase=body.present(request))


@router.get("/grants/{identity}/open")
def what_is_open(plane: Plane, _actor: Actor, identity: Text) -> Checklist:
    """Return what is open for the role of a grant."""
    return handover.checklist(plane, identity)


@router.post("/grants/{identity}/take-over")
def take_over(plane: Plane, request: Request, actor: Actor, *, identity: Text, body: Noting) -> GrantRecord:
    """Take note of what is open, as the successor, and hold the role from then on."""
    present = body.present(request)
    return handover.acknowledge(plane, actor.person, identity, digest=body.digest, passphrase=present)


@router.post("/delegations", status_code=201)
def delegate(plane: Plane, actor: Actor, body: Delegating) -> GrantRecord:
    """Let another person act in a role of one's own while one is away."""
    return delegated(plane, actor.person, body, proof=body.proof())


def delegated(plane: ControlPlane, person: str, body: Delegation, *, proof: str | Elsewhere) -> GrantRecord:
    """Delegate what a request says, with what signs it."""
    return delegations.delegate(
        plane,
        person,
        person=body.person,
        role=body.role,
        until=body.until,
        reason=body.reason,
        passphrase=proof,
        since=body.since,
    )
