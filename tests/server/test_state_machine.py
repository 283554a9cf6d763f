"""Governance as a state machine: whatever people do in whatever order, nothing is released without a valid quorum.

What the people of `governance` do goes on here: schedules, promotions, rollbacks, break-glass releases with their
reviews, new grants. `make soak` and `make fuzz` do it for longer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from control_plane import db
from control_plane.lifecycle import acts as lifecycle
from control_plane.lifecycle import emergency, scheduling
from control_plane.overview import queries
from control_plane.registry import store
from edge_runtime.core.errors import MentorplaneError
from tests.conftest import drawn
from tests.server.acts import ROLE
from tests.server.conftest import SQLITE, Template
from tests.server.governance import AUTHORS, CHANNELS, DAYS_OPEN, LIVING, REVIEWERS, Governance
from tests.server.mandates import Mandate, staffed
from tests.server.ruling import FLOOR, Files, Known, is_quorum

Machine = Callable[[], "WholeLife"]


class WholeLife(Governance):
    """What happens to proposals besides being decided about."""

    @rule(which=st.integers(0, 9), days=st.sampled_from([1, 2, 16]))
    def schedule(self, which: int, days: int) -> None:
        """The release manager lets a proposal go out later: it must be one that could go out now."""
        number = self._pick(which)
        one, at = self.known[number], self.plane.now() + timedelta(days=days)
        with suppress(MentorplaneError):
            scheduling.schedule(self.plane, self.acts.id("remy"), number, at=at)
            assert one.state in LIVING
            self._may_go_out(one)
            one.state, one.at = "scheduled", at.replace(microsecond=0)

    @rule(which=st.integers(0, 9))
    def unschedule(self, which: int) -> None:
        """The release manager takes a proposal off the schedule."""
        number = self._pick(which)
        with suppress(MentorplaneError):
            scheduling.unschedule(self.plane, self.acts.id("remy"), number)
            assert self.known[number].state in {"scheduled", "suspended"}
            self.known[number].state = "open"

    @rule(days=st.sampled_from([0, 2]))
    @precondition(lambda self: any(one.state == "scheduled" for one in self.known.values()))
    def the_clock_strikes(self, days: int) -> None:
        """What is due goes out or is suspended: nothing goes out that could not by hand."""
        self.clock.advance(days=days)
        scheduling.release_due(self.plane)
        due = [(one.at, number) for number, one in self.known.items() if one.state == "scheduled" and one.at]
        for at, number in sorted(due):
            one, state = self.known[number], queries.show_proposal(self.plane, number).proposal.state
            if state == "released":
                assert at <= self.plane.now(), "nothing goes out early"
                self._judge(one, self.releases[one.channel] + 1, state="scheduled")
            elif state == "suspended":
                one.state = "suspended"
        for channel in CHANNELS:
            numbers = [one.number for one in queries.list_releases(self.plane, channel=channel)]
            assert max(numbers, default=0) == self.releases[channel]

    @rule(
        login=st.sampled_from(AUTHORS),
        source=st.sampled_from(CHANNELS),
        names=st.sampled_from([(), ("opener",), ("closing",), ("organisation",)]),
    )
    def promote(self, login: str, source: str, names: tuple[str, ...]) -> None:
        """Somebody proposes for one channel what another has."""
        target, secret = next(one for one in CHANNELS if one != source), self.acts.passphrase(login)
        with suppress(MentorplaneError):
            made = lifecycle.promote(
                self.plane, self.acts.id(login), source=source, target=target, names=names, passphrase=secret
            )
            one = Known(target, {}, 0, self.plane.now(), derived=(source, 0, not names))
            self._derived(made.number, one, login)

    @rule(
        login=st.sampled_from(AUTHORS),
        channel=st.sampled_from(CHANNELS),
        to=st.integers(1, 3),
        only=st.sampled_from(["", "", "opener", "closing"]),
    )
    def roll_back(self, login: str, channel: str, to: int, only: str) -> None:
        """Somebody proposes what an earlier release held."""
        secret = self.acts.passphrase(login)
        with suppress(MentorplaneError):
            made = lifecycle.rollback(
                self.plane, self.acts.id(login), to=to, channel=channel, only=only, passphrase=secret
            )
            one = Known(channel, {}, 0, self.plane.now(), derived=(channel, to, not only))
            one.undoes_after = one.undoes_after if only else to
            self._derived(made.number, one, login)

    def _derived(self, number: int, one: Known, login: str) -> None:
        one.files, one.base = self.derived_files(number, one), self.releases[one.channel]
        one.ends = self.plane.now() + timedelta(days=DAYS_OPEN)
        one.wrote = {login}
        self.known[number] = one

    def derived_files(self, number: int, one: Known) -> Files:
        """Return the files of a promotion or rollback, which are those that its source has, or had."""
        with db.read(self.plane.engine) as session:
            _, revision = store.find_proposal(session, number)
            files = {file["path"]: file["text"] for file in revision.files}
        assert one.derived is not None
        channel, release, all_of_it = one.derived
        whole = self.history[channel, release or self.releases[channel]]
        assert files.items() <= whole.items(), "it brings nothing that is not there"
        if all_of_it:
            governed = {path: text for path, text in whole.items() if not path.startswith("cases/")}
            assert files.items() >= governed.items() - self.live[one.channel].items(), "and all of it that differs"
        return files

    @rule(login=st.sampled_from(REVIEWERS), channel=st.sampled_from(CHANNELS))
    @precondition(lambda self: any(self.hasty.values()))
    def review(self, login: str, channel: str) -> None:
        """Somebody reviews what was released in haste: nobody who had a part in it, until the normal quorum did."""
        released = {one.number: one.manifest for one in queries.list_releases(self.plane, channel=channel)}
        for hasty in list(self.hasty[channel]):
            with suppress(MentorplaneError):
                done = emergency.review(
                    self.plane,
                    self.acts.id(login),
                    channel=channel,
                    release=hasty.number,
                    role=ROLE[login],
                    reason="it was right",
                    passphrase=self.acts.passphrase(login),
                    manifest=released[hasty.number],
                )
                whose = self.acts_for(login, ROLE[login])
                assert whose
                assert not {login, whose} & hasty.out
                hasty.out |= {login, whose}
                hasty.reviewed[login] = ROLE[login]
                if done:
                    assert all(is_quorum(hasty.tiers, hasty.reviewed, needs.by_tier) for needs in hasty.needs)
                    assert all(len(hasty.reviewed) >= FLOOR[tier] for tier in hasty.tiers)
                    self.hasty[channel].remove(hasty)

    @rule(login=st.sampled_from(REVIEWERS), days=st.sampled_from([7, 56]))
    def grant_anew(self, login: str, days: int) -> None:
        """Two others grant somebody their role again."""
        second = "sam" if login == "ruth" else "ruth"
        role, until = ROLE[login], self.clock() + timedelta(days=days)
        with suppress(MentorplaneError):
            made = self.granted(login, role, second, days=days)
            assert login != "lena", "nobody grants themselves anything"
            self.mandates.append(Mandate(made, login, role, self.clock(), until))


@pytest.fixture
def machine(templates: Callable[..., Template], server: str, tmp_path: Path) -> Machine:
    """Make a machine on a copy of a home in which somebody can stand in for others."""
    WholeLife.template, WholeLife.server, WholeLife.folder = templates(server, staffed), server, tmp_path
    return WholeLife


def played(machine: Machine, count: int, steps: int) -> None:
    """Let people act at random, so many times so many steps."""
    long = settings(max_examples=count, stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=long)  # type: ignore[no-untyped-call]


@pytest.mark.databases
@pytest.mark.hypothesis
def test_no_order_of_acts_reaches_a_release_without_a_quorum(machine: Machine, kind: str) -> None:
    """People act at random; the model judges every release by brute force."""
    long = settings.get_current_profile_name() == "fuzz"
    played(machine, drawn(1), 60 if long else 25 if kind == SQLITE else 10)


@pytest.mark.soak
@pytest.mark.databases
def test_no_long_order_of_acts_reaches_a_release_without_a_quorum(machine: Machine) -> None:
    """Nor in months of work."""
    played(machine, 60, 100)


def test_the_model_lets_through_what_a_quorum_approved(machine: Machine) -> None:
    """The judge is no wall: on both channels what everybody looked at comes out, also after an edit and a rebase."""
    one, before = machine(), WholeLife.released
    one.propose("maya", "production", "closing", "Bye")
    one.propose("lena", "pilot", "opener", "Thanks")
    one.everybody_looks(0, early=True)
    one.edit("lena", 1, "", "Bye")
    one.everybody_looks(1, early=True)
    one.edit("maya", 2, "opener", "Well done")  # its epochs were given to other content meanwhile
    one.everybody_looks(2, early=True)
    assert WholeLife.released == before + 3
    one.teardown()


def test_the_model_lets_through_what_happens_besides(machine: Machine) -> None:
    """Nor for what is released in haste, reviewed, promoted, scheduled and rolled back."""
    one, before = machine(), WholeLife.released
    one.propose("lena", "production", "closing", "Bye", emergency=True)
    one.check(1)
    one.approve("sam", 1)
    one.release(1)
    assert one.hasty["production"]
    one.let_time_pass(15)
    one.edit("maya", 0, "", "Bye")
    one.everybody_looks(0, early=True)
    assert WholeLife.released == before + 1, "an overdue review blocks"
    one.review("tom", "production")
    assert not one.hasty["production"]
    one.promote("lena", "production", ())
    one.everybody_looks(2, early=False)
    one.schedule(2, 2)
    one.the_clock_strikes(2)
    assert one.releases == {"production": 2, "pilot": 1}
    one.roll_back("lena", "production", 1, "")
    one.everybody_looks(3, early=True)
    assert one.live["production"] == one.history["production", 1]
    one.give_up_a_role("tom")
    one.grant_anew("tom", 7)
    assert one.acts_for("tom", "facilitator")
    one.propose("maya", "pilot", "opener", "Well done")
    one.duplicate(4, "production")  # which leaves the files where they lie
    one.everybody_looks(5, early=True)
    assert WholeLife.released == before + 4
    one.teardown()


def test_the_model_lets_through_who_stands_in_and_under_which_rules(machine: Machine) -> None:
    """Nor for delegates, successors, keys that were renewed or taken home, new rules and a channel that was stopped."""
    one, before = machine(), WholeLife.released
    one.delegate("tom", 20)
    one.take_key_home("ines")
    one.approve("tom", 0)
    one.check(0)
    one.stand_in("facilitator", 0)
    one.approve("tom", 0)
    one.approve("ines", 0)
    assert one.known[2].approved == {"uma": "facilitator", "ines": "community-host"}, "Tom is away"
    one.release(0)
    one.come_back("tom")
    one.stop_a_channel("ruth", "production")
    one.stop_a_channel("sam", "production")
    assert one.stopped == {("production", 2): {"ruth", "sam"}}
    one.propose("maya", "production", "rules", "Bye")
    one.check(1)
    one.approve("ruth", 1)
    one.approve("sam", 1)
    one.release(1)
    one.lose_key("tom")
    one.propose("maya", "production", "closing", "Bye")
    one.check(2)
    one.approve("tom", 2)
    one.approve("ines", 2)
    one.release(2)
    assert WholeLife.released == before + 2, "by the new rules Ines alone does not suffice"
    one.recover_key(both=False)
    assert one.keyless
    one.recover_key(both=True)
    assert not one.keyless
    one.grant_anew("tom", 56)
    one.name_successor("tom", 56)
    one.take_over()
    one.approve("tom", 2)
    one.stand_in("facilitator", 2)
    assert one.known[4].approved == {"uma": "facilitator", "ines": "community-host"}, "Tom handed over"
    one.release(2)
    assert WholeLife.released == before + 3
    one.teardown()
