"""Channels: each has its own releases; what goes from one to the other, or back, is a proposal with approvals there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from control_plane import ledger, verifying
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.lifecycle import acts as lifecycle
from control_plane.overview import queries
from control_plane.registry.records import Proposal
from control_plane.reviewing import proposals
from edge_runtime import EdgeRuntime
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock, Stage
from tests.server.library import CASES, CLOSING, OPENER, script

APPROVERS = ("ruth", "sam", "tom", "ines")


def opener(fill: str) -> dict[str, str]:
    """Return the opener with another message, and the cases that quote it."""
    cases = CASES.replace("You did the checklist.", fill.replace("{{ work }}", "the checklist"))
    return {OPENER: script("opener", fill=fill), "cases/opener.yaml": cases}


def promoted(acts: Acts, login: str = "maya", **options: object) -> Proposal:
    """Propose a promotion."""
    given = {"passphrase": acts.passphrase(login), **options}
    return lifecycle.promote(acts.plane, acts.id(login), **given)  # type: ignore[arg-type]


def rolled_back(acts: Acts, to: int, login: str = "maya", **options: object) -> Proposal:
    """Propose a rollback."""
    return lifecycle.rollback(acts.plane, acts.id(login), to=to, passphrase=acts.passphrase(login), **options)  # type: ignore[arg-type]


def released(acts: Acts, number: int, approvers: tuple[str, ...] = APPROVERS) -> int:
    """Check a proposal, have everybody approve it, release it, and return the number of the release."""
    acts.check(number)
    for login in approvers:
        acts.approve(login, number)
    return acts.release(number).number


def with_pilot(acts: Acts, clock: Clock) -> None:
    """Leave the home with what is live on production live on pilot too."""
    released(acts, promoted(acts, source="production", target="pilot").number)


def trial(acts: Acts, clock: Clock) -> None:
    """Leave the home with a new version of the opener on pilot."""
    with_pilot(acts, clock)
    made = acts.propose("lena", opener("Tell me {{ work }}."), channel="pilot")
    released(acts, made.number, ("tom", "ines", "ruth", "sam"))


def entry(acts: Acts, name: str, channel: str) -> Entry:
    """Return the live entry of a name."""
    manifest = queries.live_manifest(acts.plane, channel=channel)
    assert manifest is not None
    return next(one for one in manifest.entries if one.name == name)


def device(acts: Acts, home: Path, channel: str) -> EdgeRuntime:
    """Return a device of a channel, in the same time as the server."""
    settings = acts.plane.settings
    return EdgeRuntime.open(
        home,
        trust=settings.home / "trust",
        source=str(settings.site),
        channel=channel,
        clock=lambda: acts.plane.now().timestamp(),
    )


@pytest.mark.databases
def test_each_channel_has_its_own_releases_and_devices_choose(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """Numbers begin at 1 on each channel; a device on one never sees what is live on the other alone."""
    acts = after(trial)
    assert [one.number for one in queries.list_releases(acts.plane, channel="pilot")] == [2, 1]
    assert [one.number for one in queries.list_releases(acts.plane)] == [1]
    pilot, production = (device(acts, tmp_path / name, name) for name in ("pilot", "production"))
    assert (pilot.refresh().release, production.refresh().release) == (2, 1)
    assert [one.prompt("opener").fill["message"] for one in (pilot, production)] == [
        "Tell me {{ work }}.",
        "You did {{ work }}.",
    ]
    assert [leaf.channel for leaf in ledger.search(acts.plane, act="released")] == ["pilot", "pilot", "production"]
    assert verifying.verify(acts.plane).ok


def test_a_promotion_carries_the_very_entry_with_its_author(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """Same content, version and author; the promoter signs the manifest alone; a device adopts it; sources follow."""
    acts = after(trial)
    made = promoted(acts, source="pilot", names=["opener"])
    assert released(acts, made.number) == 2
    assert entry(acts, "opener", "production") == entry(acts, "opener", "pilot")
    assert entry(acts, "opener", "production").author == acts.id("lena")
    assert "Tell me" in queries.show_source(acts.plane, "prompt", "opener").text
    assert device(acts, tmp_path / "edge", "production").refresh().release == 2
    assert verifying.verify(acts.plane).ok


def test_the_author_of_what_is_promoted_does_not_approve_it_anywhere(after: Callable[[Stage], Acts]) -> None:
    """Neither whoever wrote it on the pilot channel nor the promoter; approvals of the pilot do not count either."""
    acts = after(with_pilot)
    text = opener("Tell me {{ work }}.")
    released(acts, acts.propose("maya", text, channel="pilot").number)
    made = promoted(acts, "lena", source="pilot", names=["opener"])
    acts.check(made.number)
    with refused(acts.plane, Refused, "who is not an author", logged="approve-own-work"):
        acts.approve("maya", made.number)
    with refused(acts.plane, Refused, "lacks"):
        acts.release(made.number)


def test_nothing_is_promoted_over_a_newer_version(after: Callable[[Stage], Acts]) -> None:
    """An epoch never falls: what production changed since is proposed on pilot first."""
    acts = after(trial)
    released(acts, acts.propose("lena", opener("Now {{ work }}.")).number)
    with refused(acts.plane, Conflict, "to be newer on pilot"):
        promoted(acts, source="pilot", names=["opener"])


def test_two_channels_never_give_one_epoch_to_two_contents(after: Callable[[Stage], Acts]) -> None:
    """Two proposals drafted at once on two channels take the same next epoch: the second is stale, and is rebased."""
    acts = after(with_pilot)
    here = acts.propose("lena", opener("Here {{ work }}."))
    there = acts.propose("lena", opener("There {{ work }}."), channel="pilot")
    released(acts, there.number)
    assert queries.show_proposal(acts.plane, here.number).stale
    acts.check(here.number)
    with refused(acts.plane, Conflict, "stale"):
        acts.approve("tom", here.number)
    acts.edit("lena", here.number, {})
    released(acts, here.number)
    assert (entry(acts, "opener", "pilot").epoch, entry(acts, "opener", "production").epoch) == (2, 3)


def test_a_rollback_is_a_new_release_with_new_epochs(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """Earlier content comes back under a new number and a new epoch, with approvals of its own; devices adopt it."""
    acts = after(trial)
    edge = device(acts, tmp_path / "edge", "pilot")
    edge.refresh()
    made = rolled_back(acts, 1, channel="pilot")
    with refused(acts.plane, Refused):
        acts.release(made.number)
    assert released(acts, made.number) == 3
    now = entry(acts, "opener", "pilot")
    assert (now.digest, now.epoch) == (entry(acts, "opener", "production").digest, 3)
    assert edge.refresh().release == 3
    assert edge.prompt("opener").fill["message"] == "You did {{ work }}."
    assert "You did" in queries.show_source(acts.plane, "prompt", "opener", channel="pilot").text
    assert verifying.verify(acts.plane).ok


def test_one_entry_goes_back_alone(after: Callable[[Stage], Acts]) -> None:
    """The rest of the release stays as it is."""
    acts = after(trial)
    made = acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")}, channel="pilot")
    released(acts, made.number)
    released(acts, rolled_back(acts, 1, only="opener", channel="pilot").number)
    assert (entry(acts, "opener", "pilot").epoch, entry(acts, "closing", "pilot").epoch) == (3, 2)


def test_what_was_withdrawn_comes_back_only_where_that_is_lifted(
    after: Callable[[Stage], Acts], tmp_path: Path
) -> None:
    """A rollback to withdrawn content is refused; one that lifts the withdrawal takes a quorum, and says so."""
    acts = after(trial)
    digest = entry(acts, "opener", "production").digest
    acts.withdraw("tom", digest)
    with refused(acts.plane, Refused, "withdrawn"):
        rolled_back(acts, 1, channel="pilot")
    with refused(acts.plane, InvalidDocument, "something withdrawn"):
        rolled_back(acts, 1, only="closing", lift=True)
    edge = device(acts, tmp_path / "edge", "production")
    edge.refresh()
    assert edge.session(learner="u").run("opener", {"work": "more"}).outcome == "withdrawn"
    made = rolled_back(acts, 1, only="opener", lift=True)
    with refused(acts.plane, Refused):
        acts.release(made.number)
    released(acts, made.number)
    edge.refresh()
    assert "opener" in edge.prompts()
    assert newest(acts.plane).act == "withdrawal-lifted"
    assert verifying.verify(acts.plane).ok


def test_a_withdrawal_meanwhile_stops_what_was_approved(after: Callable[[Stage], Acts]) -> None:
    """Approvals that were given before do not bring content back that somebody has stopped since."""
    acts = after(trial)
    made = promoted(acts, source="pilot", names=["opener"])
    acts.check(made.number)
    for login in APPROVERS:
        acts.approve(login, made.number)
    acts.withdraw("tom", entry(acts, "opener", "pilot").digest)
    with refused(acts.plane, Refused, "withdrawn"):
        acts.release(made.number)


def test_what_derives_is_rebased_without_files_only(after: Callable[[Stage], Acts]) -> None:
    """An edit makes a promotion anew on what is live; nobody slips other content into it."""
    acts = after(trial)
    made = promoted(acts, source="pilot", names=["opener"])
    with refused(acts.plane, Refused, "this is a promotion"):
        acts.edit("maya", made.number, opener("Mine {{ work }}."))
    released(acts, acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Ciao {{ work }}.")}).number)
    assert queries.show_proposal(acts.plane, made.number).stale
    acts.edit("maya", made.number, {})
    released(acts, made.number)
    assert entry(acts, "opener", "production") == entry(acts, "opener", "pilot")


def test_unknown_channels_names_and_releases_are_named(after: Callable[[Stage], Acts]) -> None:
    """Nothing changes."""
    acts = after(with_pilot)
    for act, error in (
        (lambda: promoted(acts, source="beta"), InvalidDocument),
        (lambda: promoted(acts, source="pilot", target="pilot"), InvalidDocument),
        (lambda: promoted(acts, source="pilot", names=["nothing"]), NotFound),
        (lambda: promoted(acts, source="pilot"), InvalidDocument),
        (lambda: promoted(acts, "tom", source="pilot", names=["opener"]), Refused),
        (lambda: rolled_back(acts, 7), NotFound),
        (lambda: rolled_back(acts, 1, only="nothing"), NotFound),
        (
            lambda: proposals.propose(acts.plane, acts.id("maya"), files={}, title="x", passphrase="", channel="beta"),
            InvalidDocument,
        ),
    ):
        with pytest.raises(error):
            act()
    assert len(queries.list_proposals(acts.plane)) == 3
