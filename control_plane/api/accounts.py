"""`/v1`: sessions, people, tokens.

Who may: everybody signed in may read who is there, and has sessions and tokens of their own; what concerns somebody
else takes an administrator, whom the use cases ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from audit.record import Auth
from control_plane import ledger
from control_plane.accounts import addresses, invitations, leaving, oidc, people, sessions, tokens
from control_plane.accounts.people import Enrolled, Holds, NewPerson, Person
from control_plane.accounts.tokens import Token
from control_plane.api.routing import routes
from control_plane.api.shared import (
    Actor,
    Body,
    Plane,
    Present,
    Proving,
    Text,
    cookie_of,
    is_secure,
    require_same_site,
    set_cookie,
)
from control_plane.errors import NotSignedIn, Refused
from control_plane.requests.paging import Paging

__all__ = ["router"]

router = routes()
SIGN_ON_COOKIE = "mentorplane-sign-on"


class SigningIn(Body):
    """A login and its passphrase."""

    login: Text
    passphrase: Text = Field(repr=False)


class Enrolling(Body):
    """Whom to enrol; they choose their passphrase themselves, with the code."""

    login: Text
    name: Text
    roles: list[Text]


class Issuing(Body):
    """A token to issue: for oneself, or for a machine that one answers for."""

    name: Text
    passphrase: Text = Field(repr=False)
    scopes: list[Text] = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=tokens.MAX_DAYS)] = tokens.DEFAULT_DAYS
    machine: Text = ""


class Address(Body):
    """Where somebody gets mail."""

    address: Text = Field(repr=False)


class AddressOf(Address):
    """Where somebody else gets mail, "" for nowhere, and the administrator's passphrase."""

    passphrase: Text = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, what their pages send with each write, and until when at most."""

    person: Person
    csrf_token: str
    expires_at: datetime | None = None


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


@router.post("/session", status_code=201)
def sign_in(plane: Plane, request: Request, response: Response, *, body: SigningIn) -> SignedIn:
    """Start a session in a browser; the one that it had ends."""
    require_same_site(request)
    try:
        started = sessions.sign_in(plane, body.login, body.passphrase, before=cookie_of(request))
    except Refused as error:
        raise NotSignedIn(str(error), hint=error.hint) from error
    set_cookie(request, response, started.cookie)
    person = people.find_person(plane, started.person)
    return SignedIn(person, sessions.csrf_token(started.cookie), started.expires_at)


@router.get("/session")
def session(plane: Plane, request: Request, response: Response, *, actor: Actor) -> SignedIn:
    """Return whose session it is, and what pages send with each write."""
    response.headers["Cache-Control"] = "no-store"
    cookie = cookie_of(request)
    if not cookie or "Authorization" in request.headers:
        raise NotSignedIn("expected a session, got a token")
    return SignedIn(people.find_person(plane, actor.person), sessions.csrf_token(cookie))


@router.delete("/session", status_code=204)
def sign_out(
    plane: Plane, request: Request, response: Response, *, actor: Actor, everywhere: Annotated[bool, Query()] = False
) -> None:
    """End this session, or everywhere all of this person's."""
    if everywhere:
        sessions.end_all(plane, actor.person)
    elif cookie_of(request):
        sessions.end(plane, cookie_of(request))
    set_cookie(request, response, "")


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
def set_address_of(plane: Plane, actor: Actor, person: Text, *, body: AddressOf) -> None:
    """Set somebody's e-mail address, or remove it, as an administrator; one's own takes no passphrase."""
    if body.address:
        addresses.set_address(plane, actor.person, person, address=body.address, passphrase=body.passphrase)
    else:
        addresses.remove_address(plane, actor.person, person, passphrase=body.passphrase)


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
    everybody = actor.person == ledger.SYSTEM or "administrator" in people.find_person(plane, actor.person).roles
    return tokens.list_tokens(plane, person="" if everybody else actor.person)


