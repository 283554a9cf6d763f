"""`/v1/session`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.session import SignedIn

__all__ = ["AsyncSessionApi", "SessionApi"]


def _get() -> Call[SignedIn]:
    """Return whose session it is, and what pages send with each write."""
    return Call("GET", "/v1/session", SignedIn)


def _sign_in(*, login: str, passphrase: str, if_match: str | None = None) -> Call[SignedIn]:
    """Start a session in a browser; the one that it had ends."""
    return Call(
        "POST",
        "/v1/session",
        SignedIn,
        headers=given(**{"If-Match": if_match}),
        body=given(login=login, passphrase=passphrase),
    )


def _sign_out(*, everywhere: bool | None = None, if_match: str | None = None) -> Call[None]:
    """End this session, or everywhere all of this person's."""
    return Call(
        "DELETE", "/v1/session", type(None), query=given(everywhere=everywhere), headers=given(**{"If-Match": if_match})
    )


class SessionApi(Group):
    """`/v1/session`, one call after the other."""

    get = now(_get)
    sign_in = now(_sign_in)
    sign_out = now(_sign_out)


class AsyncSessionApi(AsyncGroup):
    """The same for `await`."""

    get = later(_get)
    sign_in = later(_sign_in)
    sign_out = later(_sign_out)
