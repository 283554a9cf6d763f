"""Checks, approvals and rejections: who may, when, and what an edit undoes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlmodel import select

from control_plane import db, ledger, verifying
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.overview import queries
from control_plane.policy.checks import Candidate
from control_plane.policy.checks.records import CheckResult
from control_plane.policy.checks.running import required
from control_plane.reviewing import objections, review
from control_plane.tables.reviewing import WaitingRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock
from tests.server.library import CLOSING, OPENER, POLICY, policy, script


@contextmanager
def refused_and_logged(acts: Acts, login: str, number: int = 2) -> Iterator[None]:
    """Expect somebody to be refused as an author, and that nothing changes but the log, which says so."""
    before = queries.show_proposal(acts.plane, number)
    size = verifying.verify(acts.plane).size
    with pytest.raises(Refused, match="not an author"):
        yield
    assert queries.show_proposal(acts.plane, number) == before
    report, [leaf] = verifying.verify(acts.plane), ledger.search(acts.plane, limit=1)
    assert (report.ok, report.size, leaf.act, leaf.actor) == (True, size + 1, "refused", acts.id(login))


def test_every_check_is_stored_with_evidence(acts: Acts) -> None:
    """All named checks run, in their order, and what they found is kept."""
    review.check(acts.plane, acts.id("maya"), 2)
    checks = queries.show_proposal(acts.plane, 2).checks
    assert [check.name for check in checks] == list(required())
    assert all(check.evidence for check in checks)


def test_all_failures_are_listed(acts: Acts) -> None:
    """A proposal with several mistakes is told all of them at once, and cannot be approved."""
    bad = script("opener", tier="R1", placement="cloud", fill="No {{ work }}.").replace(
        "x-data-class: R1", "x-data-class: R3"
    )
    made = acts.propose("maya", {OPENER: bad})
    results = acts.check(made.number)
    failed = {name for name, status in results.items() if status == "failed"}
    assert failed == {"cases", "placement-vs-data-class", "tier"}
    with refused(acts.plane, Refused, "cases, placement-vs-data-class, tier"):
        acts.approve("tom", made.number)


def test_a_loosening_is_shown_as_a_sentence(acts: Acts) -> None:
    """A policy that forbids less is a notice with the situation in which it does, and needs the quorum of R4."""
    made = acts.propose("lena", {POLICY: policy(at_most="redacted")})
    acts.check(made.number)
    detail = queries.show_proposal(acts.plane, made.number)
    [loosening] = [check for check in detail.checks if check.name == "policy-loosening"]
    assert loosening.status == "notice"
    assert "health" in loosening.evidence[0]
    assert {role for missing in detail.missing for role in missing.roles} == {"compliance", "safety-owner"}


def test_a_tightening_is_no_notice(acts: Acts) -> None:
    """A policy that forbids more loosens nothing, and the check says so."""
    made = acts.propose("lena", {POLICY: policy(at_most="block")})
    assert acts.check(made.number)["policy-loosening"] == "passed"


def test_a_release_without_hand_off_fails(acts: Acts) -> None:
    """The human hand-off cannot be removed."""
    made = acts.propose("lena", {}, remove=[("handoff", "reach-a-person")])
    assert acts.check(made.number)["hand-off-present"] == "failed"


def test_a_report_has_the_second_of_its_entry(acts: Acts) -> None:
    """A clock that ticks at every look leaves no difference between the results and what the log says of them."""
    ticks = count()
    start = acts.plane.now()
    acts.plane = replace(acts.plane, clock=lambda: start + timedelta(seconds=next(ticks)))
    acts.check()
    assert verifying.verify(acts.plane).problems == ()


def test_nothing_is_approved_before_the_checks(acts: Acts) -> None:
    """An approval needs checks that passed on this very revision."""
    with refused(acts.plane, Refused, "checks to be run"):
        acts.approve("tom")


def test_an_edit_while_the_checks_run_wins(acts: Acts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of a revision that was edited meanwhile are of no use: they are not kept, and whoever asked is told."""
    run_checks = review.run_checks

    def edit_then_run(candidate: Candidate) -> tuple[CheckResult, ...]:
        acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
        return run_checks(candidate)

    monkeypatch.setattr(review, "run_checks", edit_then_run)
    with pytest.raises(Conflict, match="a later one"):
        acts.check()
    assert queries.show_proposal(acts.plane, 2).checks == ()
    assert [leaf.act for leaf in ledger.search(acts.plane, limit=1)] == ["edited"]


def test_nobody_approves_twice(acts: Acts) -> None:
    """A second signature of one person is refused, in whichever role."""
    acts.check()
    acts.approve("tom")
    with refused(acts.plane, Refused, "one signature of each person"):
        acts.approve("tom")
    with refused(acts.plane, Refused, "one signature of each person"):
        acts.reject("tom")


def test_an_author_never_approves_their_own_change(acts: Acts) -> None:
    """The author is excluded, whichever other role they hold."""
    acts.check()
    with refused_and_logged(acts, "maya"):
        acts.approve("maya")


