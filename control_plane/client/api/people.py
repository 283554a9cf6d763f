"""`/v1/people`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.people import Me
from control_plane.client.records.shared import Person

__all__ = ["AsyncPeopleApi", "PeopleApi"]


def _me() -> Call[Me]:
    """Return the person behind the request, and what they may do now."""
    return Call("GET", "/v1/people/me", Me)


def _everybody() -> Call[tuple[Person, ...]]:
    """Return everybody, by login."""
    return Call("GET", "/v1/people", tuple[Person, ...])


def _enrol(*, login: str, name: str, roles: Sequence[str], passphrase: str) -> Call[Person]:
    """Enrol somebody, as an administrator."""
    return Call("POST", "/v1/people", Person, body=given(login=login, name=name, roles=roles, passphrase=passphrase))


class PeopleApi(Group):
    """`/v1/people`, one call after the other."""

    me = now(_me)
    everybody = now(_everybody)
    enrol = now(_enrol)


class AsyncPeopleApi(AsyncGroup):
    """The same for `await`."""

    me = later(_me)
    everybody = later(_everybody)
    enrol = later(_enrol)
