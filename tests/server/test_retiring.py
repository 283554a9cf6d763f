"""A forgotten passphrase retires the key; and what a machine proposes is its person's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import text

from control_plane import db, verifying
from control_plane.accounts import addresses, invitations, passphrases, people, retiring, sessions, tokens
from control_plane.errors import Conflict, Refused
from control_plane.granting import grants, leaving
from control_plane.overview import queries
from control_plane.reviewing import objections, proposals, review
from control_plane.scopes import OF_MACHINES
from edge_runtime.core.trustfile import encode_trust, parse_trust
from tests.server.acts import ROLE, Acts, refused, whose
from tests.server.keyholders import fresh
from tests.server.library import CLOSING, script

NEW = "another long secret"


def code_of(acts: Acts, login: str, by: str) -> str:
    """Return a code with which somebody lets another enrol a new key."""
    given = {"purpose": invitations.NEW_KEY, "present": acts.passphrase(by)}
    return invitations.invite(acts.plane, acts.id(by), login, **given)


def retire(acts: Acts, login: str, by: str = "lena") -> str:
    """Retire somebody's key, as an administrator, and return the codes of two people for the next one."""
    given = {"reason": "forgotten on holiday", "passphrase": acts.passphrase(by)}
    retiring.retire_key(acts.plane, acts.id(by), login, **given)
    return " ".join(code_of(acts, login, one) for one in (by, "tom" if login == "ruth" else "ruth"))


def test_a_forgotten_passphrase_retires_the_key_and_what_was_signed_stays(acts: Acts) -> None:
    """Tom approves, forgets, gets a new key: his approval counts and is released; the log and the trust file agree."""
    acts.approve_fully()
    cookie = sessions.sign_in(acts.plane, "tom", acts.passphrase("tom")).cookie
    code = retire(acts, "tom")
    for refusing in (
        lambda: passphrases.open_key(acts.plane, acts.id("tom"), acts.passphrase("tom")),
        lambda: sessions.acting_for(acts.plane, cookie),
        lambda: tokens.acting_for(acts.plane, acts.people["tom"]["token"]),
    ):
        with pytest.raises(Refused):
            refusing()
    assert people.holds_of(acts.plane, "tom") == ()
    renewed = retiring.enrol_key(acts.plane, code, NEW)
    assert (renewed.id, renewed.login) == (acts.id("tom"), "tom")
    assert passphrases.open_key(acts.plane, acts.id("tom"), NEW)
    with db.read(acts.plane.engine) as session:
        from control_plane.trust import trust_file

        trust = parse_trust(encode_trust(trust_file(acts.plane, session)))
    assert len(trust.people[acts.id("tom")].others) == 1
    assert acts.release().number == 2
    report = verifying.verify(acts.plane)
    assert report.ok, report.problems


def test_attack_two_people_come_in_as_an_approver(acts: Acts) -> None:
    """Lena and ruth let a new key in as tom's: it approves nothing until two others grant it."""
    acts.check()
    retiring.enrol_key(acts.plane, retire(acts, "tom"), NEW)
    given = {"role": "facilitator", "reason": "x", "passphrase": NEW, "manifest": acts.seen()}
    with refused(acts.plane, Refused, match="role facilitator", logged="approve"):
        review.approve(acts.plane, acts.id("tom"), 2, **given)


def test_who_retires_and_how_often(acts: Acts) -> None:
    """Nobody but another administrator; once; codes are good once, and a new one ends the one before it."""
    with refused(acts.plane, Refused, logged="retire-key"):
        retire(acts, "tom", by="ruth")
    with refused(acts.plane, Refused, match="another administrator", logged="retire-key"):
        retire(acts, "lena")
    code = retire(acts, "tom")
    with refused(acts.plane, Conflict):
        retire(acts, "tom")
    for bad in (code + "x", "", code.split()[0] + " x"):
        with refused(acts.plane, Refused):
            retiring.enrol_key(acts.plane, bad, NEW)
    retiring.enrol_key(acts.plane, code, NEW)
    with refused(acts.plane, Refused):
        retiring.enrol_key(acts.plane, code, NEW)


def test_what_a_machine_proposes_is_its_persons(acts: Acts) -> None:
    """Signed by the token's key, without a passphrase; maya is its author and approves none of it; others do."""
    given = {"name": "sync", "machine": "content-sync", "scopes": OF_MACHINES, "passphrase": acts.passphrase("maya")}
    issued = tokens.issue(acts.plane, acts.id("maya"), **given)  # type: ignore[arg-type]
    acting = tokens.acting_for(acts.plane, issued.text)
    plane = replace(acts.plane, token=tokens.token_digest(issued.text), acting=acting)
    files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    made = proposals.propose(plane, acts.id("maya"), files=files, title="From the folder", passphrase="")
    assert made.author == acts.id("maya")
    assert {one.status for one in review.check(plane, acts.id("maya"), made.number)} >= {"passed"}
    with pytest.raises(Refused, match="author"):
        acts.approve("maya", made.number, role=ROLE["maya"])
    acts.approve("tom", made.number)
    acts.approve("ines", made.number)
    tokens.revoke(acts.plane, acts.id("maya"), issued.token.id)
    assert acts.release(made.number).number == 2
    report = verifying.verify(acts.plane)
    assert report.ok, report.problems


