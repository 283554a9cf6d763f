"""Scheduled activation: at its time a proposal goes out if all that held still holds, else it is suspended."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audit.record import parse_leaf
from control_plane import db, ledger, verifying
from control_plane.errors import Refused
from control_plane.lifecycle.releases import recover
from control_plane.lifecycle.scheduling import release_due, schedule, unschedule
from control_plane.overview import queries
from control_plane.overview.course import BECAUSE, list_planned
from control_plane.plane import open_plane
from control_plane.tables.registry import PersonRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused, state_of
from tests.server.conftest import Clock, Stage, Template, copied
from tests.server.library import CLOSING, script
from tests.server.test_releases import device
from tests.server.test_releases_kill import kill_at_write


def approved(acts: Acts, clock: Clock) -> None:
    """Leave the home with proposal 2 approved."""
    acts.approve_fully()


def scheduled(acts: Acts, clock: Clock) -> None:
    """Leave the home with proposal 2 scheduled for tomorrow."""
    approved(acts, clock)
    set_for(acts, clock, hours=24)


def set_for(acts: Acts, clock: Clock, login: str = "remy", **ahead: int) -> None:
    """Schedule proposal 2."""
    schedule(acts.plane, acts.id(login), 2, at=clock.now + timedelta(**ahead))


def state(acts: Acts, number: int = 2) -> str:
    """Return the state of a proposal."""
    return queries.show_proposal(acts.plane, number).proposal.state


@pytest.mark.databases
def test_it_goes_out_at_its_time_once(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """Not a second earlier; the scheduler answers for it, the installation did it; asking again changes nothing."""
    acts = after(scheduled)
    clock.advance(hours=23, minutes=59)
    assert (release_due(acts.plane), state(acts)) == ((), "scheduled")
    clock.advance(minutes=1)
    assert release_due(acts.plane) == ("proposal 2 released as 2 on production",)
    last = newest(acts.plane)
    assert (last.act, last.actor.id, last.actor.auth, last.actor.client) == (
        "released",
        acts.id("remy"),
        "system",
        "system",
    )
    before = state_of(acts.plane)
    assert (release_due(acts.plane), state_of(acts.plane)) == ((), before)
    assert verifying.verify(acts.plane).ok


def test_several_servers_at_once_release_it_once(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """A second server over the same database finds nothing left to do."""
    acts = after(scheduled)
    clock.advance(hours=25)
    other = open_plane(acts.plane.settings, clock=clock)
    try:
        said = [release_due(plane) for plane in (acts.plane, other, acts.plane)]
    finally:
        other.close()
    assert [len(one) for one in said] == [1, 0, 0]
    assert len(ledger.search(acts.plane, act="released")) == 2


def test_only_what_is_approved_is_scheduled(acts: Acts, clock: Clock) -> None:
    """Without approvals, by somebody without the role, or for a time that has passed: refused."""
    acts.check()
    with refused(acts.plane, Refused, "lacks"):
        set_for(acts, clock, hours=1)
    acts.approve("tom")
    acts.approve("ines")
    with refused(acts.plane, Refused, "release-manager", logged="schedule"):
        set_for(acts, clock, "tom", hours=1)
    for ahead in ({"hours": -1}, {"days": 400}):
        with refused(acts.plane, InvalidDocument, "a time from now on"):
            set_for(acts, clock, **ahead)
    set_for(acts, clock, hours=1)
    with refused(acts.plane, Refused, "open proposal"):
        acts.release()


def _moved(acts: Acts, _clock: Clock) -> None:
    made = acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")})
    acts.approve_fully(made.number)
    acts.release(made.number)


def _role_ended(acts: Acts, _clock: Clock) -> None:
    with db.write(acts.plane.engine) as session:
        session.get_one(PersonRow, acts.id("remy")).roles = ["author"]


def _checks_old(_acts: Acts, clock: Clock) -> None:
    clock.advance(days=20)


@pytest.mark.parametrize(("move", "code"), [(_moved, "stale"), (_role_ended, "role-ended"), (_checks_old, "checks")])
def test_it_is_suspended_when_the_world_moved_underneath(
    after: Callable[[Stage], Acts], clock: Clock, move: Callable[[Acts, Clock], None], code: str
) -> None:
    """Nothing goes out; the log says why, once; nobody but people take it from there."""
    acts = after(scheduled)
    move(acts, clock)
    live = queries.live_manifest(acts.plane)
    clock.advance(hours=25)
    [said] = release_due(acts.plane)
    assert (state(acts), said.startswith("proposal 2 suspended: ")) == ("suspended", True)
    [last] = ledger.search(acts.plane, act="suspended")
    assert (parse_leaf(last.data).reason.code, last.actor, last.name) == (code, "system", "proposal-2")
    assert queries.live_manifest(acts.plane) == live
    before = state_of(acts.plane)
    assert (release_due(acts.plane), state_of(acts.plane)) == ((), before)
    seen = queries.show_proposal(acts.plane, 2).course
    assert (seen.suspended, seen.because) == (code, BECAUSE[code])
    assert [(one.proposal, one.suspended) for one in list_planned(acts.plane)] == [(2, code)]
    assert [task.why for task in queries.inbox(acts.plane, acts.id("maya")) if task.proposal.number == 2] == ["edit"]
    remy = [task.why for task in queries.inbox(acts.plane, acts.id("remy"))]
    assert ("reschedule" in remy) == (code == "checks")  # for what is stale an author goes on


def test_an_edit_takes_it_off_the_schedule(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """What was scheduled is not what it is now: it is open again and does not go out."""
    acts = after(scheduled)
    acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")})
    assert state(acts) == "open"
    clock.advance(hours=25)
    assert release_due(acts.plane) == ()
    assert len(queries.list_releases(acts.plane)) == 1


def test_a_rejection_takes_it_off_the_schedule(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """One objection blocks, also after the approvals and before the time."""
    acts = after(scheduled)
    acts.reject("ruth", 2)
    clock.advance(hours=25)
    assert (release_due(acts.plane), state(acts)) == ((), "rejected")


def test_it_is_unscheduled_and_scheduled_anew(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """Approvals stay; a suspended one goes on once what stood in the way is gone."""
    acts = after(scheduled)
    unschedule(acts.plane, acts.id("remy"), 2)
    assert (state(acts), newest(acts.plane).act) == ("open", "unscheduled")
    clock.advance(hours=25)
    assert release_due(acts.plane) == ()
    set_for(acts, clock, hours=1)
    clock.advance(days=20)
    release_due(acts.plane)
    assert state(acts) == "suspended"
    with refused(acts.plane, Refused, "checks"):
        set_for(acts, clock, hours=1)
    acts.check()
    set_for(acts, clock, hours=1)
    clock.advance(hours=2)
    assert (len(release_due(acts.plane)), state(acts)) == (1, "released")


def test_machines_do_not_schedule(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """A person without the role is refused, whatever they hold otherwise, and the log says that they tried."""
    acts = after(scheduled)
    with refused(replace(acts.plane), Refused, "release-manager", logged="unschedule"):
        unschedule(acts.plane, acts.id("maya"), 2)


@pytest.mark.skipif(os.name == "nt", reason="kills a forked child")
@pytest.mark.databases
@pytest.mark.parametrize("which", ["some", pytest.param("every", marks=pytest.mark.soak)])
def test_killed_at_any_write_what_was_due_is_done_once(
    after: Callable[[Stage], Acts], clock: Clock, which: str, server: str, tmp_path: Path
) -> None:
    """Killed at writes of a scheduled release in turn: the next look finishes it, and never does it twice."""
    acts = after(scheduled)
    acts.plane.close()
    clock.advance(hours=25)
    original, writes, killed = Template(acts.plane.settings, clock.now), 0, True
    while killed:
        with copied(original, server, tmp_path / f"copy{writes}") as copy:
            killed = kill_at_write(copy, lambda plane: release_due(replace(plane, clock=clock)), writes)
            plane = open_plane(copy, clock=clock)
            recover(plane)
            release_due(plane)
            released = [leaf for leaf in ledger.search(plane, act="released") if leaf.name == "release-production-2"]
            edge = device(plane, copy.home / "late")
            assert (len(released), edge.refresh().release, verifying.verify(plane).ok) == (1, 2, True)
            plane.close()
        writes += 1 if which == "every" else 12 if server else 6
    assert writes >= 8
