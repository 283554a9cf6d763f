"""`/v1/keys`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now
from control_plane.client.records.shared import Person

__all__ = ["AsyncKeysApi", "KeysApi"]


def _enrol_key(*, code: str, passphrase: str, if_match: str | None = None) -> Call[Person]:
    """Enrol a key with the codes that people handed out; nobody need be signed in."""
    return Call(
        "POST",
        "/v1/keys",
        Person,
        headers=given(**{"If-Match": if_match}),
        body=given(code=code, passphrase=passphrase),
    )


def _enrol_own_key_by_code(*, public: str, held: str, code: str, if_match: str | None = None) -> Call[Person]:
    """Enrol a key of one's own with the codes that people handed out; nobody need be signed in."""
    return Call(
        "POST",
        "/v1/keys/own",
        Person,
        headers=given(**{"If-Match": if_match}),
        body=given(public=public, held=held, code=code),
    )


class KeysApi(Group):
    """`/v1/keys`, one call after the other."""

    enrol_key = now(_enrol_key)
    enrol_own_key_by_code = now(_enrol_own_key_by_code)


class AsyncKeysApi(AsyncGroup):
    """The same for `await`."""

    enrol_key = later(_enrol_key)
    enrol_own_key_by_code = later(_enrol_own_key_by_code)
