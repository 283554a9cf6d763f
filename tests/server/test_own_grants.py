"""Grants, delegations and what else takes a passphrase, by people who keep their key themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audit.frozen import replace as changed
from audit.record import commit, parse_leaf
from control_plane import ledger, verifying
from control_plane.accounts import addresses, retiring, tokens
from control_plane.accounts.presence import Proof, prove
from control_plane.custody.deciding import Decision, derive, sign_decision
from control_plane.custody.granting import Wanted, derive_terms, describe_terms, sign_terms
from control_plane.custody.keyfile import KeyFile, create_key, open_key
from control_plane.errors import Conflict, Refused
from control_plane.granting import delegations, grants
from control_plane.granting.grants import GrantRecord, Making
from control_plane.keeping import erasing, holding, retention
from control_plane.keeping.keepers import Asking
from control_plane.overview import batches, handover
from control_plane.purposes import doing
from control_plane.registry.discussed import BatchItem
from control_plane.reviewing import own_keys
from control_plane.signing import Elsewhere, Terms
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from tests.command_table import program
from tests.server.acts import Acts, newest, refused, state_of
from tests.server.conftest import CHEAP, Clock
from tests.server.keyholders import SALT, SECRET, enrol, fresh, live
from tests.server.library import CLOSING, script
from tests.serving import served

Act = Callable[[Elsewhere], GrantRecord]
WHY = "it is due"


@pytest.fixture
def ruth(acts: Acts, tmp_path: Path) -> KeyFile:
    """Ruth, of compliance, who took her key to herself."""
    file = create_key(tmp_path / "ruth.key", person=acts.id("ruth"), passphrase=SECRET, cost=CHEAP)
    enrol(acts, file, passphrase=acts.passphrase("ruth"))
    return file


def handed(made: JsonObject) -> Elsewhere:
    """Return what a machine signed, as it is handed in."""
    return own_keys.signed_elsewhere([(made["envelope"], dsse.decode_base64(made["salt"]))])


def agreed(acts: Acts, file: KeyFile, act: Act, **wanted: Any) -> GrantRecord:
    """Do an act about a grant: ask, derive, sign, hand in; asking changes nothing."""
    before = state_of(acts.plane)
    asked = own_keys.unsigned(act, Terms)
    assert state_of(acts.plane) == before
    terms = derive_terms(asked.document, Wanted(file.person, **wanted), now=acts.plane.now())
    assert terms.person in " ".join(describe_terms(terms))
    return act(handed(sign_terms(terms, open_key(file, SECRET), reason=WHY, salt=SALT)))


def shows(acts: Acts, file: KeyFile, purpose: str, nonce: int = 0) -> Proof:
    """Return what shows that somebody is here, for a purpose."""
    return prove(open_key(file, SECRET), person=file.person, purpose=purpose, at=acts.plane.now(), nonce=bytes([nonce]))


def proposing(acts: Acts, file: KeyFile, **making: Any) -> Act:
    """Return the act of signing a grant as a facilitator's for maya, say, first."""
    given = Making(**{"person": acts.id("maya"), "role": "learning-designer", **making})
    return lambda proof: grants.propose(acts.plane, file.person, given, reason=WHY, passphrase=proof)


def test_a_grant_is_signed_first_and_second_with_own_keys(acts: Acts, ruth: KeyFile, tmp_path: Path) -> None:
    """Its terms are derived on each machine; it is in force then, both keys are in the log, and the log verifies."""
    noor = fresh(acts, tmp_path, "safety-owner")
    said = {"person": acts.id("maya"), "role": "learning-designer", "days": 7}
    made = agreed(acts, ruth, proposing(acts, ruth, days=7), **said)
    assert (made.state, made.signers, newest(acts.plane).actor.auth) == ("proposed", (ruth.person,), "key")

    def second(proof: Elsewhere) -> GrantRecord:
        return grants.sign(acts.plane, noor.person, made.id, digest=made.digest, reason=WHY, passphrase=proof)

    done = agreed(acts, noor, second, digest=made.digest)
    assert (done.state, set(done.signers)) == ("in-force", {ruth.person, noor.person})
    assert verifying.verify(acts.plane).problems == ()


def test_a_delegation_with_an_own_key(acts: Acts, ruth: KeyFile) -> None:
    """Whoever will be away signs for whom, in which role and until when; another can take the place meanwhile."""
    kim = acts.enrol("kim", "compliance", passphrase="kim has a secret").id
    until = acts.plane.now() + timedelta(days=3)

    def act(proof: Elsewhere) -> GrantRecord:
        given = {"person": kim, "role": "compliance", "until": until, "reason": WHY}
        return delegations.delegate(acts.plane, ruth.person, passphrase=proof, **given)  # type: ignore[arg-type]

    made = agreed(acts, ruth, act, person=kim, role="compliance", until=until)
    assert (made.state, made.behalf) == ("in-force", ruth.person)
    ended = grants.end(
        acts.plane, ruth.person, made.id, reason="back", passphrase=shows(acts, ruth, doing("end-grant", made.id))
    )
    assert ended.state == "ended"
    assert verifying.verify(acts.plane).problems == ()


