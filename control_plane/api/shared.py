"""What the routes share: the control plane and the person behind the bearer token, and texts that can be stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeAlias

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict

from control_plane.accounts import people, tokens
from control_plane.errors import NotSignedIn, Refused
from control_plane.plane import ControlPlane

__all__ = ["Actor", "Body", "Number", "Plane", "Text"]


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("expected text without NUL and lone surrogates")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""Text that UTF-8 and every database can hold."""
Number: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Body(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plane(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.plane
    token = _token(request)
    return replace(plane, token=tokens.token_digest(token)) if token else plane


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _actor(request: Request) -> people.Person:
    token = _token(request)
    if not token:
        raise NotSignedIn("expected a bearer token, got none")
    try:
        return tokens.person_of_token(_plane(request), token)
    except Refused as error:
        raise NotSignedIn("expected a valid token, got another") from error


Plane: TypeAlias = Annotated[ControlPlane, Depends(_plane)]
Actor: TypeAlias = Annotated[people.Person, Depends(_actor)]
