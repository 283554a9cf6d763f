"""What a release lacks, as the server counts it: kinds of change, and channels that are new."""

from __future__ import annotations

import pytest

from control_plane import db
from control_plane.accounts import people
from control_plane.errors import Refused
from control_plane.lifecycle import emergency
from control_plane.registry import store
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.library import OPENER, RULES, library, script
from tests.server.test_channels import rolled_back

EASY = """kind: approval-rules
format: mentorplane-approval-rules/2
name: approval-rules
rules:
  - id: easy
    because: anybody may
    when: {}
    need: {at_least: 1, of: [facilitator, community-host]}
  - id: measured
    because: people who are measured have a say
    when: {changes: [measured]}
    need: employee-representative
emergency: facilitator
proposal_expires_days: 60
checks_fresh_days: 14
grant_days: 56
review_due_days: 7
"""


def test_a_new_channel_with_easy_rules_of_its_own_is_no_way_around_the_rules(acts: Acts) -> None:
    """The first release of a channel meets what it brings and what is in force on every other channel."""
    files = {**library(), "approval-rules.yaml": EASY}
    number = acts.propose("maya", files, channel="pilot").number
    acts.approve_fully(number)
    with refused(acts.plane, Refused, "in a role of compliance or safety-owner, because those who answer"):
        acts.release(number)
    acts.approve("ruth", number)
    acts.approve("sam", number)
    assert acts.release(number).number == 1


def test_attack_a_hasty_first_release_is_reviewed_by_easy_rules_of_its_own(acts: Acts) -> None:
    """What a new channel brings in haste is reviewed by all that it should have met, as any other first release."""
    files = {**library(), "approval-rules.yaml": EASY}
    made = acts.propose("maya", files, channel="pilot", emergency=True)
    acts.approve_fully(made.number)
    acts.approve("ruth", made.number)
    acts.approve("sam", made.number)
    acts.release(made.number)
    [kim] = people.enrol_all(acts.plane, [(people.NewPerson("kim", "Kim", ("facilitator",)), "kim has a secret")])
    given = {"channel": "pilot", "release": 1, "role": "facilitator", "reason": "fine", "manifest": made.manifest}
    assert not emergency.review(acts.plane, kim.id, passphrase="kim has a secret", **given)  # type: ignore[arg-type]


def rules(before: str, after: str) -> dict[str, str]:
    """Return the approval rules of the library, worded otherwise."""
    assert before in RULES
    return {"approval-rules.yaml": RULES.replace(before, after)}


HAVE_A_SAY = "    when: {changes: [measured]}\n    need: employee-representative"


@pytest.mark.parametrize(
    "instead",
    [
        "    when: {changes: [filing]}\n    need: employee-representative",
        "    when: {changes: [measured], kinds: [model]}\n    need: employee-representative",
        "    when: {changes: [measured]}\n    need: {at_least: 1, of: [employee-representative, compliance]}",
    ],
)
def test_attack_rules_by_which_people_are_measured_without_a_say(acts: Acts, instead: str) -> None:
    """Such rules are refused before anybody can approve them: as a proposal, as an edit, and on a new channel."""
    weaker = rules(HAVE_A_SAY, instead)
    for act in (
        lambda: acts.propose("lena", weaker),
        lambda: acts.edit("maya", 2, weaker),
        lambda: acts.propose("lena", {**library(), **weaker}, channel="pilot"),
    ):
        with refused(acts.plane, InvalidDocument, "needs an employee-representative for every change"):
            act()


def test_attack_going_round_those_who_are_measured_in_two_releases(acts: Acts) -> None:
    """Who else is asked about what is measured changes with their agreement, on the way back to older rules as well."""
    stricter = rules(HAVE_A_SAY, HAVE_A_SAY.replace("employee", "{all_of: [compliance, employee") + "]}")
    number = acts.propose("lena", stricter).number
    acts.approve_fully(number)
    acts.approve("ruth", number)
    acts.approve("sam", number)
    acts.release(number)
    for made in (
        acts.propose("lena", rules("of: [compliance, safety", "of: [compliance, facilitator, safety")),
        rolled_back(acts, 1, "lena"),
    ):
        acts.approve_fully(made.number)
        acts.approve("ruth", made.number)
        acts.approve("sam", made.number)
        with refused(acts.plane, Refused, "employee-representative, because people who are measured have a say"):
            acts.release(made.number)
    acts.approve("nora", made.number)
    assert acts.release(made.number).number == 3


def test_the_server_says_of_which_kinds_a_change_is(acts: Acts) -> None:
    """What is shown to reviewers is what devices will work out: a new text here, a script more and one less there."""
    files = {
        OPENER: script("opener", fill="You did {{ work }}, I see."),
        "scripts/more.yaml": script("more", tier="R1"),
    }
    number = acts.propose("maya", files, remove=[("prompt", "closing")]).number
    with db.read(acts.plane.engine) as session:
        _, revision = store.find_proposal(session, number)
        manifest, _ = store.shortfalls(acts.plane, session, revision)
        base, _ = store.live_manifest(session, manifest.channel)
        found = {change.key: change.changes for change in store.changes_of(session, manifest, base)}
    assert found == {
        ("prompt", "opener"): ("wording",),
        ("prompt", "more"): ("addition",),
        ("prompt", "closing"): ("removal",),
    }
