"""Keys that people keep themselves: made, enrolled, and what is signed with them, honestly and otherwise."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import select

from control_plane import db, ledger, verifying
from control_plane.accounts import invitations, passphrases, people, rights, sessions, tokens
from control_plane.accounts.presence import prove
from control_plane.accounts.standing import has_say, key_digest
from control_plane.custody.deciding import Decision, Derived, Verified, derive, sign_decision
from control_plane.custody.keyfile import KeyFile, create_key, load_key, open_key
from control_plane.custody.verified import verified_release
from control_plane.errors import Conflict, Refused
from control_plane.overview import queries
from control_plane.purposes import doing
from control_plane.registry.records import Proposal
from control_plane.reviewing import objections, own_keys
from control_plane.tables.accounts import IdentityRow, InvitationRow
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument, NotTrusted, Unavailable
from tests.server.acts import Acts, refused
from tests.server.conftest import CHEAP
from tests.server.keyholders import SALT, SECRET, enrol, fresh, live
from tests.server.library import CLOSING, script
from tests.server.test_retiring import retire


@pytest.fixture
def own(acts: Acts, tmp_path: Path) -> KeyFile:
    """A key of tom's own, not enrolled."""
    return create_key(tmp_path / "tom.key", person=acts.id("tom"), passphrase=SECRET, cost=CHEAP)


def derived(acts: Acts, number: int = 2) -> Derived:
    """Return a proposal as the machine of somebody with their own key derives it."""
    return derive(own_keys.material_of(acts.plane, number), live(acts))


def hand_in(acts: Acts, file: KeyFile, one: Derived, **options: object) -> Proposal:
    """Sign and hand in an approval; options change what is handed in."""
    at: datetime = options.pop("at", acts.plane.now())  # type: ignore[assignment]
    decision = Decision(str(options.pop("act", "approve")), file.person, "facilitator", "read it here")
    signed = sign_decision(one, decision, open_key(file, SECRET), salt=SALT, at=at)
    given = {"envelope": signed["envelope"], "reason": signed["reason"], "salt": SALT, **options}
    return own_keys.take_statement(acts.plane, file.person, one.number, **given)  # type: ignore[arg-type]


@pytest.mark.databases
def test_a_statement_signed_elsewhere_counts_like_any_other(acts: Acts, tmp_path: Path) -> None:
    """What was derived, checked and signed on the person's machine is an approval; the server cannot sign for them."""
    file = fresh(acts, tmp_path)
    acts.check()
    one = derived(acts)
    assert (one.manifest, [change.name for change in one.changes]) == (acts.seen(), ["opener"])
    assert {check.status for check in one.checks} <= {"passed", "notice"}
    hand_in(acts, file, one)
    acts.approve("ines")
    assert acts.release().number == 2
    [entry] = ledger.search(acts.plane, act="approved", actor=file.person)
    assert b'"auth":"key"' in entry.data
    assert verifying.verify(acts.plane).problems == ()
    with refused(acts.plane, Refused, "key lies here"):
        passphrases.open_key(acts.plane, file.person, SECRET)


def test_attack_a_statement_that_is_not_what_the_server_would_sign(acts: Acts, tmp_path: Path) -> None:
    """Another reason, salt, time, number, manifest or signature than the one derived: refused, and nothing changes."""
    file = fresh(acts, tmp_path)
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check()
    acts.check(other.number)
    one = derived(acts)
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, file, one, reason="another reason")
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, file, one, salt=bytes(16))
    with refused(acts.plane, Conflict, "as it is now"):
        hand_in(acts, file, replace(one, number=other.number))
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, file, replace(one, entries=()))
    with refused(acts.plane, Refused, "within ten minutes"):
        hand_in(acts, file, one, at=acts.plane.now().replace(year=2020))
    stranger = create_key(tmp_path / "x.key", person=file.person, passphrase=SECRET, cost=CHEAP)
    with refused(acts.plane, Refused, "key of the person's own"):
        hand_in(acts, stranger, one)
    hand_in(acts, file, one)
    with refused(acts.plane, Refused, "one signature of each person"):
        hand_in(acts, file, one)


def test_attack_a_signature_of_another_key_beside_ones_own(acts: Acts, tmp_path: Path) -> None:
    """Nothing but the person's own signature is kept, published, and named in the log as the key that signed."""
    file = fresh(acts, tmp_path)
    acts.check()
    signed = sign_decision(
        derived(acts),
        Decision("approve", file.person, "facilitator", "read it"),
        open_key(file, SECRET),
        salt=SALT,
        at=acts.plane.now(),
    )
    envelope = dict(signed["envelope"])
    other = {"keyid": "ab" * 32, "sig": dsse.encode_base64(bytes(64))}
    both = {**envelope, "signatures": [other, *envelope["signatures"]]}
    with refused(acts.plane, Refused, "own alone"):
        own_keys.take_statement(acts.plane, file.person, 2, envelope=both, reason="read it", salt=SALT)


