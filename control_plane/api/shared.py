"""What the routes share: the control plane as the request's person may use it, and texts that can be stored.

A request says who it is from by a bearer token, or by the cookie of a session. Promises: a write that comes with a
cookie also brings the token of that cookie and comes from a page of this server, or it is refused; bearer tokens need
neither, since no browser adds them by itself. Does not: know scopes or roles (see `accounts.rights`).
Source: OWASP CSRF Prevention Cheat Sheet; RFC 6750; RFC 6454.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from audit.acts import Client
from control_plane.accounts import sessions, tokens
from control_plane.accounts.presence import Proof, place_of
from control_plane.errors import NotSignedIn, Refused, TooMany
from control_plane.plane import ControlPlane
from control_plane.requests.limits import Buckets
from control_plane.reviewing import own_keys
from control_plane.scopes import Acting
from control_plane.settings import Settings
from control_plane.signing import Elsewhere
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.hosts import is_this_machine

__all__ = [
    "CSRF_HEADER",
    "Actor",
    "Body",
    "Explained",
    "Number",
    "Plane",
    "Present",
    "Proving",
    "Signing",
    "Stated",
    "Text",
    "cookie_of",
    "is_secure",
    "limit_person",
    "require_same_site",
    "set_cookie",
    "token_of",
]

COOKIE, SECURE_COOKIE = "mentorplane", "__Host-mentorplane"
CSRF_HEADER = "X-CSRF-Token"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("expected text without NUL and lone surrogates")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""Text that UTF-8 and every database can hold."""
Number: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Body(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _plane(request: Request) -> ControlPlane:
    """Return the control plane with what the request's token or cookie is good for; nothing if it is good for none."""
    plane: ControlPlane = request.app.state.plane
    if plane.acting is not None:  # inside a process that knows who acts (see `inside`): no server has this
        return plane
    token, cookie = token_of(request), cookie_of(request)
    try:
        if token:
            plane = replace(plane, token=tokens.token_digest(token))
            return replace(plane, acting=tokens.acting_for(plane, token))
        if cookie:
            plane = replace(plane, token=sessions.session_digest(cookie), client=Client.CONSOLE)
            return replace(plane, acting=sessions.acting_for(plane, cookie))
    except Refused:
        return plane
    return plane


Plane: TypeAlias = Annotated[ControlPlane, Depends(_plane)]


def token_of(request: Request) -> str:
    """Return the bearer token that a request brings, "" if there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _actor(request: Request, plane: Plane) -> Acting:
    """Return who is behind a request; asynchronous, so that no thread is woken for what asks no database."""
    if plane.acting is None:
        if token_of(request) or cookie_of(request):
            raise NotSignedIn("expected a valid token or an open session, got another")
        raise NotSignedIn("expected a bearer token or a session, got neither")
    cookie = cookie_of(request)
    if cookie and not token_of(request) and request.method not in _READING:
        require_same_site(request)
        if not sessions.is_csrf_token(cookie, request.headers.get(CSRF_HEADER, "")):
            raise Refused(
                f"expected the header {CSRF_HEADER} with the token of this session, got none or another",
                hint="GET /v1/session says it to pages of this server",
            )
    return plane.acting


class Proving(Body):
    """That somebody is here, signed by their own key: when, random bytes in hex, the signature in base64."""

    at: Text
    nonce: Text = Field(max_length=64)
    signature: Text = Field(repr=False)

    def proof(self, request: Request) -> Proof:
        """Return it as the use cases take it: for the server that was asked."""
        return Proof(self.at, self.nonce, dsse.decode_base64(self.signature), place_of(_here(request)))


def _here(request: Request) -> str:
    """Return where this server is: as it was set up, or by a name of this machine alone, never as a caller calls it."""
    settings: Settings = request.app.state.plane.settings
    asked = request.base_url.hostname or ""
    known = asked == settings.host or is_this_machine(asked)
    return settings.public_url or (str(request.base_url) if known else f"http://{settings.host}:{settings.port}")


class Present(Body):
    """A passphrase, or what shows the same with a key of one's own."""

    passphrase: Text = Field(default="", repr=False)
    proof: Proving | None = None

    def present(self, request: Request) -> str | Proof:
        """Return what was given."""
        return self.proof.proof(request) if self.proof else self.passphrase


class Stated(Body):
    """A statement signed with the person's own key, and the salt in base64 of its commitment to title or reason."""

    envelope: JsonObject
    salt: Text


class Signing(Body):
    """What signs: a passphrase, or each statement of the act as it was signed with a key of one's own."""

    passphrase: Text = Field(default="", repr=False)
    signed: list[Stated] = Field(default_factory=list, max_length=50)

    def proof(self) -> str | Elsewhere:
        """Return what was given."""
        if not self.signed:
            return self.passphrase
        return own_keys.signed_elsewhere((one.envelope, dsse.decode_base64(one.salt)) for one in self.signed)


class Explained(Present):
    """Why, in one's own words, and that one is here."""

    reason: Text


Actor: TypeAlias = Annotated[Acting, Depends(_actor)]


def require_same_site(request: Request) -> None:
    """Refuse a write that a page of somebody else's sent.

    Raises:
        Refused: it says another origin, or neither that nor that it comes from here.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise Refused("expected a request from a page of this server, got one from elsewhere")
        return
    here = request.app.state.plane.settings.public_url
    wanted = urlsplit(here) if here else None
    got = urlsplit(origin)
    same = (got.scheme, got.netloc) == (wanted.scheme, wanted.netloc) if wanted else got.netloc == request.url.netloc
    if not same:
        raise Refused("expected a request from a page of this server, got one from elsewhere")


def is_secure(request: Request) -> bool:
    """Return whether browsers reach the server over https."""
    here: str = request.app.state.plane.settings.public_url
    return here.startswith("https://") if here else request.url.scheme == "https"


def cookie_of(request: Request) -> str:
    """Return the session's cookie, "" if there is none."""
    return request.cookies.get(SECURE_COOKIE if is_secure(request) else COOKIE, "")


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Give the browser a session's cookie, which no script reads and no other site's page sends; "" takes it away."""
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        value,
        max_age=request.app.state.plane.settings.session_lasts_s if value else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"


async def limit_person(request: Request, response: Response, plane: Plane) -> None:
    """Hold the person behind a request to their limit, by whichever token or session they come; asks no database.

    Raises:
        TooMany: they have asked for more than a minute's worth.
    """
    if plane.acting is None:
        return
    buckets: Buckets = request.app.state.people_limits
    left, after_s = buckets.take(plane.acting.person)
    said = buckets.headers("person", left, after_s)
    if after_s:
        raise TooMany("expected fewer requests of one person", retry_after_s=after_s, headers=said)
    for name, value in said.items():
        response.headers[name] = value
