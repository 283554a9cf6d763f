"""Governance as a state machine: whatever people do in whatever order, nothing is released without a valid quorum.

What the people of `governance` do goes on here: schedules, promotions, rollbacks, break-glass releases with their
reviews, new grants. `make fuzz` does it for longer.
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
from control_plane.granting import grants
from control_plane.granting.grants import Making
from control_plane.lifecycle import acts as lifecycle
from control_plane.lifecycle import emergency, scheduling
from control_plane.overview import queries
from control_plane.registry import store
from edge_runtime.core.errors import MentorplaneError
from tests.conftest import examples
from tests.server.acts import ROLE
from tests.server.conftest import Template, seeded
from tests.server.governance import AUTHORS, CHANNELS, DAYS_OPEN, LIVING, REVIEWERS, Files, Governance, Known, is_quorum


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
                assert login not in hasty.out
                assert self._holds(login)
                hasty.reviewed[login] = ROLE[login]
                if done:
                    assert is_quorum(hasty.tiers, hasty.reviewed)
                    self.hasty[channel].remove(hasty)

    @rule(login=st.sampled_from(REVIEWERS), days=st.sampled_from([7, 56]))
    def grant_anew(self, login: str, days: int) -> None:
        """Two others grant somebody their role again."""
        second = "sam" if login == "ruth" else "ruth"
        role, until = ROLE[login], self.plane.now() + timedelta(days=days)
        with suppress(MentorplaneError):
            making, who = Making(login, role, days=days), self.acts.id("lena")
            made = grants.propose(self.plane, who, making, reason="due", passphrase=self.acts.passphrase("lena"))
            secret = self.acts.passphrase(second)
            grants.sign(self.plane, self.acts.id(second), made.id, digest=made.digest, reason="due", passphrase=secret)
            assert login != "lena", "nobody grants themselves anything"
            self.grants[login, role][made.id] = until


@pytest.mark.hypothesis
def test_no_order_of_acts_reaches_a_release_without_a_quorum(
    templates: Callable[..., Template], tmp_path: Path
) -> None:
    """People act at random; the model judges every release by brute force."""
    WholeLife.template, WholeLife.folder = templates("", seeded), tmp_path
    long = settings.get_current_profile_name() == "fuzz"
    few = settings(examples(2), stateful_step_count=60 if long else 20, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(WholeLife, settings=few)


def test_the_model_lets_through_what_a_quorum_approved(templates: Callable[..., Template], tmp_path: Path) -> None:
    """The judge is no wall: on both channels what everybody looked at comes out, also after an edit and a rebase."""
    WholeLife.template, WholeLife.folder, before = templates("", seeded), tmp_path, WholeLife.released
    machine = WholeLife()
    machine.propose("maya", "production", "closing", "Bye")
    machine.propose("lena", "pilot", "opener", "Thanks")
    machine.everybody_looks(0, early=True)
    machine.edit("lena", 1, "", "Bye")
    machine.everybody_looks(1, early=True)
    machine.edit("maya", 2, "opener", "Well done")  # its epochs were given to other content meanwhile
    machine.everybody_looks(2, early=True)
    assert WholeLife.released == before + 3
    machine.teardown()


def test_the_model_lets_through_what_happens_besides(templates: Callable[..., Template], tmp_path: Path) -> None:
    """Nor for what is released in haste, reviewed, promoted, scheduled and rolled back."""
    WholeLife.template, WholeLife.folder, before = templates("", seeded), tmp_path, WholeLife.released
    machine = WholeLife()
    machine.propose("lena", "production", "closing", "Bye", emergency=True)
    machine.check(1)
    machine.approve("sam", 1)
    machine.release(1)
    assert machine.hasty["production"]
    machine.review("tom", "production")
    assert not machine.hasty["production"]
    machine.promote("lena", "production", ())
    machine.everybody_looks(2, early=False)
    machine.schedule(2, 2)
    machine.the_clock_strikes(2)
    assert machine.releases == {"production": 2, "pilot": 1}
    machine.roll_back("lena", "production", 1, "")
    machine.everybody_looks(3, early=True)
    assert machine.live["production"] == machine.history["production", 1]
    machine.give_up_a_role("tom")
    machine.grant_anew("tom", 7)
    assert machine._holds("tom")
    machine.propose("maya", "pilot", "opener", "Well done")
    machine.duplicate(4, "production")  # which leaves the files where they lie
    machine.everybody_looks(5, early=True)
    assert WholeLife.released == before + 4
    machine.teardown()
