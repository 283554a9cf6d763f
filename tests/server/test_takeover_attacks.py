"""Attacks on who may decide: one person alone who comes in as others, or makes others who decide as they are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from control_plane import verifying
from control_plane.accounts import invitations, passphrases, people, presence, retiring
from control_plane.accounts.people import Person
from control_plane.accounts.presence import prove
from control_plane.app import create_app
from control_plane.custody.keyfile import create_key, open_key
from control_plane.errors import Conflict, Refused
from control_plane.granting import grants, leaving
from control_plane.granting.grants import Making
from control_plane.overview import queries
from control_plane.reviewing import objections, own_keys
from control_plane.scopes import Acting
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import ROLE, Acts, refused
from tests.server.conftest import CHEAP, Clock
from tests.server.keyholders import SECRET as OWN_SECRET
from tests.server.keyholders import fresh
from tests.server.test_grants import propose, sign
from tests.server.test_retiring import code_of, retire

SECRET = "lena knows this secret"


def puppet(acts: Acts, login: str, *roles: str) -> Person:
    """Somebody whom the administrator alone enrolled, and whose passphrase she knows."""
    return acts.enrol(login, *roles, passphrase=SECRET)


def test_attack_an_administrator_renews_the_key_of_an_approver_who_keeps_theirs(acts: Acts) -> None:
    """A code for a new key is for somebody whose key was retired; else their grants would come along with it."""
    with refused(acts.plane, Conflict, match="retired"):
        code_of(acts, "tom", "lena")
    before, ruths = retire(acts, "tom").split()
    again = code_of(acts, "tom", "lena")
    with refused(acts.plane, Refused):
        retiring.enrol_key(acts.plane, f"{before} {ruths}", SECRET)
    assert retiring.enrol_key(acts.plane, f"{again} {ruths}", SECRET).login == "tom"


@pytest.mark.parametrize("login", ["remy", "maya"])
def test_attack_one_administrator_comes_in_as_a_release_manager_or_an_author(
    acts: Acts, tmp_path: Path, login: str
) -> None:
    """Retiring a key that approves nothing gives nobody a way in: it takes the codes of two who have a say.

    Her own code once, twice or with the one before, that of an administrator whom she enrolled, of somebody without a
    say, or for somebody else, and a key of her own instead of a passphrase: refused, and nothing changes.
    """
    other = puppet(acts, "puppet", "administrator")
    given = {"reason": "forgotten, she says", "passphrase": acts.passphrase("lena")}
    for one in (login, "tom"):
        retiring.retire_key(acts.plane, acts.id("lena"), one, **given)
    first, mine, toms = (code_of(acts, one, "lena") for one in (login, login, "tom"))
    with refused(acts.plane, Refused, match="granted", logged="invite"):
        invitations.invite(acts.plane, other.id, login, purpose=invitations.NEW_KEY, present=SECRET)
    if login == "maya":
        with refused(acts.plane, Refused, match="enrolled as", logged="invite"):
            code_of(acts, "tom", "remy")
    for codes in (mine, f"{mine} {mine}", f"{mine} {first}", f"{mine} {toms}"):
        with refused(acts.plane, Refused):
            retiring.enrol_key(acts.plane, codes, SECRET)
    file = create_key(tmp_path / "hers.key", person=acts.id(login), passphrase=SECRET, cost=CHEAP)
    with refused(acts.plane, Refused, match="two people"):
        own_keys.enrol_with_code(acts.plane, mine, public_key=file.public, proof=file.proof)
    with pytest.raises(Refused):
        passphrases.sign_in(acts.plane, login, SECRET)
    assert retiring.enrol_key(acts.plane, f"{code_of(acts, login, 'ruth')} {mine}", SECRET).login == login
    assert verifying.verify(acts.plane).ok


def test_attack_two_facilitators_let_somebody_in_without_a_keeper(acts: Acts) -> None:
    """One of the two is an administrator or of compliance, and both are still here when the codes are used."""
    given = {"reason": "forgotten", "passphrase": acts.passphrase("lena")}
    retiring.retire_key(acts.plane, acts.id("lena"), "remy", **given)
    toms, sams, ruths = (code_of(acts, "remy", one) for one in ("tom", "sam", "ruth"))
    with refused(acts.plane, Refused, match="an administrator or of compliance"):
        retiring.enrol_key(acts.plane, f"{toms} {sams}", SECRET)
    for by in ("lena", "tom"):
        leaving.retire_person(acts.plane, acts.id(by), "ruth", reason="gone", present=acts.passphrase(by))
    with refused(acts.plane, Refused, match="two people"):
        retiring.enrol_key(acts.plane, f"{toms} {ruths}", SECRET)


@pytest.mark.parametrize("roles", [("facilitator",), ("administrator",), ("compliance", "safety-owner")])
def test_attack_an_administrator_enrols_the_second_person_who_signs_a_grant(acts: Acts, roles: tuple[str, ...]) -> None:
    """Whoever signs a grant was let in by more than one person: somebody whom she enrolled alone does not count."""
    second, friend = puppet(acts, "second", *roles), puppet(acts, "friend", "facilitator")
    made = propose(acts, "lena", friend.id, "facilitator")
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        grants.sign(acts.plane, second.id, made.id, digest=made.digest, reason="yes", passphrase=SECRET)
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        making = Making(friend.id, "facilitator")
        grants.propose(acts.plane, second.id, making, reason="yes", passphrase=SECRET)


def test_attack_an_administrator_signs_grants_with_a_key_that_she_retired(acts: Acts) -> None:
    """Who got a new key from her says nothing about grants, until they hold a role again by two others."""
    retiring.enrol_key(acts.plane, retire(acts, "ruth"), SECRET)
    friend = puppet(acts, "friend", "facilitator")
    made = propose(acts, "lena", friend.id, "facilitator")
    with refused(acts.plane, Refused, match="granted", logged="grant"):
        sign(acts, "ruth", made, passphrase=SECRET)
    back = propose(acts, "lena", acts.id("ruth"), "compliance")
    assert sign(acts, "tom", back).state == "in-force"
    assert sign(acts, "ruth", made, passphrase=SECRET).state == "in-force"


def test_attack_an_administrator_enrols_a_key_of_hers_as_that_of_an_approver(acts: Acts, tmp_path: Path) -> None:
    """Nobody takes another's key: not in their own name, nor in the other's without their passphrase."""
    file = create_key(tmp_path / "toms.key", person=acts.id("tom"), passphrase=SECRET, cost=CHEAP)
    given = {"public_key": file.public, "proof": file.proof}
    for actor, secret in (("tom", "lena"), ("lena", "lena")):
        with pytest.raises((Refused, InvalidDocument)):
            own_keys.enrol_own_key(acts.plane, acts.id(actor), present=acts.passphrase(secret), **given)
    assert people.find_person(acts.plane, "tom").custody == "server"
    assert passphrases.open_key(acts.plane, acts.id("tom"), acts.passphrase("tom"))


def test_attack_a_login_that_looks_like_anothers(acts: Acts) -> None:
    """Letters of other alphabets in a login, and what nobody sees in a name: refused."""
    for login in ("t\u043em", "\uff54om", "to\u0301m"):
        with refused(acts.plane, InvalidDocument):
            puppet(acts, login, "facilitator")
    with refused(acts.plane, InvalidDocument):
        new = people.NewPerson("other", "Tom\u202e Baptiste", ("facilitator",))
        people.enrol(acts.plane, new, actor=acts.id("lena"))


def objected(acts: Acts, login: str) -> None:
    """Somebody objects to the open proposal."""
    given = {"role": ROLE[login], "reason": "no", "manifest": acts.seen()}
    objections.object_to(acts.plane, acts.id(login), 2, **given)


def test_attack_an_administrator_signs_on_as_an_objector_and_takes_it_back(acts: Acts) -> None:
    """A session is not enough: whoever takes an objection back gives the passphrase of whoever made it."""
    objected(acts, "sam")
    came_in = replace(acts.plane, acting=Acting(acts.id("sam")))
    for guess in ("", acts.passphrase("lena")):
        with pytest.raises(Refused, match="passphrase"):
            objections.take_back(came_in, acts.id("sam"), 2, present=guess)
    assert [one.standing for one in queries.show_proposal(acts.plane, 2).objections] == [True]


@pytest.mark.parametrize("lapsed", [False, True])
def test_attack_an_administrator_retires_an_objectors_key_and_takes_it_back(
    acts: Acts, clock: Clock, lapsed: bool
) -> None:
    """A key that is newer than the objection takes it back once two people granted its holder a role, not before.

    That the objector's grant had lapsed when their key was retired makes no difference.
    """
    objected(acts, "sam")
    if lapsed:
        clock.advance(days=57)
    retiring.enrol_key(acts.plane, retire(acts, "sam"), SECRET)
    with refused(acts.plane, Refused, match="newer"):
        objections.take_back(acts.plane, acts.id("sam"), 2, present=SECRET)
    made = propose(acts, "lena", acts.id("sam"), "safety-owner")
    with refused(acts.plane, Refused, logged="grant"):
        sign(acts, "sam", made, passphrase=SECRET)
    sign(acts, "ruth", made)
    objections.take_back(acts.plane, acts.id("sam"), 2, present=SECRET)
    assert verifying.verify(acts.plane).ok


def test_attack_a_proof_that_is_another_or_used(acts: Acts, tmp_path: Path, clock: Clock) -> None:
    """What an own key signed to show who is here: once, for one purpose, person and server, for ten minutes."""
    file = fresh(acts, tmp_path)
    key = open_key(file, OWN_SECRET)
    given = {"person": file.person, "purpose": "x", "at": acts.plane.now(), "nonce": bytes(16)}
    good = prove(key, **given)  # type: ignore[arg-type]
    wrong = (
        prove(key, **{**given, "purpose": "y"}),  # type: ignore[arg-type]
        prove(key, **{**given, "person": acts.id("tom")}),  # type: ignore[arg-type]
        prove(key, **{**given, "at": clock.now - timedelta(minutes=11)}),  # type: ignore[arg-type]
        replace(prove(key, **given, server="evil.example"), server="coach.example"),  # type: ignore[arg-type]
        prove(Ed25519PrivateKey.generate(), **given),  # type: ignore[arg-type]
        replace(good, nonce="00" * 15 + "01"),
        replace(good, signature=b""),
    )
    for one in wrong:
        with refused(acts.plane, Refused, match="proof"):
            presence.require(acts.plane, file.person, one, purpose="x")
    with refused(acts.plane, Refused, match="proof"):  # whose key lies on the server
        presence.require(acts.plane, acts.id("tom"), good, purpose="x")
    assert presence.require(acts.plane, file.person, good, purpose="x") == "key"
    with refused(acts.plane, Refused, match="nobody has used"):
        presence.require(acts.plane, file.person, good, purpose="x")


def test_attack_a_proof_for_another_server_is_relayed_under_its_name(acts: Acts, tmp_path: Path) -> None:
    """Where no public address is set up, a server knows itself by names of its own machine, not by what callers say."""
    file = fresh(acts, tmp_path)
    key = open_key(file, OWN_SECRET)
    client = TestClient(create_app(acts.plane.settings, clock=acts.plane.clock))
    for number, server, status in ((1, "evil.example", 401), (2, "127.evil.example", 401), (3, "127.0.0.1:8420", 201)):
        made = prove(
            key, person=file.person, purpose="log in", at=acts.plane.now(), nonce=bytes([number] * 16), server=server
        )
        proof = {"at": made.at, "nonce": made.nonce, "signature": dsse.encode_base64(made.signature)}
        answer = client.post("/v1/tokens/login", json={"person": file.person, "proof": proof}, headers={"Host": server})
        assert answer.status_code == status, answer.text
