"""`/v1`: people, tokens, invitations. Sessions are in `sessions`.

Who may: everybody signed in may read who is there, and has tokens of their own; what concerns somebody else takes an
administrator, whom the use cases ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from control_plane.accounts import addresses, invitations, people, tokens
from control_plane.accounts.people import Enrolled, Holds, NewPerson, Person
from control_plane.accounts.tokens import Token
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Present, Text, require_same_site
from control_plane.errors import NotSignedIn, Refused
from control_plane.granting import leaving
from control_plane.requests.paging import Paging

__all__ = ["router"]

router = routes()


class Enrolling(Body):
    """Whom to enrol; they choose their passphrase themselves, with the code."""

    login: Text
    name: Text
    roles: list[Text]


class Issuing(Present):
    """A token to issue: for oneself, or for a machine that one answers for."""

    name: Text
    scopes: list[Text] = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=tokens.MAX_DAYS)] = tokens.DEFAULT_DAYS
    machine: Text = ""


class Address(Body):
    """Where somebody gets mail."""

    address: Text = Field(repr=False)


class AddressOf(Address, Present):
    """Where somebody else gets mail, "" for nowhere, and that the administrator is here."""


@dataclass(frozen=True, slots=True)
class Me:
    """The person behind a request, which roles they hold now, and what the request is good for."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    custody: str
    locked: bool
    holds: tuple[Holds, ...]
    scopes: tuple[str, ...]
    machine: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token: its text is shown this once."""

    token: Token
    text: str


@router.get("/people/me")
def me(plane: Plane, actor: Actor) -> Me:
    """Return the person behind the request, and what they may do now."""
    person = people.find_person(plane, actor.person)
    return Me(
        id=person.id,
        login=person.login,
        name=person.name,
        roles=person.roles,
        custody=person.custody,
        locked=person.locked,
        holds=people.holds_of(plane, person.id),
        scopes=tuple(sorted(actor.scopes)),
        machine=actor.machine,
    )


@router.put("/people/me/address", status_code=204)
def set_address(plane: Plane, actor: Actor, body: Address) -> None:
    """Set the e-mail address to which the person behind the request gets mail."""
    addresses.set_address(plane, actor.person, actor.person, address=body.address)


@router.delete("/people/me/address", status_code=204)
def remove_address(plane: Plane, actor: Actor) -> None:
    """Remove it: they get no mail from now on."""
    addresses.remove_address(plane, actor.person, actor.person)


@router.put("/people/{person}/address", status_code=204)
def set_address_of(plane: Plane, request: Request, actor: Actor, *, person: Text, body: AddressOf) -> None:
    """Set somebody's e-mail address, or remove it, as an administrator; one's own takes no passphrase."""
    present = body.present(request)
    if body.address:
        addresses.set_address(plane, actor.person, person, address=body.address, passphrase=present)
    else:
        addresses.remove_address(plane, actor.person, person, passphrase=present)


@router.get("/people")
def everybody(plane: Plane, _actor: Actor, page: Paging) -> tuple[Person, ...]:
    """Return everybody, by login."""
    return page.cut(people.list_people(plane), lambda person: person.login)


@router.post("/people", status_code=201)
def enrol(plane: Plane, actor: Actor, response: Response, *, body: Enrolling) -> Enrolled:
    """Enrol somebody, as an administrator; the code, with which they enrol their key, is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    return people.enrol(plane, NewPerson(body.login, body.name, tuple(body.roles)), actor=actor.person)


@router.get("/tokens")
def list_tokens(plane: Plane, actor: Actor) -> tuple[Token, ...]:
    """Return one's own tokens, newest first; as an administrator everybody's."""
    return tokens.list_tokens(plane, person="" if people.sees_all(plane, actor.person) else actor.person)


@router.post("/tokens", status_code=201)
def issue_token(plane: Plane, request: Request, actor: Actor, *, response: Response, body: Issuing) -> NewToken:
    """Issue a token; its text is shown this once."""
    issued = tokens.issue(
        plane,
        actor.person,
        name=body.name,
        passphrase=body.present(request),
        scopes=body.scopes,
        days=body.days,
        machine=body.machine,
    )
    response.headers["Cache-Control"] = "no-store"
    return NewToken(issued.token, issued.text)


class LoggingIn(Present):
    """Who logs in, by login or id: with their passphrase, or with the key that they keep."""

    person: Text


@router.post("/tokens/login", status_code=201)
def log_in(plane: Plane, request: Request, response: Response, *, body: LoggingIn) -> NewToken:
    """Issue a token for a working day to somebody who shows who they are."""
    require_same_site(request)
    response.headers["Cache-Control"] = "no-store"
    try:
        issued = tokens.log_in(plane, body.person, body.present(request))
    except Refused as error:
        raise NotSignedIn(str(error), hint=error.hint) from error
    return NewToken(issued.token, issued.text)


@router.delete("/tokens/{identity}")
def revoke_token(plane: Plane, actor: Actor, identity: Text) -> Token:
    """Revoke a token of one's own, or as an administrator anybody's."""
    return tokens.revoke(plane, actor.person, identity)


class Inviting(Present):
    """What a code is for: for somebody else to enrol a first or new key, or for oneself to link an account."""

    purpose: Text


@dataclass(frozen=True, slots=True)
class Invited:
    """A code that is shown this once."""

    code: str


@router.post("/people/{person}/invitations", status_code=201)
def invite(
    plane: Plane, request: Request, actor: Actor, *, person: Text, response: Response, body: Inviting
) -> Invited:
    """Make a code: for somebody's first key, one of two for a new one, or for oneself to link a provider's account."""
    response.headers["Cache-Control"] = "no-store"
    present = body.present(request)
    return Invited(invitations.invite(plane, actor.person, person, purpose=body.purpose, present=present))


class Leaving(Explained):
    """Why somebody leaves, and that whoever signs it is here."""


@dataclass(frozen=True, slots=True)
class Left:
    """Whether somebody has left: the second of two people who sign it makes it so."""

    left: bool


@router.post("/people/{person}/retirement", status_code=201)
def retire_person(plane: Plane, request: Request, actor: Actor, *, person: Text, body: Leaving) -> Left:
    """Sign that somebody leaves, as the first or second of two people: every role, token and session of theirs ends."""
    present = body.present(request)
    return Left(leaving.retire_person(plane, actor.person, person, reason=body.reason, present=present))
