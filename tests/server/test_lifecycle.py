"""Withdrawals that name what runs instead, break-glass releases and their review, trials with an end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from audit.record import parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts import people
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.evidence.gaps import find_gaps
from control_plane.granting import grants
from control_plane.lifecycle import acts as lifecycle
from control_plane.lifecycle import emergency, windows, withdrawing
from control_plane.lifecycle.scheduling import release_due
from control_plane.overview import course, queries
from control_plane.registry.records import Proposal, Withdrawal
from control_plane.reviewing import trials
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock, Stage
from tests.server.library import CLOSING, OPENER, script
from tests.server.test_channels import device, entry, opener, released, rolled_back, trial, with_pilot


def stop(acts: Acts, login: str, target: str, **options: str) -> Withdrawal:
    """Withdraw as somebody."""
    given = {"reason": "it hurt somebody", "passphrase": acts.passphrase(login), **options}
    return withdrawing.withdraw(acts.plane, acts.id(login), target=target, **given)


def with_second(acts: Acts, clock: Clock) -> None:
    """Leave the home with a third prompt that takes the place of the opener."""
    made = acts.propose("lena", {"scripts/second.yaml": script("second", fill="Second {{ work }}.")})
    released(acts, made.number)


def test_a_withdrawal_names_what_runs_instead(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """The name is resolved, signed and published; a device runs it; queries say it."""
    acts = after(with_second)
    edge = device(acts, tmp_path / "edge", "production")
    edge.refresh()
    made = stop(acts, "ruth", "opener", replacement="second")
    assert made.replacement == entry(acts, "second", "production").digest
    edge.refresh()
    assert edge.prompt("opener").name == "second"
    assert queries.list_withdrawals(acts.plane)[0].replacement == made.replacement
    assert verifying.verify(acts.plane).ok
    with refused(acts.plane, Conflict, "in use"):
        stop(acts, "tom", "closing", replacement="opener")


def test_a_replacement_must_take_the_place(after: Callable[[Stage], Acts]) -> None:
    """Another contract, nothing live, itself: refused; an earlier version is named by its digest."""
    acts = after(with_second)
    other = script("other", fill="Do {{ task }}.").replace("work: {", "task: {").replace("[work]", "[task]")
    other = other.replace("{{ work }}", "{{ task }}")
    released(acts, acts.propose("lena", {"scripts/other.yaml": other}).number)
    for wanted, error in (
        ("other", Refused),
        ("nothing", NotFound),
        ("opener", NotFound),
        ("reach-a-person", NotFound),
    ):
        with refused(acts.plane, error):
            stop(acts, "tom", "opener", replacement=wanted)
    first = entry(acts, "opener", "production").digest
    released(acts, acts.propose("lena", opener("Newer {{ work }}.")).number)
    assert stop(acts, "tom", "opener", replacement=first).replacement == first


@pytest.mark.parametrize(("login", "may"), [("tom", True), ("remy", True), ("ruth", True), ("lena", False)])
def test_one_person_in_a_role_that_may_stop_things(acts: Acts, login: str, may: bool) -> None:
    """Approving roles, release managers and compliance; an author and administrator is refused, and that is logged."""
    if may:
        assert stop(acts, login, "closing").name == "closing"
        return
    with refused(acts.plane, Refused, logged="withdraw"):
        stop(acts, login, "closing")


def test_who_is_eligible_stops_things_after_the_grant_ended(acts: Acts, clock: Clock, tmp_path: Path) -> None:
    """Anyone may tighten: with every grant lapsed one still withdraws, and a device takes it."""
    clock.advance(days=100)
    assert grants.list_grants(acts.plane, now_only=True) == ()
    assert stop(acts, "tom", "closing").name == "closing"
    edge = device(acts, tmp_path / "edge", "production")
    edge.refresh()
    assert edge.prompts() == ("opener",)


def test_content_stops_on_every_channel_that_has_it(after: Callable[[Stage], Acts]) -> None:
    """One act, one signed statement for each channel; a version that only one had stops there alone."""
    acts = after(with_pilot)
    stop(acts, "tom", "opener")
    assert {
        (one.channel, one.name)
        for c in ("pilot", "production")
        for one in queries.list_withdrawals(acts.plane, channel=c)
    } == {
        ("pilot", "opener"),
        ("production", "opener"),
    }
    with refused(acts.plane, Conflict, "withdrawn already"):
        stop(acts, "ines", "opener", channel="pilot")


def test_a_whole_channel_takes_two_people(acts: Acts, tmp_path: Path) -> None:
    """The first changes nothing yet, nor does the same person twice; a release that lifts it takes a quorum."""

    def whole(login: str) -> int:
        return withdrawing.withdraw_channel(
            acts.plane, acts.id(login), channel="", reason="all of it", passphrase=acts.passphrase(login)
        ).missing

    edge = device(acts, tmp_path / "edge", "production")
    assert whole("tom") == 1
    assert [(one.people, one.stopped) for one in course.list_standing(acts.plane)] == [((acts.id("tom"),), False)]
    edge.refresh()
    assert edge.prompts() != ()
    with refused(acts.plane, Conflict, "another person"):
        whole("tom")
    assert whole("ruth") == 0
    assert [one.stopped for one in course.list_standing(acts.plane)] == [True]
    edge.refresh()
    assert edge.prompts() == ()
    released(acts, rolled_back(acts, 1, lift=True).number)
    assert course.list_standing(acts.plane) == ()
    edge.refresh()
    assert edge.prompts() != ()


def broken(acts: Acts, clock: Clock) -> None:
    """Leave the home with a break-glass release of the opener, by one person of the emergency quorum and another."""
    made = acts.propose("lena", opener("At once {{ work }}."), emergency=True)
    acts.check(made.number)
    acts.approve("ruth", made.number)
    acts.approve("sam", made.number)
    acts.release(made.number)


def reviewed(acts: Acts, login: str, role: str, passphrase: str = "") -> bool:
    """Review release 2, as a demo person or as somebody with a passphrase of their own."""
    return emergency.review(
        acts.plane,
        people.find_person(acts.plane, login).id,
        release=2,
        role=role,
        reason="it was right",
        passphrase=passphrase or acts.passphrase(login),
        manifest=queries.list_releases(acts.plane)[0].manifest,
    )


def change(acts: Acts) -> Proposal:
    """Propose and approve another change."""
    made = acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")})
    acts.approve_fully(made.number)
    return made


def test_break_glass_leaves_its_own_act_and_a_review(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """The emergency quorum suffices, on devices too; who signed it does not review it; the normal quorum ends it."""
    acts = after(broken)
    assert device(acts, tmp_path / "edge", "production").refresh().release == 2
    assert [leaf.name for leaf in ledger.search(acts.plane, act="break-glass")] == ["release-production-2"]
    [one] = emergency.list_reviews(acts.plane)
    assert (one.release, one.overdue) == (2, False)
    assert queries.show_proposal(acts.plane, queries.list_releases(acts.plane)[0].proposal).course.review_due == one.due
    waiting = {login: queries.inbox(acts.plane, acts.id(login)) for login in ("tom", "ruth")}
    assert [(task.why, task.due) for task in waiting["tom"]][:1] == [("review-release", one.due)]
    assert "review-release" not in [task.why for task in waiting["ruth"]]
    with refused(acts.plane, Refused, "neither wrote nor approved"):
        reviewed(acts, "ruth", "compliance")
    with refused(acts.plane, Refused, "neither wrote nor approved"):
        reviewed(acts, "lena", "author")
    assert not reviewed(acts, "tom", "facilitator")
    assert reviewed(acts, "ines", "community-host")
    assert emergency.list_reviews(acts.plane) == ()
    assert len(ledger.search(acts.plane, act="reviewed")) == 2
    assert verifying.verify(acts.plane).ok


def test_an_overdue_review_blocks_every_further_release(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """But a rollback, and the review itself; gaps say so; other channels go on."""
    acts = after(broken)
    clock.advance(days=8)
    made = change(acts)
    with refused(acts.plane, Refused, "to be reviewed in time"):
        acts.release(made.number)
    assert any("break-glass" in str(gap) for gap in find_gaps(acts.plane))
    reviewed(acts, "tom", "facilitator")
    reviewed(acts, "ines", "community-host")
    assert acts.release(made.number).number == 3


def test_a_rollback_ends_the_review(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """What was released in haste is undone: there is nothing left to review."""
    acts = after(broken)
    clock.advance(days=8)
    released(acts, rolled_back(acts, 1).number)
    assert emergency.list_reviews(acts.plane) == ()


def test_approvals_in_haste_do_not_serve_in_calm(acts: Acts) -> None:
    """The emergency stands in what people sign: the same content in calm has another digest, and none of them."""
    hasty = acts.propose("lena", opener("At once {{ work }}."), emergency=True)
    acts.check(hasty.number)
    acts.approve("ruth", hasty.number)
    acts.approve("sam", hasty.number)
    calm = acts.propose("lena", opener("At once {{ work }}."))
    acts.check(calm.number)
    with refused(acts.plane, Refused, "lacks"):
        acts.release(calm.number)


def tried(acts: Acts, clock: Clock, then: str) -> None:
    """Release a trial on pilot that ends in a week."""
    with_pilot(acts, clock)
    window = trials.Window(clock.now + timedelta(days=7), then)
    made = acts.propose("lena", opener("Try {{ work }}."), channel="pilot", window=window)
    released(acts, made.number)


def keeping(acts: Acts, clock: Clock) -> None:
    """A trial that is kept."""
    tried(acts, clock, "keep")


def returning(acts: Acts, clock: Clock) -> None:
    """A trial that ends with a return."""
    tried(acts, clock, "return")


def prepare(acts: Acts) -> int:
    """Prepare the return, and have everybody approve it."""
    made = lifecycle.prepare_return(acts.plane, acts.id("maya"), channel="pilot", passphrase=acts.passphrase("maya"))
    acts.check(made.number)
    for login in ("ruth", "sam", "tom", "ines"):
        acts.approve(login, made.number)
    return made.number


def outcome(acts: Acts, clock: Clock) -> str:
    """Let the trial end, and return what became of it, by the queries and by the log."""
    before = windows.list_windows(acts.plane)[0].outcome
    clock.advance(days=8)
    release_due(acts.plane)
    [leaf] = ledger.search(acts.plane, act="window-ended")
    said = windows.list_windows(acts.plane)[0].outcome
    assert (before, parse_leaf(leaf.data).reason.code) == ("", said)
    assert release_due(acts.plane) == ()
    return said


def test_a_trial_that_is_kept_changes_nothing(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """Its end is an act; what is live stays."""
    acts = after(keeping)
    live = queries.live_manifest(acts.plane, channel="pilot")
    assert outcome(acts, clock) == "kept"
    assert queries.live_manifest(acts.plane, channel="pilot") == live


def test_a_trial_returns_by_an_approved_proposal(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """What production has is live on pilot again, under a new number, with the approvals of that channel."""
    acts = after(returning)
    number = prepare(acts)
    assert outcome(acts, clock) == "returned"
    assert queries.show_proposal(acts.plane, number).proposal.state == "released"
    assert entry(acts, "opener", "pilot").digest == entry(acts, "opener", "production").digest
    assert queries.list_releases(acts.plane, channel="pilot")[0].number == 3
    assert verifying.verify(acts.plane).ok


def test_attack_nothing_returns_without_approvals(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """The end of a trial is no way around a quorum: suspended, said by gaps, until people approve it."""
    acts = after(returning)
    live = queries.live_manifest(acts.plane, channel="pilot")
    [window] = windows.list_windows(acts.plane)
    tasks = [(task.why, task.due) for task in queries.inbox(acts.plane, acts.id("maya"))]
    assert (window.live, ("return", window.ends_at) in tasks) == (True, True)
    made = lifecycle.prepare_return(acts.plane, acts.id("maya"), channel="pilot", passphrase=acts.passphrase("maya"))
    assert "return" not in [task.why for task in queries.inbox(acts.plane, acts.id("maya"))]
    assert outcome(acts, clock) == "suspended"
    assert queries.show_proposal(acts.plane, made.number).course.suspended == "checks"
    assert verifying.verify(acts.plane).ok
    assert queries.live_manifest(acts.plane, channel="pilot") == live
    assert queries.show_proposal(acts.plane, made.number).proposal.state == "suspended"
    assert any("trial" in str(gap) for gap in find_gaps(acts.plane))


def test_a_return_to_what_production_no_longer_has_is_suspended(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """Production moved on meanwhile: the return that people approved is not that any more."""
    acts = after(returning)
    prepare(acts)
    released(acts, acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")}).number)
    assert outcome(acts, clock) == "suspended"


def test_a_promoted_trial_has_nothing_to_return(after: Callable[[Stage], Acts], clock: Clock) -> None:
    """Its content is live on production: the end says promoted."""
    acts = after(returning)
    made = lifecycle.promote(
        acts.plane, acts.id("maya"), source="pilot", names=["opener"], passphrase=acts.passphrase("maya")
    )
    released(acts, made.number)
    assert outcome(acts, clock) == "promoted"


def test_a_window_is_for_a_trial_and_ends(acts: Acts, clock: Clock) -> None:
    """Not on the usual channel, not in the past, and with something known to happen."""
    for channel, days, then in (("", 7, "keep"), ("pilot", -1, "keep"), ("pilot", 7, "delete"), ("pilot", 500, "keep")):
        window = trials.Window(clock.now + timedelta(days=days), then)
        with refused(acts.plane, InvalidDocument):
            acts.propose("lena", opener("Try {{ work }}."), channel=channel, window=window)


def test_attack_a_live_version_cannot_be_deleted(after: Callable[[Stage], Acts]) -> None:
    """No use case removes what is live: proposing, rejecting, withdrawing, unscheduling, rolling back leave it there.

    It goes by a release that people approved, and only there.
    """
    acts = after(trial)
    live = {channel: queries.live_manifest(acts.plane, channel=channel) for channel in ("pilot", "production")}
    gone = acts.propose("lena", {}, remove=[("prompt", "opener"), ("cases", "opener")])
    acts.check(gone.number)
    with refused(acts.plane, Refused, "lacks"):
        acts.release(gone.number)
    stop(acts, "tom", "closing")
    back = rolled_back(acts, 1, channel="pilot")
    acts.check(back.number)
    acts.reject("tom", back.number)
    assert {channel: queries.live_manifest(acts.plane, channel=channel) for channel in live} == live
    with db.read(acts.plane.engine) as session:
        assert {row.name for row in (entry(acts, "opener", "production"), entry(acts, "closing", "production"))} == {
            "opener",
            "closing",
        }
        assert session is not None
    assert queries.show_source(acts.plane, "prompt", "opener").path == OPENER
