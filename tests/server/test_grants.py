"""Grants: two people say who holds a role, for a time; delegation while absent; handing over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from control_plane import db
from control_plane.accounts import people, rights, sessions
from control_plane.accounts.holdings import Holding
from control_plane.accounts.people import Person
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.granting import delegations, grants
from control_plane.granting.grants import GrantRecord, Making
from control_plane.overview import handover
from control_plane.plane import ControlPlane
from control_plane.reviewing import review
from control_plane.scopes import ALL, Acting
from control_plane.tables.accounts import GrantRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock

KIM = "kim has a secret"


@pytest.fixture
def kim(acts: Acts) -> Person:
    """Somebody who was enrolled later, eligible as a facilitator and granted nothing."""
    return acts.enrol("kim", "facilitator", passphrase=KIM)


def propose(acts: Acts, login: str, person: str, role: str, **options: object) -> GrantRecord:
    """Sign a grant first, as a demo person."""
    making = Making(person, role, **options)  # type: ignore[arg-type]
    return grants.propose(acts.plane, acts.id(login), making, reason="a new term", passphrase=acts.passphrase(login))


def sign(acts: Acts, login: str, made: GrantRecord, **options: str) -> GrantRecord:
    """Sign a grant second, as a demo person."""
    given = {"digest": made.digest, "reason": "agreed", "passphrase": acts.passphrase(login), **options}
    return grants.sign(acts.plane, acts.id(login), made.id, **given)


def grant(acts: Acts, person: str, role: str, **options: object) -> GrantRecord:
    """Grant a role by lena and ruth."""
    return sign(acts, "ruth", propose(acts, "lena", person, role, **options))


def delegate(acts: Acts, login: str, person: str, role: str, *, days: int = 7, after: int = 0) -> GrantRecord:
    """Delegate as a demo person."""
    since = acts.plane.now() + timedelta(days=after)
    return delegations.delegate(
        acts.plane,
        acts.id(login),
        person=person,
        role=role,
        since=since if after else None,
        until=since + timedelta(days=days),
        reason="away",
        passphrase=acts.passphrase(login),
    )


def holds(plane: ControlPlane, person: str, role: str) -> bool:
    """Return whether somebody holds a role now."""
    with db.read(plane.engine) as session:
        return grants.granted(session, person, role, at=plane.now())


def approve_as_kim(acts: Acts, kim: Person) -> None:
    """Approve proposal 2 as kim."""
    given = {"role": "facilitator", "reason": "clearer", "passphrase": KIM, "manifest": acts.seen()}
    review.approve(acts.plane, kim.id, 2, **given)  # type: ignore[arg-type]


def test_two_people_grant_a_role_and_it_can_be_used(acts: Acts, kim: Person) -> None:
    """Eligible is not granted; after the second signature kim approves; both signatures are entries of the log."""
    acts.check()
    with refused(acts.plane, Refused, logged="approve"):
        approve_as_kim(acts, kim)
    made = propose(acts, "lena", "kim", "facilitator")
    assert (made.state, made.signers, newest(acts.plane).act) == ("proposed", (acts.id("lena"),), "role-proposed")
    assert not holds(acts.plane, kim.id, "facilitator")
    done = sign(acts, "ruth", made)
    assert (done.state, (done.until - done.since).days) == ("in-force", grants.DEFAULT_DAYS)
    assert set(done.signers) == {acts.id("lena"), acts.id("ruth")}
    leaf = newest(acts.plane)
    assert (leaf.act, leaf.object.kind, leaf.object.name, leaf.object.digest) == (
        "role-granted",
        "grant",
        made.id,
        made.digest,
    )
    approve_as_kim(acts, kim)


def test_attack_granting_oneself(acts: Acts) -> None:
    """Whose grant it is signs it neither first nor second, administrators included."""
    with refused(acts.plane, Refused, match="grantee", logged="grant"):
        propose(acts, "ruth", "ruth", "compliance")
    made = propose(acts, "lena", "ruth", "compliance")
    with refused(acts.plane, Refused, match="grantee", logged="grant"):
        sign(acts, "ruth", made)


def test_attack_one_person_signs_twice_or_two_without_a_keeper(acts: Acts, kim: Person) -> None:
    """The first signer is not the second; two who are neither administrators nor in compliance grant nothing."""
    made = propose(acts, "lena", "kim", "facilitator")
    with refused(acts.plane, Refused, match="second person"):
        sign(acts, "lena", made)
    made = propose(acts, "tom", "kim", "facilitator")
    with refused(acts.plane, Refused, match="an administrator or of compliance"):
        sign(acts, "sam", made)
    assert sign(acts, "ruth", made).state == "in-force"


@pytest.mark.parametrize("login", ["remy", "maya"])
def test_attack_somebody_without_a_say_grants(acts: Acts, kim: Person, login: str) -> None:
    """A release manager grants nothing; whoever also approves may sign."""
    if login == "maya":
        assert propose(acts, login, "kim", "facilitator").state == "proposed"
        return
    with refused(acts.plane, Refused, logged="grant"):
        propose(acts, login, "kim", "facilitator")


def test_attack_a_machine_grants(acts: Acts, kim: Person) -> None:
    """No machine signs a grant, ends one or delegates, even with every scope on its row."""
    lena = acts.id("lena")
    plane = replace(acts.plane, acting=Acting(lena, ALL, machine="ci"))
    with refused(plane, Refused, match="machine", logged="grant"):
        grants.propose(plane, lena, Making("kim", "facilitator"), reason="x", passphrase=acts.passphrase("lena"))
    [first, *_] = grants.list_grants(plane, person="tom")
    with refused(plane, Refused, match="machine", logged="end-grant"):
        grants.end(plane, lena, first.id, reason="x", passphrase=acts.passphrase("lena"))
    ruth = acts.id("ruth")
    plane = replace(acts.plane, acting=Acting(ruth, ALL, machine="ci"))
    until = plane.now() + timedelta(days=1)
    with refused(plane, Refused, match="machine", logged="delegate"):
        given = {"person": "lena", "role": "compliance", "reason": "x", "passphrase": acts.passphrase("ruth")}
        delegations.delegate(plane, ruth, until=until, **given)


def test_what_cannot_be_granted(acts: Acts, kim: Person) -> None:
    """A role of enrolment, one that they are not eligible for, too many days, a past beginning, no reason."""
    with refused(acts.plane, InvalidDocument):
        propose(acts, "lena", "kim", "administrator")
    with refused(acts.plane, Refused, match="eligible"):
        propose(acts, "lena", "kim", "compliance")
    with refused(acts.plane, InvalidDocument):
        propose(acts, "lena", "kim", "facilitator", days=57)
    with refused(acts.plane, InvalidDocument):
        propose(acts, "lena", "kim", "facilitator", since=acts.plane.now() - timedelta(seconds=1))
    made = propose(acts, "lena", "kim", "facilitator", days=3)
    with refused(acts.plane, InvalidDocument):
        sign(acts, "ruth", made, reason=" ")
    with refused(acts.plane, Conflict):
        sign(acts, "ruth", made, digest="sha256:" + "0" * 64)
    assert (made.until - made.since).days == 3


def test_a_grant_waits_for_a_second_signature_for_two_weeks(acts: Acts, kim: Person, clock: Clock) -> None:
    """What nobody signed by then is signed no more."""
    made = propose(acts, "lena", "kim", "facilitator")
    clock.advance(days=14)
    with refused(acts.plane, Refused, match="too long"):
        sign(acts, "ruth", made)
    assert grants.list_grants(acts.plane, person="kim")[0].state == "expired"


def test_what_was_approved_under_a_grant_counts_after_it(acts: Acts, clock: Clock) -> None:
    """After 56 days tom and ines approve nothing more; what they approved on the last day still counts."""
    clock.advance(days=55)
    acts.approve_fully()
    clock.advance(days=2)
    for role in ("facilitator", "community-host"):
        assert not holds(acts.plane, acts.id({"facilitator": "tom", "community-host": "ines"}[role]), role)
    acts.check()
    assert acts.release().number == 2
    proposal = acts.propose("maya", {"scripts/closing.yaml": _closing()})
    acts.check(proposal.number)
    with refused(acts.plane, Refused, match="role facilitator", logged="approve"):
        acts.approve("tom", proposal.number)


def _closing() -> str:
    from tests.server.library import script

    return script("closing", tier="R1", fill="Bye, {{ work }}.")


def test_lapsed_grants_lock_nobody_out(acts: Acts, clock: Clock) -> None:
    """When every grant has ended, two who are eligible still grant anew."""
    clock.advance(days=100)
    assert grants.list_grants(acts.plane, now_only=True) == ()
    assert grant(acts, "tom", "facilitator").state == "in-force"
    assert holds(acts.plane, acts.id("tom"), "facilitator")


def test_one_person_ends_a_grant_at_once(acts: Acts) -> None:
    """An administrator, or whose it is: from that moment it is not held, and they sign in again."""
    cookie = sessions.sign_in(acts.plane, "tom", acts.passphrase("tom")).cookie
    [toms] = grants.list_grants(acts.plane, person="tom")
    with refused(acts.plane, Refused, logged="end-grant"):
        grants.end(acts.plane, acts.id("remy"), toms.id, reason="x", passphrase=acts.passphrase("remy"))
    ended = grants.end(acts.plane, acts.id("lena"), toms.id, reason="left", passphrase=acts.passphrase("lena"))
    assert (ended.state, newest(acts.plane).act) == ("ended", "role-ended")
    with pytest.raises(Refused):
        sessions.acting_for(acts.plane, cookie)
    acts.check()
    with refused(acts.plane, Refused, logged="approve"):
        acts.approve("tom")
    with refused(acts.plane, Conflict):
        grants.end(acts.plane, acts.id("lena"), toms.id, reason="left", passphrase=acts.passphrase("lena"))


@pytest.mark.attack("approval after the grant ended")
def test_attack_a_grant_that_ended_while_somebody_signs(acts: Acts) -> None:
    """`require` asks inside the transaction: whoever lost the role a moment ago is refused there."""
    [toms] = grants.list_grants(acts.plane, person="tom")
    with db.read(acts.plane.engine) as session:
        held = grants.require(session, acts.id("tom"), "facilitator", now=acts.plane.now())
    assert held == Holding(acts.id("tom"), "facilitator", toms.id)
    grants.end(acts.plane, acts.id("tom"), toms.id, reason="left", passphrase=acts.passphrase("tom"))
    with db.read(acts.plane.engine) as session, pytest.raises(Refused):
        grants.require(session, acts.id("tom"), "facilitator", now=acts.plane.now())


def test_a_delegate_acts_for_somebody_who_is_away(acts: Acts, kim: Person) -> None:
    """Kim approves for tom, and the log says for whom; tom does not approve meanwhile, and does again after."""
    acts.check()
    made = delegate(acts, "tom", "kim", "facilitator")
    assert (made.behalf, newest(acts.plane).act) == (acts.id("tom"), "role-delegated")
    with refused(acts.plane, Refused, logged="approve"):
        acts.approve("tom")
    with db.read(acts.plane.engine) as session:
        held = grants.require(session, kim.id, "facilitator", now=acts.plane.now())
    assert held.behalf == acts.id("tom")
    assert [(one.role, one.behalf) for one in people.holds_of(acts.plane, "kim")] == [("facilitator", acts.id("tom"))]
    grants.end(acts.plane, acts.id("tom"), made.id, reason="back", passphrase=acts.passphrase("tom"))
    assert not holds(acts.plane, kim.id, "facilitator")
    acts.approve("tom")


def test_attack_a_delegation_twice_removed(acts: Acts, kim: Person) -> None:
    """What was delegated to kim she does not delegate on; nor does anybody without a grant of their own."""
    delegate(acts, "tom", "kim", "facilitator")
    acts.enrol("pat", "facilitator", passphrase=KIM)
    until = acts.plane.now() + timedelta(days=1)
    with refused(acts.plane, Refused, match="own grant", logged="delegate"):
        given = {"person": "pat", "role": "facilitator", "reason": "x", "passphrase": KIM}
        delegations.delegate(acts.plane, kim.id, until=until, **given)


def test_what_cannot_be_delegated(acts: Acts, kim: Person) -> None:
    """To oneself, to somebody who is not eligible, beyond one's grant, twice for the same time, with a wrong secret."""
    for person in ("tom", "ines"):
        with refused(acts.plane, Refused, match="eligible"):
            delegate(acts, "tom", person, "facilitator")
    with refused(acts.plane, Refused, logged="delegate"):
        delegate(acts, "tom", "kim", "facilitator", days=30, after=30)
    with refused(acts.plane, InvalidDocument):
        delegate(acts, "tom", "kim", "facilitator", days=57)
    delegate(acts, "tom", "kim", "facilitator", days=7, after=7)
    with refused(acts.plane, Conflict, match="overlaps"):
        delegate(acts, "tom", "kim", "facilitator", days=8)
    delegate(acts, "tom", "kim", "facilitator", days=7)