def test_attack_somebody_else_hands_a_statement_in(acts: Acts, tmp_path: Path) -> None:
    """A statement is taken from the person it names alone."""
    file = fresh(acts, tmp_path)
    acts.check()
    signed = sign_decision(
        derived(acts),
        Decision("approve", file.person, "facilitator", "read it"),
        open_key(file, SECRET),
        salt=SALT,
        at=acts.plane.now(),
    )
    with refused(acts.plane, Refused, "person who sends it"):
        own_keys.take_statement(
            acts.plane, acts.id("tom"), 2, envelope=dict(signed["envelope"]), reason="read it", salt=SALT
        )


def test_a_rejection_with_an_own_key_blocks(acts: Acts, tmp_path: Path) -> None:
    """It is a rejection like any other, and is taken back by who made it."""
    file = fresh(acts, tmp_path)
    assert hand_in(acts, file, derived(acts), act="reject").state == "rejected"
    purpose, now = objections.taking_back(2), acts.plane.now()
    proof = prove(open_key(file, SECRET), person=file.person, purpose=purpose, at=now, nonce=SALT)
    objections.take_back(acts.plane, file.person, 2, present=proof)
    assert queries.show_proposal(acts.plane, 2).proposal.state == "open"


def test_attack_a_server_that_shows_one_thing_and_has_another_signed(acts: Acts) -> None:
    """Contents under other digests, missing ones, another base or digest than told: nothing is derived."""
    material, verified = own_keys.material_of(acts.plane, 2), live(acts)
    [changed] = [entry for entry in derive(material, verified).entries if entry.name == "opener"]
    forged = {**material.closures, changed.digest: material.closures[changed.digest].replace("did", "lied")}
    with pytest.raises(Refused, match="digests that name them"):
        derive(replace(material, closures=forged), verified)
    without = {name: text for name, text in material.closures.items() if name != changed.digest}
    with pytest.raises(Refused, match="content of prompt 'opener'"):
        derive(replace(material, closures=without), verified)
    with pytest.raises(Conflict, match="this machine verified"):
        derive(material, Verified(None, {}))
    with pytest.raises(Refused, match="digest that was given"):
        derive(material, verified, manifest="sha256:" + "0" * 64)
    with pytest.raises(Refused, match="organisation and channel"):
        derive(replace(material, organisation="another"), verified)
    with pytest.raises(InvalidDocument):
        derive(replace(material, manifest=material.manifest.replace("{", "{ ", 1)), verified)


def test_what_fails_here_is_not_approved_here(acts: Acts, tmp_path: Path) -> None:
    """The checks that count for the signer are those that their own machine ran."""
    file = fresh(acts, tmp_path)
    one = derived(acts)
    failing = replace(one, checks=(replace(one.checks[0], status="failed"), *one.checks[1:]))
    with pytest.raises(Refused, match="pass here"):
        hand_in(acts, file, failing)


def test_a_key_file_is_its_owners_alone(own: KeyFile, tmp_path: Path) -> None:
    """Mode 0600, sealed, written once; another passphrase, mode, owner or public half is refused."""
    path = tmp_path / "tom.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == own
    assert dsse.public_bytes(open_key(own, SECRET)) == own.public
    for file in (replace(own, person="p-other"), replace(own, public=bytes(32))):
        with pytest.raises(Refused):
            open_key(file, SECRET)
    with pytest.raises(Refused, match="passphrase"):
        open_key(own, "another passphrase")
    with pytest.raises(Conflict):
        create_key(path, person="p-1", passphrase=SECRET, cost=CHEAP)
    with pytest.raises(InvalidDocument):
        create_key(tmp_path / "short.key", person="p-1", passphrase="short", cost=CHEAP)
    path.chmod(0o644)
    with pytest.raises(Refused, match="only its owner"):
        load_key(path)
    path.chmod(0o600)
    path.write_text("{}")
    with pytest.raises(InvalidDocument):
        load_key(path)