@router.post("/tokens", status_code=201)
def issue_token(plane: Plane, actor: Actor, response: Response, *, body: Issuing) -> NewToken:
    """Issue a token; its text is shown this once."""
    issued = tokens.issue(
        plane,
        actor.person,
        name=body.name,
        passphrase=body.passphrase,
        scopes=body.scopes,
        days=body.days,
        machine=body.machine,
    )
    response.headers["Cache-Control"] = "no-store"
    return NewToken(issued.token, issued.text)


class LoggingIn(Proving):
    """Who logs in with the key that they keep, by login or id."""

    person: Text


@router.post("/tokens/by-key", status_code=201)
def log_in(plane: Plane, request: Request, response: Response, *, body: LoggingIn) -> NewToken:
    """Issue a token for a working day to somebody who signs with their own key that they are here."""
    require_same_site(request)
    response.headers["Cache-Control"] = "no-store"
    try:
        issued = tokens.issue_by_key(plane, body.person, body.proof(request))
    except Refused as error:
        raise NotSignedIn(str(error), hint=error.hint) from error
    return NewToken(issued.token, issued.text)


@router.delete("/tokens/{identity}")
def revoke_token(plane: Plane, actor: Actor, identity: Text) -> Token:
    """Revoke a token of one's own, or as an administrator anybody's."""
    return tokens.revoke(plane, actor.person, identity)


@router.get("/session/oidc", status_code=303, response_class=Response)
def begin_sign_on(plane: Plane, request: Request, *, then: Text = "/", invitation: Text = "") -> Response:
    """Send the browser to the organisation's identity provider."""
    begun = oidc.begin(plane, back_to=_back_to(request), then=then, invitation=invitation)
    response = Response(status_code=303, headers={"Location": begun.url, "Cache-Control": "no-store"})
    response.set_cookie(
        SIGN_ON_COOKIE,
        begun.cookie,
        max_age=oidc.TRY_FOR_S,
        path="/v1/session/oidc",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/session/oidc/callback", status_code=303, response_class=Response)
def finish_sign_on(
    plane: Plane,
    request: Request,
    *,
    code: Text = "",
    state: Text = "",
    iss: Text = "",
    error: Text = "",
) -> Response:
    """Start a session for whom the identity provider vouches."""
    answer = oidc.Answer(code, state, request.cookies.get(SIGN_ON_COOKIE, ""), issuer=iss, error=error)
    try:
        person, then = oidc.finish(plane, answer, back_to=_back_to(request))
    except Refused as problem:
        raise NotSignedIn(str(problem), hint=problem.hint) from problem
    started = sessions.start(plane, person, auth=Auth.SINGLE_SIGN_ON, before=cookie_of(request))
    response = Response(status_code=303, headers={"Location": then})
    set_cookie(request, response, started.cookie)
    response.delete_cookie(SIGN_ON_COOKIE, path="/v1/session/oidc")
    return response


def _back_to(request: Request) -> str:
    here: str = request.app.state.plane.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{here}/v1/session/oidc/callback"


class Inviting(Present):
    """What a code is for: for somebody else to enrol a new key, or for oneself to link an account."""

    purpose: Text


@dataclass(frozen=True, slots=True)
class Invited:
    """A code that is shown this once."""

    code: str


@router.post("/people/{person}/invitations", status_code=201)
def invite(
    plane: Plane, request: Request, actor: Actor, *, person: Text, response: Response, body: Inviting
) -> Invited:
    """Make a code: as an administrator for somebody's new key, for oneself to link an account of the provider."""
    response.headers["Cache-Control"] = "no-store"
    present = body.present(request)
    return Invited(invitations.invite(plane, actor.person, person, purpose=body.purpose, present=present))


class Leaving(Present):
    """Why somebody leaves, and that whoever signs it is here."""

    reason: Text


@dataclass(frozen=True, slots=True)
class Left:
    """Whether somebody has left: the second of two people who sign it makes it so."""

    left: bool


@router.post("/people/{person}/retirement", status_code=201)
def retire_person(plane: Plane, request: Request, actor: Actor, *, person: Text, body: Leaving) -> Left:
    """Sign that somebody leaves, as the first or second of two people: every role, token and session of theirs ends."""
    present = body.present(request)
    return Left(leaving.retire_person(plane, actor.person, person, reason=body.reason, present=present))
