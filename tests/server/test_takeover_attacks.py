"""Attacks on who may decide: one person alone who comes in as others, or makes others who decide as they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_plane import ledger
from control_plane.accounts import grants, invitations, people, retiring
from control_plane.accounts.grants import GrantRecord, Making
from control_plane.accounts.people import Person
from control_plane.custody.keyfile import create_key
from control_plane.errors import Conflict, Refused
from control_plane.reviewing import own_keys
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import CHEAP

SECRET = "lena knows this secret"


def puppet(acts: Acts, login: str, *roles: str) -> Person:
    """Somebody whom the administrator alone enrolled, and whose passphrase she knows."""
    return people.enrol(acts.plane, login=login, name=login, roles=roles, passphrase=SECRET, actor=acts.id("lena"))


def proposed(acts: Acts, person: str, role: str) -> GrantRecord:
    """A grant that the administrator signed first."""
    given = {"reason": "a new term", "passphrase": acts.passphrase("lena")}
    return grants.propose(acts.plane, acts.id("lena"), Making(person, role), **given)


def test_attack_an_administrator_renews_the_key_of_an_approver_who_keeps_theirs(acts: Acts) -> None:
    """A code for a new key is for somebody whose key was retired; else their grants would come along with it."""
    given = {"purpose": invitations.NEW_KEY, "passphrase": acts.passphrase("lena")}
    with refused(acts.plane, Conflict, match="retired"):
        invitations.invite(acts.plane, acts.id("lena"), "tom", **given)
    code = retiring.retire_key(acts.plane, acts.id("lena"), "tom", reason="lost", passphrase=acts.passphrase("lena"))
    again = invitations.invite(acts.plane, acts.id("lena"), "tom", **given)
    with refused(acts.plane, Refused):
        retiring.enrol_key(acts.plane, code, SECRET)
    assert retiring.enrol_key(acts.plane, again, SECRET).login == "tom"


@pytest.mark.parametrize("roles", [("facilitator",), ("administrator",), ("compliance", "safety-owner")])
def test_attack_an_administrator_enrols_the_second_person_who_signs_a_grant(acts: Acts, roles: tuple[str, ...]) -> None:
    """Whoever signs a grant was let in by more than one person: somebody whom she enrolled alone does not count."""
    second, friend = puppet(acts, "second", *roles), puppet(acts, "friend", "facilitator")
    made = proposed(acts, friend.id, "facilitator")
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        grants.sign(acts.plane, second.id, made.id, digest=made.digest, reason="yes", passphrase=SECRET)
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        making = Making(friend.id, "facilitator")
        grants.propose(acts.plane, second.id, making, reason="yes", passphrase=SECRET)


def test_attack_an_administrator_signs_grants_with_a_key_that_she_retired(acts: Acts) -> None:
    """Who got a new key from her says nothing about grants, until they hold a role again by two others."""
    acts_as = retiring.retire_key(acts.plane, acts.id("lena"), "ruth", reason="x", passphrase=acts.passphrase("lena"))
    retiring.enrol_key(acts.plane, acts_as, SECRET)
    friend = puppet(acts, "friend", "facilitator")
    made = proposed(acts, friend.id, "facilitator")
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        grants.sign(acts.plane, acts.id("ruth"), made.id, digest=made.digest, reason="yes", passphrase=SECRET)
    back = proposed(acts, acts.id("ruth"), "compliance")
    given = {"digest": back.digest, "reason": "yes", "passphrase": acts.passphrase("tom")}
    assert grants.sign(acts.plane, acts.id("tom"), back.id, **given).state == "in-force"
    given = {"digest": made.digest, "reason": "yes", "passphrase": SECRET}
    assert grants.sign(acts.plane, acts.id("ruth"), made.id, **given).state == "in-force"


def test_attack_an_administrator_enrols_a_key_of_hers_as_that_of_an_approver(acts: Acts, tmp_path: Path) -> None:
    """Whoever gets a key of their own by an administrator holds nothing until two people grant it."""
    [kim] = people.enrol_all(acts.plane, [(people.NewPerson("kim", "Kim", ("facilitator",)), "kim has a secret")])
    assert people.holds_of(acts.plane, "kim") != ()
    file = create_key(tmp_path / "kim.key", person=kim.id, passphrase=SECRET, cost=CHEAP)
    own_keys.enrol_own_key(acts.plane, acts.id("lena"), "kim", public_key=file.public, proof=file.proof)
    assert people.holds_of(acts.plane, "kim") == ()
    assert ledger.verify(acts.plane).ok


def test_attack_a_login_that_looks_like_anothers(acts: Acts) -> None:
    """Letters of other alphabets in a login, and what nobody sees in a name: refused."""
    for login in ("t\u043em", "\uff54om", "to\u0301m"):
        with refused(acts.plane, InvalidDocument):
            puppet(acts, login, "facilitator")
    with refused(acts.plane, InvalidDocument):
        given = {"roles": ["facilitator"], "passphrase": SECRET, "actor": acts.id("lena")}
        people.enrol(acts.plane, login="other", name="Tom\u202e Baptiste", **given)
