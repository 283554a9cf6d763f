"""A forgotten passphrase retires the key; and what a machine proposes is its person's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control_plane import db, ledger
from control_plane.accounts import passphrases, people, retiring, sessions, tokens
from control_plane.accounts.scopes import OF_MACHINES
from control_plane.errors import Conflict, Refused
from control_plane.registry import proposals, review
from edge_runtime.core.trustfile import encode_trust, parse_trust
from tests.server.acts import ROLE, Acts, refused
from tests.server.library import CLOSING, script

NEW = "another long secret"


def retire(acts: Acts, login: str, by: str = "lena") -> str:
    """Retire somebody's key, as an administrator."""
    given = {"reason": "forgotten on holiday", "passphrase": acts.passphrase(by)}
    return retiring.retire_key(acts.plane, acts.id(by), login, **given)


def test_a_forgotten_passphrase_retires_the_key_and_what_was_signed_stays(acts: Acts) -> None:
    """Tom approves, forgets, gets a new key: his approval counts and is released; the log and the trust file agree."""
    acts.approve_fully()
    cookie = sessions.sign_in(acts.plane, "tom", acts.passphrase("tom")).cookie
    code = retire(acts, "tom")
    for refusing in (
        lambda: passphrases.open_key(acts.plane, acts.id("tom"), acts.passphrase("tom")),
        lambda: sessions.acting_for(acts.plane, cookie),
        lambda: tokens.person_of_token(acts.plane, acts.people["tom"]["token"]),
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
    report = ledger.verify(acts.plane)
    assert report.ok, report.problems


def test_attack_an_administrator_comes_in_as_an_approver(acts: Acts) -> None:
    """Lena retires tom's key and takes the code herself: the new key approves nothing until two others grant it."""
    acts.check()
    retiring.enrol_key(acts.plane, retire(acts, "tom"), NEW)
    given = {"role": "facilitator", "reason": "x", "passphrase": NEW, "manifest": acts.seen()}
    with refused(acts.plane, Refused, match="role facilitator", logged="approve"):
        review.approve(acts.plane, acts.id("tom"), 2, **given)


def test_who_retires_and_how_often(acts: Acts) -> None:
    """Nobody but another administrator; once; a code is good once, and a new one ends the one before."""
    with refused(acts.plane, Refused, logged="retire-key"):
        retire(acts, "tom", by="ruth")
    with refused(acts.plane, Refused, match="another administrator", logged="retire-key"):
        retire(acts, "lena")
    code = retire(acts, "tom")
    with refused(acts.plane, Conflict):
        retire(acts, "tom")
    with refused(acts.plane, Refused):
        retiring.enrol_key(acts.plane, code + "x", NEW)
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
    report = ledger.verify(acts.plane)
    assert report.ok, report.problems