def test_a_delegation_ends_with_the_grant_that_it_is_of(acts: Acts, kim: Person) -> None:
    """When tom's grant ends, so does what kim holds for him."""
    delegate(acts, "tom", "kim", "facilitator")
    assert holds(acts.plane, kim.id, "facilitator")
    [toms] = grants.list_grants(acts.plane, person="tom")
    grants.end(acts.plane, acts.id("lena"), toms.id, reason="left", passphrase=acts.passphrase("lena"))
    assert not holds(acts.plane, kim.id, "facilitator")


def test_attack_one_mandate_counts_twice(acts: Acts, kim: Person) -> None:
    """Whoever signed themselves is not signed for, whoever was signed for does not sign, an author has no delegate."""
    acts.check()
    acts.approve("tom")
    seen, now = acts.seen(), acts.plane.now()
    for_tom = Holding(kim.id, "facilitator", "d-1", acts.id("tom"))
    with db.read(acts.plane.engine) as session:
        with pytest.raises(Refused, match="second one"):
            delegations.require_distinct(session, seen, for_tom, proposal=2, excluded=())
        with pytest.raises(Refused, match="second one"):
            delegations.require_distinct(session, seen, Holding(acts.id("tom"), "facilitator"), proposal=2, excluded=())
        for_maya = Holding(kim.id, "facilitator", "d-1", acts.id("maya"))
        with pytest.raises(Refused, match="author's"):
            delegations.require_distinct(session, seen, for_maya, proposal=2, excluded=[acts.id("maya")])
        delegations.require_distinct(session, seen, Holding(kim.id, "facilitator", "g-1"), proposal=2, excluded=())
    assert now == acts.plane.now()


