"""A server that is killed while it releases: everything is finished at the next start, or nothing happened."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from control_plane import verifying
from control_plane.lifecycle import releases
from control_plane.overview import queries
from control_plane.overview.listing import Search, find_proposals
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from tests.server.acts import Acts
from tests.server.conftest import SQLITE, Clock, Stage, Template, copied
from tests.server.kill_child import Killer
from tests.server.test_channels import promoted, rolled_back, trial
from tests.server.test_releases import device


def kill_at_write(settings: Settings, act: Callable[[ControlPlane], object], nth: int) -> bool:
    """Run `act` in a child that is killed at its `nth` step; return whether it was.

    A step is a commit of the database, or the opening of a file to publish.
    """
    child = os.fork()
    if child == 0:
        step = Killer(nth)

        def opened(name: str, arguments: tuple[object, ...]) -> None:
            if name == "open" and "/site/edge/" in str(arguments[0]) and int(str(arguments[2])) & os.O_CREAT:
                step()

        plane = open_plane(settings)
        sys.addaudithook(opened)
        event.listen(plane.engine, "commit", step)
        act(plane)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def approved(acts: Acts, clock: Clock) -> None:
    """Leave the home with a proposal that can be released."""
    acts.approve_fully()


def approved_promotion(acts: Acts, clock: Clock) -> None:
    """Leave the home with a promotion that can be released."""
    trial(acts, clock)
    acts.approve_fully(promoted(acts, source="pilot", names=["opener"]).number)


def approved_rollback(acts: Acts, clock: Clock) -> None:
    """Leave the home with release 2, and a rollback that can be released."""
    acts.approve_fully()
    acts.release()
    acts.approve_fully(rolled_back(acts, 1).number)


EVERY = (0, 1)
SOME = {approved: (0, 4), approved_promotion: (1, 8), approved_rollback: (3, 8)}
"""At which step to begin killing, and how many to go on; `make soak` kills at every one, on both databases."""
Finished = Callable[[Stage, tuple[int, int]], None]


@pytest.fixture
def finished(after: Callable[[Stage], Acts], server: str, tmp_path: Path) -> Finished:
    """Kill a release at steps in turn and look at what is left: all of it, or nothing."""

    def killed_and_looked_at(stage: Stage, steps: tuple[int, int]) -> None:
        acts = after(stage)
        [ready, *_] = find_proposals(acts.plane, Search(state="open"))
        before = queries.list_releases(acts.plane)[0].number
        acts.plane.close()
        (step, further), killed = steps, True
        original = Template(acts.plane.settings, acts.plane.now())
        while killed:
            with copied(original, server, tmp_path / f"copy{step}") as copy:
                killed = kill_at_write(copy, lambda plane: releases.release(plane, acts.id("remy"), ready.number), step)
                plane = open_plane(copy)
                assert device(plane, copy.home / "early").refresh().release in {before, before + 1}
                there = queries.list_releases(plane)[0].number
                assert not (releases.recover(plane) and there == before), "what did not happen leaves nothing to finish"
                edge = device(plane, copy.home / "late")
                assert (edge.refresh().release, verifying.verify(plane).ok) == (there, True)
                assert releases.recover(plane) == ()
                state = queries.show_proposal(plane, ready.number).proposal.state
                assert state == ("released" if there > before else "open")
                assert killed or there > before
                plane.close()
            step += further
        assert step >= 8

    return killed_and_looked_at


@pytest.mark.skipif(os.name == "nt", reason="kills a forked child")
@pytest.mark.databases
def test_killed_at_any_write_a_release_is_finished_at_the_next_start(finished: Finished, kind: str) -> None:
    """Killed at steps in turn, a device sees the old or the new release; once the database has the new one, that."""
    finished(approved, SOME[approved] if kind == SQLITE else (2, 11))


@pytest.mark.skipif(os.name == "nt", reason="kills a forked child")
@pytest.mark.parametrize("stage", [approved_promotion, approved_rollback])
def test_killed_at_any_write_a_promotion_or_a_rollback_is_finished(finished: Finished, stage: Stage) -> None:
    """What derives from another release is finished as well."""
    finished(stage, SOME[stage])


@pytest.mark.soak
@pytest.mark.skipif(os.name == "nt", reason="kills a forked child")
@pytest.mark.databases
@pytest.mark.parametrize("stage", SOME)
def test_killed_at_each_write_a_release_is_finished_at_the_next_start(finished: Finished, stage: Stage) -> None:
    """No single step is left out."""
    finished(stage, EVERY)
