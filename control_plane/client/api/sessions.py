"""`/v1/sessions`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.sessions import OpenSession

__all__ = ["AsyncSessionsApi", "SessionsApi"]


def _list() -> Call[tuple[OpenSession, ...]]:
    """Return one's own open sessions, newest first; as an administrator everybody's."""
    return Call("GET", "/v1/sessions", tuple[OpenSession, ...])


def _end_session(identity: str, *, if_match: str | None = None) -> Call[None]:
    """End a session of one's own, or as an administrator anybody's."""
    return Call("DELETE", f"/v1/sessions/{segment(identity)}", type(None), headers=given(**{"If-Match": if_match}))


class SessionsApi(Group):
    """`/v1/sessions`, one call after the other."""

    list = now(_list)
    end_session = now(_end_session)


class AsyncSessionsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    end_session = later(_end_session)
