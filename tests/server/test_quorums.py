"""What a release lacks, as the server counts it: kinds of change, and channels that are new."""

from __future__ import annotations

from control_plane import db
from control_plane.errors import Refused
from control_plane.registry import store
from tests.server.acts import Acts, refused
from tests.server.library import OPENER, library, script

EASY = """kind: approval-rules
format: mentorplane-approval-rules/2
name: approval-rules
rules:
  - id: easy
    because: anybody may
    when: {}
    need: {at_least: 1, of: [facilitator, community-host]}
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