def leave(acts: Acts, login: str, *, by: str) -> bool:
    """Sign that somebody leaves."""
    return leaving.retire_person(acts.plane, acts.id(by), login, reason="moved on", present=acts.passphrase(by))


def test_somebody_leaves_when_two_others_signed_it(acts: Acts) -> None:
    """One signature changes nothing but the log; two end roles, token, session and key at once; what was said stays."""
    acts.approve_fully()
    cookie = sessions.sign_in(acts.plane, "remy", acts.passphrase("remy")).cookie
    addresses.set_address(acts.plane, acts.id("tom"), "tom", address="tom@example.org")
    objected = {"role": "safety-owner", "reason": "no", "manifest": acts.seen()}
    objections.object_to(acts.plane, acts.id("sam"), 2, **objected)
    for login, first, second in (("remy", "lena", "tom"), ("tom", "ruth", "lena"), ("sam", "lena", "ruth")):
        assert not leave(acts, login, by=first)
        assert whose(acts.plane, acts.people[login]["token"]) == login
        with refused(acts.plane, Refused, match="second person"):
            leave(acts, login, by=first)
        assert leave(acts, login, by=second)
        with pytest.raises(Refused):
            tokens.acting_for(acts.plane, acts.people[login]["token"])
        assert people.holds_of(acts.plane, login) == ()
        assert people.find_person(acts.plane, login).left
    with pytest.raises(Refused):
        sessions.acting_for(acts.plane, cookie)
    with refused(acts.plane, Refused, match="has left", logged="release"):
        acts.release()
    assert [one.standing for one in queries.show_proposal(acts.plane, 2).objections] == [True]
    assert len(queries.show_proposal(acts.plane, 2).signatures) == 3
    with db.write(acts.plane.engine) as session:
        assert addresses.address_of(acts.plane, session, acts.id("tom")) == ""
    report = verifying.verify(acts.plane)
    assert report.ok, report.problems
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text("UPDATE person SET retired = NULL WHERE login = 'remy'"))
    assert any("left otherwise" in one for one in verifying.verify(acts.plane).problems)


def test_attack_somebody_who_left_is_let_in_again_by_an_administrator(acts: Acts) -> None:
    """No code, no new key, no grant, no delegation for whoever left."""
    leave(acts, "tom", by="lena")
    leave(acts, "tom", by="ruth")
    given = {"passphrase": acts.passphrase("lena")}
    with refused(acts.plane, Conflict, match="has left"):
        code_of(acts, "tom", "lena")
    with refused(acts.plane, Conflict, match="has left"):
        retire(acts, "tom")
    with refused(acts.plane, Refused, match="eligible"):
        grants.propose(acts.plane, acts.id("lena"), grants.Making("tom", "facilitator"), reason="x", **given)
    with refused(acts.plane, Conflict, match="has left"):
        leave(acts, "tom", by="lena")


def test_attack_people_are_sent_away_by_whoever_may_not(acts: Acts) -> None:
    """Not by oneself, not without a say, not without a keeper, not by a signature whose key was retired since."""
    with refused(acts.plane, Refused, match="grantee", logged="retire-person"):
        leave(acts, "lena", by="lena")
    with refused(acts.plane, Refused, match="enrolled as", logged="retire-person"):
        leave(acts, "sam", by="remy")
    with refused(acts.plane, Conflict, match="the last one"):
        leave(acts, "lena", by="tom")
    leave(acts, "sam", by="tom")
    with refused(acts.plane, Refused, match="one of the two"):
        leave(acts, "sam", by="ines")
    retire(acts, "tom")
    assert not leave(acts, "sam", by="ruth")
    assert not people.find_person(acts.plane, "sam").left


def test_attack_an_administrator_without_a_key_is_counted_as_one_who_stays(acts: Acts, tmp_path: Path) -> None:
    """Whoever kept a key of their own that was retired can sign nothing: the last one who can is not sent away."""
    fresh(acts, tmp_path, "administrator")
    retire(acts, "noor")
    with refused(acts.plane, Conflict, match="the last one"):
        leave(acts, "lena", by="tom")
    assert not people.find_person(acts.plane, "lena").left
