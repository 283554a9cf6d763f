"""`/v1/people`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import (
    AsyncGroup,
    Call,
    Group,
    Paged,
    given,
    later,
    later_items,
    now,
    now_items,
    segment,
)
from control_plane.client.records.people import Enrolled, Erasable, Erasure, Invited, Left, Me
from control_plane.client.records.shared import Person, Proving

__all__ = ["AsyncPeopleApi", "PeopleApi"]


def _me() -> Call[Me]:
    """Return the person behind the request, and what they may do now."""
    return Call("GET", "/v1/people/me", Me)


def _set_address(*, address: str, if_match: str | None = None) -> Call[None]:
    """Set the e-mail address to which the person behind the request gets mail."""
    return Call(
        "PUT", "/v1/people/me/address", type(None), headers=given(**{"If-Match": if_match}), body=given(address=address)
    )


def _remove_address(*, if_match: str | None = None) -> Call[None]:
    """Remove it: they get no mail from now on."""
    return Call("DELETE", "/v1/people/me/address", type(None), headers=given(**{"If-Match": if_match}))


def _set_address_of(
    person: str,
    *,
    address: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[None]:
    """Set somebody's e-mail address, or remove it, as an administrator; one's own takes no passphrase."""
    return Call(
        "PUT",
        f"/v1/people/{segment(person)}/address",
        type(None),
        headers=given(**{"If-Match": if_match}),
        body=given(address=address, passphrase=passphrase, proof=proof),
    )


def _everybody(*, limit: int | None = None) -> Paged[Person]:
    """Return everybody, by login."""
    return Paged(Call("GET", "/v1/people", tuple[Person, ...], query=given(limit=limit)))


def _enrol(*, login: str, name: str, roles: Sequence[str], if_match: str | None = None) -> Call[Enrolled]:
    """Enrol somebody, as an administrator; the code, with which they enrol their key, is shown this once."""
    return Call(
        "POST",
        "/v1/people",
        Enrolled,
        headers=given(**{"If-Match": if_match}),
        body=given(login=login, name=name, roles=roles),
    )


def _invite(
    person: str,
    *,
    purpose: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[Invited]:
    """Make a code: for somebody's first key, one of two for a new one, or for oneself to link a provider's account."""
    return Call(
        "POST",
        f"/v1/people/{segment(person)}/invitations",
        Invited,
        headers=given(**{"If-Match": if_match}),
        body=given(purpose=purpose, passphrase=passphrase, proof=proof),
    )


def _retire_person(
    person: str,
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[Left]:
    """Sign that somebody leaves, as the first or second of two people: every role, token and session of theirs ends."""
    return Call(
        "POST",
        f"/v1/people/{segment(person)}/retirement",
        Left,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof),
    )


def _retire_key(
    person: str,
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
) -> Call[Person]:
    """Retire the key of somebody who forgot their passphrase, as another administrator."""
    return Call(
        "POST",
        f"/v1/people/{segment(person)}/retired-key",
        Person,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof),
    )


def _enrol_own_key(
    *, public: str, held: str, if_match: str | None = None, passphrase: str | None = None, proof: Proving | None = None
) -> Call[Person]:
    """Enrol a key that the person behind the request keeps themselves: from now on no server can sign for them."""
    return Call(
        "POST",
        "/v1/people/me/own-key",
        Person,
        headers=given(**{"If-Match": if_match}),
        body=given(public=public, held=held, passphrase=passphrase, proof=proof),
    )


def _preview_erasure(person: str) -> Call[Erasable]:
    """Return what erasing somebody's texts would destroy, and what forbids it."""
    return Call("GET", f"/v1/people/{segment(person)}/erasure", Erasable)


def _erase_texts(
    person: str,
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    ticket: str | None = None,
    role: str | None = None,
) -> Call[Erasure]:
    """Erase every text of somebody, name, address and reasons, for good."""
    return Call(
        "POST",
        f"/v1/people/{segment(person)}/erasure",
        Erasure,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof, ticket=ticket, role=role),
    )


class PeopleApi(Group):
    """`/v1/people`, one call after the other."""

    me = now(_me)
    set_address = now(_set_address)
    remove_address = now(_remove_address)
    set_address_of = now(_set_address_of)
    everybody = now_items(_everybody)
    enrol = now(_enrol)
    invite = now(_invite)
    retire_person = now(_retire_person)
    retire_key = now(_retire_key)
    enrol_own_key = now(_enrol_own_key)
    preview_erasure = now(_preview_erasure)
    erase_texts = now(_erase_texts)


class AsyncPeopleApi(AsyncGroup):
    """The same for `await`."""

    me = later(_me)
    set_address = later(_set_address)
    remove_address = later(_remove_address)
    set_address_of = later(_set_address_of)
    everybody = later_items(_everybody)
    enrol = later(_enrol)
    invite = later(_invite)
    retire_person = later(_retire_person)
    retire_key = later(_retire_key)
    enrol_own_key = later(_enrol_own_key)
    preview_erasure = later(_preview_erasure)
    erase_texts = later(_erase_texts)
