"""`/v1`: sessions in browsers: signing in and out, at the organisation's provider too; which ones are open, ending one.

Who may: everybody signed in sees and ends their own; an administrator sees and ends everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from audit.record import Auth
from control_plane.accounts import oidc, people, sessions
from control_plane.accounts.people import Person
from control_plane.accounts.sessions import OpenSession
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Plane, Text, cookie_of, is_secure, require_same_site, set_cookie
from control_plane.errors import NotSignedIn, Refused

__all__ = ["router"]

router = routes()
SIGN_ON_COOKIE = "mentorplane-sign-on"


class SigningIn(Body):
    """A login and its passphrase."""

    login: Text
    passphrase: Text = Field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, what their pages send with each write, and until when at most."""

    person: Person
    csrf_token: str
    expires_at: datetime | None = None


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


@router.get("/sessions")
def list_sessions(plane: Plane, actor: Actor) -> tuple[OpenSession, ...]:
    """Return one's own open sessions, newest first; as an administrator everybody's."""
    return sessions.list_sessions(plane, person="" if people.sees_all(plane, actor.person) else actor.person)


@router.delete("/sessions/{identity}", status_code=204)
def end_session(plane: Plane, actor: Actor, identity: Text) -> None:
    """End a session of one's own, or as an administrator anybody's."""
    sessions.end_one(plane, actor.person, identity)


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