def test_somebody_takes_their_key_to_themselves_and_stays_who_they_are(acts: Acts, own: KeyFile) -> None:
    """What they signed and hold stays; another's proof, key or passphrase is refused; and the next by the one before.

    An administrator whom the installation enrolled goes on having a say about grants.
    """
    acts.approve_fully()
    with refused(acts.plane, InvalidDocument, "proof"):
        enrol(acts, replace(own, person=acts.id("sam")), passphrase=acts.passphrase("sam"))
    enrol(acts, own, passphrase=acts.passphrase("tom"))
    tom = people.find_person(acts.plane, "tom")
    assert (tom.custody, people.holds_of(acts.plane, "tom")[0].role) == ("own", "facilitator")
    assert acts.release().number == 2
    with refused(acts.plane, Refused, "key lies here"):
        enrol(acts, own, passphrase=acts.passphrase("tom"))
    lena = create_key(acts.plane.settings.home / "lena.key", person=acts.id("lena"), passphrase=SECRET, cost=CHEAP)
    with refused(acts.plane, Conflict, "not enrolled yet"):
        held = open_key(own, SECRET).sign(own_keys.PROOF + lena.person.encode())
        enrol(acts, replace(lena, public=own.public, proof=held), passphrase=acts.passphrase("lena"))
    enrol(acts, lena, passphrase=acts.passphrase("lena"))
    next_one = create_key(acts.plane.settings.home / "next.key", person=lena.person, passphrase=SECRET, cost=CHEAP)
    purpose, now = doing("enrol-key", key_digest(next_one.public)), acts.plane.now()
    proof = prove(open_key(lena, SECRET), person=lena.person, purpose=purpose, at=now, nonce=SALT)
    given = {"public_key": next_one.public, "proof": next_one.proof, "present": proof}
    own_keys.enrol_own_key(acts.plane, lena.person, **given)  # type: ignore[arg-type]
    with db.read(acts.plane.engine) as session:
        assert has_say(session, rights.find_row(session, lena.person))
    assert verifying.verify(acts.plane).problems == ()


def test_attack_what_was_made_with_a_stolen_passphrase_goes_with_the_key(acts: Acts, own: KeyFile) -> None:
    """Tokens, a session, a linked account and a code for one end; what the person holds stays."""
    tom, given = acts.id("tom"), acts.passphrase("tom")
    made = [tokens.issue(acts.plane, tom, name="mine", passphrase=given), tokens.log_in(acts.plane, "tom", given)]
    cookie = sessions.sign_in(acts.plane, "tom", given).cookie
    invitations.invite(acts.plane, tom, "tom", purpose=invitations.SIGN_ON, present=given)
    with db.write(acts.plane.engine) as session:
        session.add(IdentityRow(issuer="https://id.example", subject="thief", person=tom, at=acts.plane.now()))
    enrol(acts, own, passphrase=given)
    for one in made:
        with refused(acts.plane, Refused, "valid token"):
            tokens.acting_for(acts.plane, one.text)
    with refused(acts.plane, Refused):
        sessions.acting_for(acts.plane, cookie)
    with db.read(acts.plane.engine) as session:
        assert session.exec(select(IdentityRow).where(IdentityRow.person == tom)).all() == []
        assert session.exec(select(InvitationRow).where(InvitationRow.person == tom)).all() == []
    assert [held.role for held in people.holds_of(acts.plane, "tom")] == ["facilitator"]
    assert verifying.verify(acts.plane).problems == ()


def test_a_retired_key_is_followed_by_one_of_their_own_with_the_codes_of_two_people(acts: Acts, own: KeyFile) -> None:
    """The key before is retired, what it signed stays valid, and the log verifies."""
    code = retire(acts, "tom")
    with refused(acts.plane, InvalidDocument, "proof"):
        own_keys.enrol_with_code(acts.plane, code, public_key=own.public, proof=bytes(64))
    made = own_keys.enrol_with_code(acts.plane, code, public_key=own.public, proof=own.proof)
    assert (made.login, made.custody) == ("tom", "own")
    assert verifying.verify(acts.plane).problems == ()
    with refused(acts.plane, Refused):
        own_keys.enrol_with_code(acts.plane, code, public_key=own.public, proof=own.proof)


def test_what_is_live_is_asked_of_the_device(tmp_path: Path) -> None:
    """What the device refused, did not reach or garbled is an error of its kind."""

    def says(code: int, out: str = "", err: str = "error: V2: expired") -> object:
        return lambda _arguments: subprocess.CompletedProcess([], code, out, err)

    where = {"trust": tmp_path, "source": "x", "channel": "production"}
    for code, kind in ((2, NotTrusted), (1, Unavailable)):
        with pytest.raises(kind, match="V2: expired"):
            verified_release(tmp_path, **where, ask=says(code))  # type: ignore[arg-type]
    with pytest.raises(InvalidDocument):
        verified_release(tmp_path, **where, ask=says(0, "{}"))  # type: ignore[arg-type]
