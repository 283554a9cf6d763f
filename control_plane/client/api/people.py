"""`/v1/people`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, Paged, given, later, later_items, now, now_items
from control_plane.client.records.people import Me
from control_plane.client.records.shared import Person

__all__ = ["AsyncPeopleApi", "PeopleApi"]


def _me() -> Call[Me]:
    """Return the person behind the request, and what they may do now."""
    return Call("GET", "/v1/people/me", Me)


def _everybody(*, limit: int | None = None) -> Paged[Person]:
    """Return everybody, by login."""
    return Paged(Call("GET", "/v1/people", tuple[Person, ...], query=given(limit=limit)))


def _enrol(
    *, login: str, name: str, roles: Sequence[str], passphrase: str, if_match: str | None = None
) -> Call[Person]:
    """Enrol somebody, as an administrator."""
    return Call(
        "POST",
        "/v1/people",
        Person,
        headers=given(**{"If-Match": if_match}),
        body=given(login=login, name=name, roles=roles, passphrase=passphrase),
    )


class PeopleApi(Group):
    """`/v1/people`, one call after the other."""

    me = now(_me)
    everybody = now_items(_everybody)
    enrol = now(_enrol)


class AsyncPeopleApi(AsyncGroup):
    """The same for `await`."""

    me = later(_me)
    everybody = later_items(_everybody)
    enrol = later(_enrol)
