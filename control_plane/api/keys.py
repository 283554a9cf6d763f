"""`/v1`: keys of people: a new one with a code, one of their own, the end of one whose passphrase is forgotten.

Who may: whoever has the codes enrols with them, or takes their key to themselves; an administrator retires another's.
"""

from __future__ import annotations

from fastapi import Request
from pydantic import Field

from control_plane.accounts import retiring
from control_plane.accounts.people import Person
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Present, Text, require_same_site
from control_plane.reviewing import own_keys
from edge_runtime.core.errors import InvalidDocument

__all__ = ["router"]

router = routes()


class Renewing(Body):
    """The code for a first key, or those of two people with a blank between them, and the passphrase of the key."""

    code: Text = Field(repr=False)
    passphrase: Text = Field(repr=False)


class Retiring(Explained):
    """Why somebody's key is retired, and that the administrator is here."""


class OwnKey(Body):
    """A key that somebody keeps themselves: the public half, and what the other signed to show it is theirs, in hex."""

    public: Text
    held: Text

    def halves(self) -> dict[str, bytes]:
        """Return both as the use cases take them. Raises: InvalidDocument: other characters than hex digits."""
        try:
            return {"public_key": bytes.fromhex(self.public), "proof": bytes.fromhex(self.held)}
        except ValueError:
            raise InvalidDocument("expected hex digits, got other characters") from None


class OwnKeyByCode(OwnKey):
    """The same with the code for a first key, or those of two people with a blank between them."""

    code: Text = Field(repr=False)


class TakingKey(OwnKey, Present):
    """The same with the passphrase of the key before, or a proof by it."""


@router.post("/people/{person}/retired-key", status_code=201)
def retire_key(plane: Plane, request: Request, actor: Actor, *, person: Text, body: Retiring) -> Person:
    """Retire the key of somebody who forgot their passphrase, as another administrator."""
    present = body.present(request)
    return retiring.retire_key(plane, actor.person, person, reason=body.reason, passphrase=present)


@router.post("/people/me/own-key", status_code=201)
def enrol_own_key(plane: Plane, request: Request, actor: Actor, *, body: TakingKey) -> Person:
    """Enrol a key that the person behind the request keeps themselves: from now on no server can sign for them."""
    return own_keys.enrol_own_key(plane, actor.person, present=body.present(request), **body.halves())


@router.post("/keys", status_code=201)
def enrol_key(plane: Plane, request: Request, body: Renewing) -> Person:
    """Enrol a key with the codes that people handed out; nobody need be signed in."""
    require_same_site(request)
    return retiring.enrol_key(plane, body.code, body.passphrase)


@router.post("/keys/own", status_code=201)
def enrol_own_key_by_code(plane: Plane, request: Request, body: OwnKeyByCode) -> Person:
    """Enrol a key of one's own with the codes that people handed out; nobody need be signed in."""
    require_same_site(request)
    return own_keys.enrol_with_code(plane, body.code, **body.halves())