def test_an_administrator_is_no_exception(acts: Acts) -> None:
    """An administrator who proposed a change cannot approve it either."""
    made = acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check(made.number)
    with refused_and_logged(acts, "lena", made.number):
        acts.approve("lena", made.number)


def test_the_last_editor_never_approves(acts: Acts) -> None:
    """Who edited somebody else's proposal is as excluded as its author."""
    acts.edit("lena", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check()
    for login in ("lena", "maya"):
        with refused_and_logged(acts, login):
            acts.approve(login)


def test_an_edit_voids_approvals(acts: Acts) -> None:
    """After an edit every signature is void, checks must run again, and the quorum starts at nothing."""
    acts.approve_fully()
    assert queries.show_proposal(acts.plane, 2).ready
    acts.edit("lena", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    detail = queries.show_proposal(acts.plane, 2)
    assert (detail.ready, detail.checks) == (False, ())
    assert [s.void for s in detail.signatures if s.act == "approve"] == [True, True]
    with refused(acts.plane, Refused):
        acts.release()
    acts.approve_fully()
    assert acts.release().number == 2


def test_an_approval_is_of_what_was_shown(acts: Acts) -> None:
    """An approver names the digest they looked at, so they cannot be made to sign a later revision."""
    seen = queries.show_proposal(acts.plane, 2).proposal.manifest
    acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check()
    with refused(acts.plane, Conflict, "as it is now"):
        acts.approve("tom", manifest=seen)


def test_a_role_that_one_does_not_hold_is_refused(acts: Acts) -> None:
    """A person signs in their own roles only."""
    acts.check()
    with refused(acts.plane, Refused, "role compliance", logged="approve"):
        acts.approve("tom", role="compliance")


def test_a_wrong_passphrase_signs_nothing(acts: Acts) -> None:
    """A wrong passphrase is refused; only the counter of wrong ones moves, and the log says that it was tried."""
    acts.check()
    before = queries.show_proposal(acts.plane, 2)
    with pytest.raises(Refused, match="passphrase") as caught:
        acts.approve("tom", passphrase="something else")
    assert "something else" not in str(caught.value)
    assert [leaf.act for leaf in ledger.search(acts.plane, limit=1)] == ["signed-in-failed"]
    assert queries.show_proposal(acts.plane, 2) == before


def test_a_reason_is_asked_for(acts: Acts) -> None:
    """An approval or rejection without a reason is refused."""
    acts.check()
    with refused(acts.plane, InvalidDocument, "reason"):
        acts.approve("tom", reason="  ")
    with refused(acts.plane, InvalidDocument, "reason"):
        acts.reject("tom", reason="")


def test_a_rejection_closes_and_an_edit_reopens(acts: Acts) -> None:
    """A rejected proposal takes no approvals until it is edited."""
    acts.check()
    acts.reject("tom")
    assert queries.show_proposal(acts.plane, 2).proposal.state == "rejected"
    with refused(acts.plane, Refused, "open proposal"):
        acts.approve("ines")
    with refused(acts.plane, Refused, "open proposal"):
        acts.release()
    acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.approve_fully()
    assert acts.release().number == 2


def test_an_unknown_proposal_is_not_found(acts: Acts) -> None:
    """Acting on a number that is not there changes nothing."""
    for act in (acts.check, acts.release):
        with refused(acts.plane, NotFound):
            act(99)
    with refused(acts.plane, NotFound):
        acts.approve("tom", 99)


def test_the_inbox_says_who_is_next(acts: Acts) -> None:
    """Each person sees what they can do now, and nothing that they cannot."""

    def why(login: str) -> list[str]:
        return [task.why for task in queries.inbox(acts.plane, acts.id(login))]

    assert why("tom") == ["check"]
    acts.check()
    assert (why("tom"), why("maya"), why("remy")) == (["approve"], [], [])
    acts.approve("tom")
    acts.approve("ines")
    assert (why("tom"), why("remy")) == ([], ["release"])


def test_a_report_that_is_old_waits_to_be_run_again(acts: Acts, clock: Clock) -> None:
    """Nobody is asked to approve or release on checks that would not count; after an act on it the row says so too."""

    def why(login: str) -> list[str]:
        return [task.why for task in queries.inbox(acts.plane, acts.id(login))]

    acts.approve_fully()
    clock.advance(days=15)
    assert (why("tom"), why("ines"), why("remy")) == (["check"], ["check"], ["check"])
    with refused(acts.plane, Refused, "older than 14 days"):
        acts.release()
    objections.object_to(acts.plane, acts.id("sam"), 2, role="safety-owner", reason="wait", manifest=acts.seen())
    objections.take_back(acts.plane, acts.id("sam"), 2, present=acts.passphrase("sam"))
    with db.read(acts.plane.engine) as session:
        assert [row.what for row in session.exec(select(WaitingRow).where(WaitingRow.proposal == 2))] == ["check"]
    acts.check()
    assert why("remy") == ["release"]
