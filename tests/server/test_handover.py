"""Handing a role over: the list holds whatever waits for the role or for who leaves, and one successor is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from control_plane import db
from control_plane.accounts.people import Person
from control_plane.errors import Conflict
from control_plane.granting import grants
from control_plane.lifecycle import scheduling
from control_plane.overview import handover
from control_plane.reviewing import objections, requested
from control_plane.tables.registry import ProposalRow
from control_plane.tables.reviewing import WaitingRow
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock, Stage
from tests.server.test_grants import KIM, delegate, grant, holds, kim, propose
from tests.server.test_scheduling import scheduled

__all__ = ["kim"]


def of_tom(acts: Acts) -> str:
    """Return the id of tom's own grant."""
    [found] = [one for one in grants.list_grants(acts.plane, person="tom") if not one.behalf]
    return found.id


def listed(acts: Acts, grant_id: str) -> set[tuple[str, str]]:
    """Return the kinds and names on the list of a grant."""
    return {(item.kind, item.name) for item in handover.checklist(acts.plane, grant_id).items}


def test_the_list_holds_what_waits_for_the_role_and_for_who_leaves(acts: Acts, kim: Person) -> None:
    """Requests to tom and to his role, his objection and his delegation are listed, and go once they are settled."""
    acts.enrol("ivo", "facilitator", passphrase="ivo has one, too")
    made = grant(acts, "kim", "facilitator", previous=of_tom(acts))
    before = listed(acts, made.id)
    requested.request(acts.plane, acts.id("maya"), 2, persons=["tom"])
    given = {"role": "facilitator", "reason": "not so", "manifest": acts.seen()}
    objections.object_to(acts.plane, acts.id("tom"), 2, **given)  # type: ignore[arg-type]
    away = delegate(acts, "tom", "ivo", "facilitator")
    opened = {("request", "proposal-2"), ("objection", "proposal-2"), ("delegation", away.id)}
    assert listed(acts, made.id) - before == opened
    assert [one.due for one in handover.checklist(acts.plane, made.id).items if one.kind == "request"] != [""]
    requested.end_request(acts.plane, acts.id("maya"), 2, person="tom")
    requested.request(acts.plane, acts.id("maya"), 2, roles=["facilitator"])
    assert ("request", "proposal-2") in listed(acts, made.id)
    requested.end_request(acts.plane, acts.id("maya"), 2, role="facilitator")
    objections.take_back(acts.plane, acts.id("tom"), 2, present=acts.passphrase("tom"))
    assert not {("request", "proposal-2"), ("objection", "proposal-2")} & listed(acts, made.id)


def test_the_list_holds_what_goes_out_by_an_approval_of_who_leaves(
    after: Callable[[Stage], Acts], clock: Clock
) -> None:
    """A scheduled release that tom approved is on the list, with its time, until it is off the schedule."""
    acts = after(scheduled)
    acts.enrol("kim", "facilitator", "community-host", passphrase=KIM)
    made = grant(acts, "kim", "facilitator", previous=of_tom(acts))
    other = grant(acts, "kim", "community-host")
    [planned] = [one for one in handover.checklist(acts.plane, made.id).items if one.kind == "schedule"]
    assert (planned.name, planned.due) == ("proposal-2", f"{clock.now + timedelta(hours=24):%Y-%m-%d %H:%M}")
    assert ("schedule", "proposal-2") not in listed(acts, other.id)
    scheduling.unschedule(acts.plane, acts.id("remy"), 2)
    assert ("schedule", "proposal-2") not in listed(acts, made.id)


def test_a_long_list_costs_what_it_shows(acts: Acts, kim: Person) -> None:
    """Of each kind so many are listed and no more; then the list says that it is not complete, and that is signed."""
    made = grant(acts, "kim", "facilitator", previous=of_tom(acts))
    short = handover.checklist(acts.plane, made.id)
    with db.write(acts.plane.engine) as session:
        for number in range(handover.MOST + 5):
            session.add(
                ProposalRow(
                    number=1000 + number,
                    channel="production",
                    author=acts.id("maya"),
                    state="open",
                    revision=1,
                    expires_at=acts.plane.now() + timedelta(days=9),
                    leaf=0,
                    at=acts.plane.now(),
                )
            )
            session.flush()
            session.add(WaitingRow(proposal=1000 + number, what="approve", role="facilitator"))
    long = handover.checklist(acts.plane, made.id)
    kinds = [item.kind for item in long.items]
    assert (short.complete, long.complete, kinds.count("proposal")) == (True, False, handover.MOST)
    assert long.digest != short.digest


def test_attack_two_successors_are_named_for_one_grant(acts: Acts, kim: Person, clock: Clock) -> None:
    """While one waits or holds the role no other follows; after it was ended, or waited too long, another may."""
    acts.enrol("ivo", "facilitator", passphrase="ivo has one, too")
    toms = of_tom(acts)
    propose(acts, "lena", "kim", "facilitator", previous=toms)
    with refused(acts.plane, Conflict, match="no successor yet"):
        propose(acts, "ruth", "ivo", "facilitator", previous=toms)
    clock.advance(days=15)
    second = grant(acts, "ivo", "facilitator", previous=toms)
    with refused(acts.plane, Conflict, match="no successor yet"):
        propose(acts, "ruth", "kim", "facilitator", previous=toms)
    reason = {"reason": "somebody else does it", "passphrase": acts.passphrase("lena")}
    grants.end(acts.plane, acts.id("lena"), second.id, **reason)
    third = grant(acts, "kim", "facilitator", previous=toms)
    seen = handover.checklist(acts.plane, third.id).digest
    handover.acknowledge(acts.plane, kim.id, third.id, digest=seen, passphrase=KIM)
    with refused(acts.plane, Conflict, match="no successor yet"):
        propose(acts, "ruth", "ivo", "facilitator", previous=toms)
    assert (holds(acts.plane, kim.id, "facilitator"), holds(acts.plane, acts.id("tom"), "facilitator")) == (True, False)