def test_attack_terms_that_are_not_what_the_server_would_sign(acts: Acts, ruth: KeyFile, clock: Clock) -> None:
    """Another role, person or end, a taken id, a delegation for a grant, an old one, another's key: nothing changes."""
    act = proposing(acts, ruth, days=7)
    asked = own_keys.unsigned(act, Terms)
    wanted = Wanted(ruth.person, acts.id("maya"), "learning-designer", days=7)
    terms = derive_terms(asked.document, wanted, now=acts.plane.now())
    key = open_key(ruth, SECRET)
    for other in (
        changed(terms, role="facilitator"),
        changed(terms, person=acts.id("tom")),
        changed(terms, until=f"{acts.plane.now() + timedelta(days=300):%Y-%m-%dT%H:%M:%SZ}"),
        changed(terms, reason=commit("another", SALT)),
        changed(terms, organisation="another"),
        changed(terms, previous="g-000000000000"),
    ):
        with refused(acts.plane, Refused, "something else"):
            act(handed(sign_terms(other, key, reason=WHY, salt=SALT)))
    with refused(acts.plane, Conflict, "nobody has"):
        act(handed(sign_terms(changed(terms, id="mine"), key, reason=WHY, salt=SALT)))
    stranger = create_key(acts.plane.settings.home / "x.key", person=ruth.person, passphrase=SECRET, cost=CHEAP)
    with refused(acts.plane, Refused, "own alone"):
        act(handed(sign_terms(terms, open_key(stranger, SECRET), reason=WHY, salt=SALT)))
    made = handed(sign_terms(terms, key, reason=WHY, salt=SALT))
    clock.advance(minutes=11)
    with refused(acts.plane, Refused, "something else"):
        act(made)
    clock.advance(minutes=-11)
    act(made)
    with refused(acts.plane, Conflict, "nobody has"):
        act(made)


def test_attack_a_server_that_has_another_grant_signed(acts: Acts, ruth: KeyFile) -> None:
    """Another person, role, time, predecessor or digest than was asked for, or oneself: nothing is signed."""
    now = acts.plane.now()
    asked = own_keys.unsigned(proposing(acts, ruth, days=7), Terms).document
    good = Wanted(ruth.person, acts.id("maya"), "learning-designer", days=7)
    assert derive_terms(asked, good, now=now).role == "learning-designer"
    for wanted, at in (
        (replace(good, person=acts.id("tom")), now),
        (replace(good, role="facilitator"), now),
        (replace(good, days=8), now),
        (replace(good, previous="g-000000000000"), now),
        (replace(good, until=now), now),
        (replace(good, digest="sha256:" + "0" * 64), now),
        (replace(good, by=acts.id("maya")), now),
        (good, now + timedelta(hours=1)),
    ):
        with pytest.raises(Refused, match="asked for"):
            derive_terms(asked, wanted, now=at)
    with pytest.raises(InvalidDocument):
        derive_terms({**asked, "extra": 1}, good, now=now)


def test_what_takes_a_passphrase_takes_a_proof_for_just_that(acts: Acts, ruth: KeyFile, tmp_path: Path) -> None:
    """Holds, settings, erasure, tokens, addresses, retiring: by key, and by no proof for anything else."""
    plane, me = acts.plane, ruth.person
    admin = create_key(tmp_path / "lena.key", person=acts.id("lena"), passphrase=SECRET, cost=CHEAP)
    enrol(acts, admin, passphrase=acts.passphrase("lena"))
    why, tom = "it is due", acts.id("tom")
    doings: tuple[tuple[KeyFile, str, Callable[[Proof], object]], ...] = (
        (ruth, doing("hold", tom), lambda p: holding.hold(plane, "tom", asking=Asking(me, why, p))),
        (ruth, doing("lift-hold", "hold-1"), lambda p: holding.lift_hold(plane, "hold-1", asking=Asking(me, why, p))),
        (
            ruth,
            doing("change-setting", "reading-log", "on"),
            lambda p: retention.change_setting(plane, "reading-log", "on", asking=Asking(me, why, p)),
        ),
        (ruth, doing("erase", tom), lambda p: erasing.erase(plane, "tom", asking=Asking(me, why, p))),
        (
            admin,
            doing("set-address", tom, "tom@example.org"),
            lambda p: addresses.set_address(plane, admin.person, "tom", address="tom@example.org", passphrase=p),
        ),
        (
            admin,
            doing("issue-token", "ci", 3, "", "read"),
            lambda p: tokens.issue(plane, admin.person, name="ci", days=3, scopes=["read"], passphrase=p),
        ),
        (
            admin,
            doing("retire-key", tom),
            lambda p: retiring.retire_key(plane, admin.person, "tom", passphrase=p, reason=why),
        ),
    )
    for at, (who, purpose, act) in enumerate(doings):
        with refused(plane, Refused, "proof"):
            act(shows(acts, who, purpose + " too", at))
        good = shows(acts, who, purpose, at)
        act(good)
        assert newest(plane).actor.id == who.person
        logged = [parse_leaf(one.data) for one in ledger.search(plane, actor=who.person)]
        assert "key" in {str(one.actor.auth) for one in logged}
    assert verifying.verify(plane).problems == ()