def test_a_successor_takes_note_of_what_is_open(acts: Acts, kim: Person, clock: Clock) -> None:
    """Kim follows tom: she holds the role once she signed the list, and from then on he does not."""
    acts.check()
    [toms] = grants.list_grants(acts.plane, person="tom")
    made = grant(acts, "kim", "facilitator", previous=toms.id)
    assert made.state == "to-hand-over"
    assert (holds(acts.plane, kim.id, "facilitator"), holds(acts.plane, acts.id("tom"), "facilitator")) == (False, True)
    seen = handover.checklist(acts.plane, made.id)
    assert "proposal-2" in [item.name for item in seen.items if item.kind == "proposal"]
    with refused(acts.plane, Refused, logged="hand-over"):
        given = {"digest": seen.digest, "passphrase": acts.passphrase("tom")}
        handover.acknowledge(acts.plane, acts.id("tom"), made.id, **given)
    with refused(acts.plane, Conflict, match="as it is now"):
        handover.acknowledge(acts.plane, kim.id, made.id, digest="sha256:" + "0" * 64, passphrase=KIM)
    done = handover.acknowledge(acts.plane, kim.id, made.id, digest=seen.digest, passphrase=KIM)
    assert (done.state, newest(acts.plane).act) == ("in-force", "handed-over")
    assert (holds(acts.plane, kim.id, "facilitator"), holds(acts.plane, acts.id("tom"), "facilitator")) == (True, False)
    assert {one.id: one.state for one in grants.list_grants(acts.plane)}[toms.id] == "ended"


def test_attack_a_row_that_grants_what_nobody_signed(acts: Acts, kim: Person) -> None:
    """A grant that was written into the database holds nothing without an entry, and the log's check names it."""
    from control_plane import verifying

    made = propose(acts, "lena", "kim", "facilitator")
    assert verifying.verify(acts.plane).ok, verifying.verify(acts.plane).problems
    with db.write(acts.plane.engine) as session:
        row = session.get(GrantRow, made.id)
        assert row is not None
        row.granted = 1
    assert any(made.id in problem for problem in verifying.verify(acts.plane).problems)


def test_keepers_hold_their_role_by_grant_too(acts: Acts, clock: Clock) -> None:
    """With ruth's grant over, compliance is not hers, for whatever asks for it; an administrator's role stays."""
    clock.advance(days=57)
    attempt = Attempt("hold", acts_target())
    with refused(acts.plane, Refused, match="compliance", logged="hold"):
        rights.require_role(acts.plane, acts.id("ruth"), ("compliance",), attempt=attempt)
    assert rights.require_role(acts.plane, acts.id("lena"), ("administrator",), attempt=attempt) == "administrator"


def acts_target() -> object:
    """Return what an attempt is about."""
    from audit.record import LeafObject

    return LeafObject("log")
