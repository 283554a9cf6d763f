"""`/v1`: keys of people: a new one with a code, one of their own, the end of one whose passphrase is forgotten.

Who may: whoever has the code enrols with it; what concerns somebody else takes an administrator.
"""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import Field

from control_plane.accounts import retiring
from control_plane.accounts.people import Person
from control_plane.api.accounts import Invited
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Text, require_same_site
from control_plane.reviewing import own_keys
from edge_runtime.core.errors import InvalidDocument

__all__ = ["router"]

router = routes()


class Renewing(Body):
    """A code that an administrator handed out, and the passphrase of the new key."""

    code: Text = Field(repr=False)
    passphrase: Text = Field(repr=False)


class Retiring(Explained):
    """Why somebody's key is retired, and the administrator's passphrase."""


class OwnKey(Body):
    """A key that somebody keeps themselves: the public half, and the proof of holding the other, in hex."""

    public: Text
    proof: Text

    def halves(self) -> dict[str, bytes]:
        """Return both as the use cases take them. Raises: InvalidDocument: other characters than hex digits."""
        try:
            return {"public_key": bytes.fromhex(self.public), "proof": bytes.fromhex(self.proof)}
        except ValueError:
            raise InvalidDocument("expected hex digits, got other characters") from None


class OwnKeyByCode(OwnKey):
    """The same with the code that an administrator handed out."""

    code: Text = Field(repr=False)


@router.post("/people/{person}/retired-key", status_code=201)
def retire_key(plane: Plane, actor: Actor, person: Text, *, response: Response, body: Retiring) -> Invited:
    """Retire the key of somebody who forgot their passphrase, as another administrator; the code enrols a new one."""
    response.headers["Cache-Control"] = "no-store"
    return Invited(retiring.retire_key(plane, actor.person, person, reason=body.reason, passphrase=body.passphrase))


@router.post("/people/{person}/own-key", status_code=201)
def enrol_own_key(plane: Plane, actor: Actor, person: Text, *, body: OwnKey) -> Person:
    """Enrol a key that somebody keeps themselves, as an administrator: from now on no server can sign for them."""
    return own_keys.enrol_own_key(plane, actor.person, person, **body.halves())


@router.post("/keys", status_code=201)
def enrol_key(plane: Plane, request: Request, body: Renewing) -> Person:
    """Enrol a new key with a code that an administrator handed out; nobody need be signed in."""
    require_same_site(request)
    return retiring.enrol_key(plane, body.code, body.passphrase)


@router.post("/keys/own", status_code=201)
def enrol_own_key_by_code(plane: Plane, request: Request, body: OwnKeyByCode) -> Person:
    """Enrol a key of one's own with a code that an administrator handed out; nobody need be signed in."""
    require_same_site(request)
    return own_keys.enrol_with_code(plane, body.code, **body.halves())