def test_a_batch_is_approved_with_an_own_key(acts: Acts, tmp_path: Path) -> None:
    """One signature for each item, in its place; one too few, or in another's place: none is approved."""
    noor = fresh(acts, tmp_path)
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    key, items, signed = open_key(noor, SECRET), [], []
    for number in (2, other.number):
        acts.check(number)
        batches.open_proposal(acts.plane, noor.person, number)
        derived = derive(own_keys.material_of(acts.plane, number), live(acts))
        decision = Decision("approve", noor.person, "facilitator", "clear")
        made = sign_decision(derived, decision, key, salt=SALT, at=acts.plane.now())
        signed.append((made["envelope"], SALT))
        items.append(BatchItem(number, derived.manifest, "facilitator", "clear"))
    for given in (signed[:1], signed[::-1]):
        with refused(acts.plane, Refused):
            batches.approve_batch(acts.plane, noor.person, items, passphrase=own_keys.signed_elsewhere(given))
    done = batches.approve_batch(acts.plane, noor.person, items, passphrase=own_keys.signed_elsewhere(signed))
    assert [one.number for one in done] == [2, other.number]
    assert verifying.verify(acts.plane).ok


def test_commands_grant_with_an_own_key_at_a_home_and_at_a_server(acts: Acts, ruth: KeyFile, tmp_path: Path) -> None:
    """`--key` shows the terms, signs and hands in; what only shows that somebody is here takes it, too."""
    key = ["--key", tmp_path / "ruth.key"]
    where = {"MENTORPLANE_HOME": str(acts.plane.settings.home)}

    def run(*words: object) -> Result:
        env = {"MENTORPLANE_PASSPHRASE": SECRET, "DATABASE_URL": acts.plane.settings.database_url, **where}
        return CliRunner().invoke(program(), [*map(str, words), *map(str, key)], env=env)

    asked = ("grant", "propose", "maya", "learning-designer", "--reason", "due", "--days", 7, "--yes", "--json")
    monday = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    here = run(*asked, "--since", monday)
    assert (here.exit_code, "acts as learning-designer" in here.stderr) == (0, True), here.output
    assert f"from {monday}T00:00:00Z" in here.stderr
    assert json.loads(here.stdout)["since"].startswith(f"{monday}T00:00:00")
    with served(acts.plane.settings) as url:
        token = tokens.issue_token(acts.plane, ruth.person)
        where = {"MENTORPLANE_SERVER": url, "MENTORPLANE_TOKEN": token, "MENTORPLANE_HOME": str(tmp_path / "none")}
        there = run(*asked)
        assert there.exit_code == 0, there.output
        made = json.loads(there.stdout)
        ended = run("grant", "end", made["id"], "--reason", "over")
        assert (ended.exit_code, "ended" in ended.stdout) == (0, True), ended.output
        held = run("audit", "hold", "place", "--person", "tom", "--reason", "case")
        assert held.exit_code == 0, held.output
    assert verifying.verify(acts.plane).ok


def test_a_successor_takes_over_with_an_own_key(acts: Acts, ruth: KeyFile) -> None:
    """The proof names the list that they looked at: for another one it is not good."""
    [maya] = grants.list_grants(acts.plane, person="maya")
    kim = acts.enrol("kim", "learning-designer", passphrase="kim has a secret").id
    file = create_key(acts.plane.settings.home / "kim.key", person=kim, passphrase=SECRET, cost=CHEAP)
    enrol(acts, file, passphrase="kim has a secret")
    wanted = {"person": kim, "role": "learning-designer", "previous": maya.id}
    made = agreed(acts, ruth, proposing(acts, ruth, **wanted), **wanted)
    grants.sign(
        acts.plane,
        acts.id("lena"),
        made.id,
        digest=made.digest,
        reason="yes",
        passphrase=acts.passphrase("lena"),
    )
    seen = handover.checklist(acts.plane, made.id).digest
    with refused(acts.plane, Refused, "proof"):
        other = shows(acts, file, doing("hand-over", made.id, "sha256:" + "0" * 64))
        handover.acknowledge(acts.plane, kim, made.id, digest=seen, passphrase=other)
    good = shows(acts, file, doing("hand-over", made.id, seen), 1)
    assert handover.acknowledge(acts.plane, kim, made.id, digest=seen, passphrase=good).state == "in-force"
