"""Grants as signed statements: what their terms may say, and whose keys may sign them."""

from __future__ import annotations

import pytest

from audit.frozen import replace
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import OtherKey, Person
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.grants import (
    PAYLOAD_TYPE,
    Grant,
    add_signature,
    open_grant,
    sign_grant,
    verify_grant,
)
from tests.simulator import unsafe_key

SINCE, UNTIL = "2026-03-02T09:00:00Z", "2026-04-27T09:00:00Z"
GRANT = Grant("g-1", "example", "p-kim", "facilitator", SINCE, UNTIL, reason="hmac-sha256:" + "0" * 64)
ROLES = {"p-lena": ("administrator",), "p-ruth": ("compliance",), "p-kim": ("facilitator",)}


def keyring(**custody: str) -> dict[str, Person]:
    """Return the people who sign, each with a key that the server holds unless it is said otherwise."""
    return {
        name: Person(name, dsse.public_bytes(unsafe_key(name)), custody.get(name[2:], "server"), roles)
        for name, roles in ROLES.items()
    }


def signed(grant: Grant = GRANT, first: str = "p-lena", second: str = "p-ruth") -> dsse.Envelope:
    """Return a grant signed by two people."""
    return add_signature(sign_grant(grant, unsafe_key(first)), sign_grant(grant, unsafe_key(second)))


def test_a_grant_reads_back_and_its_reason_is_signed() -> None:
    """Another reason is another statement: no signature covers it."""
    assert verify_grant(signed(), keyring(), organisation="example") == GRANT
    made = signed()
    other = replace(made, payload=replace(GRANT, reason="hmac-sha256:" + "1" * 64).encode())
    with pytest.raises(NotTrusted):
        verify_grant(other, keyring(), organisation="example")


def test_attack_a_grant_of_another_organisation() -> None:
    """The same people and keys elsewhere grant nothing here."""
    with pytest.raises(NotTrusted, match="another's"):
        verify_grant(signed(), keyring(), organisation="another")


@pytest.mark.parametrize(
    "terms",
    [
        {"until": "2027-03-04T09:00:00Z"},
        {"until": SINCE},
        {"since": "2026-02-31T09:00:00Z"},
        {"behalf": "p-tom", "until": "2099-01-01T00:00:00Z"},
        {"reason": "because " * 20},
    ],
)
def test_attack_terms_that_last_for_ever(terms: dict[str, str]) -> None:
    """Nobody holds a role for longer than a year by one statement, and its times are times of the calendar."""
    envelope = dsse.sign(replace(GRANT, **terms).encode(), PAYLOAD_TYPE, unsafe_key("p-lena"))  # type: ignore[arg-type]
    with pytest.raises(InvalidDocument):
        open_grant(envelope)


def test_attack_a_server_grants_roles_with_the_keys_that_it_holds() -> None:
    """Where approver keys must be people's own, so must those that say who approves; a retired one is what it was."""
    both = {"lena": "own", "ruth": "own"}
    for held in ({}, {"lena": "own"}, {"ruth": "own"}):
        with pytest.raises(NotTrusted, match="by people themselves"):
            verify_grant(signed(), keyring(**held), organisation="example", own_keys=True)
    assert verify_grant(signed(), keyring(**both), organisation="example", own_keys=True) == GRANT
    people = keyring(**both)
    before = OtherKey(people["p-lena"].key, "server", ROLES["p-lena"])
    people["p-lena"] = replace(people["p-lena"], key=dsse.public_bytes(unsafe_key("new")), others=(before,))
    with pytest.raises(NotTrusted, match="by people themselves"):
        verify_grant(signed(), people, organisation="example", own_keys=True)


def test_the_format_before_is_not_read() -> None:
    """There is one grammar: terms without a reason are none."""
    document = canonical.parse(GRANT.encode(), max_bytes=4000)
    for change in ({"format": "mentorplane-grant/1"}, {"reason": None}):
        one = {name: value for name, value in {**document, **change}.items() if value is not None}
        with pytest.raises(InvalidDocument):
            open_grant(dsse.Envelope(PAYLOAD_TYPE, canonical.encode(one), ()))
