"""Releasing, publishing, withdrawing: what a device gets, also after a crash, and what it refuses."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from control_plane import db, publish, trust, verifying
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.lifecycle import releases
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.repository import Site, site_of
from control_plane.settings import Settings, load_settings
from control_plane.tables.registry import CheckRow, LeafRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import FORMAT, PREVIOUS, parse_manifest
from edge_runtime.core.parts import unpack
from edge_runtime.core.release import (
    closure_path,
    offered_path,
    open_release,
    parse_release,
    parts_of,
    plain_closure_path,
    release_path,
    withdrawals_path,
)
from edge_runtime.core.trustfile import parse_trust
from edge_runtime.runtime import EdgeRuntime
from tests.server.acts import Acts, refused
from tests.server.library import CLOSING, POLICY, policy, script


def device(plane: ControlPlane, folder: Path) -> EdgeRuntime:
    """Return a device in `folder` that trusts the installation."""
    return EdgeRuntime.open(folder, trust=plane.settings.home / "trust", source=str(plane.site))


@pytest.mark.databases
def test_nothing_is_released_without_the_quorum(acts: Acts) -> None:
    """One approval of two is not enough; the message says how many are missing."""
    acts.check()
    acts.approve("tom")
    lacks = r"'opener', which lacks 1 more approval, in a role of community-host or facilitator or .*because two others"
    with refused(acts.plane, Refused, lacks):
        acts.release()


def test_roles_outside_the_rules_do_not_count(acts: Acts) -> None:
    """Approvals in roles that the tier does not ask for leave the quorum as short as it was."""
    acts.check()
    acts.approve("ruth")
    acts.approve("sam")
    with refused(acts.plane, Refused, "lacks 2 more approvals"):
        acts.release()


def test_a_stale_proposal_is_not_released(acts: Acts) -> None:
    """Fully approved, but on a release that is not live any more: it would undo what came between."""
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}).number
    acts.approve_fully()
    acts.approve_fully(other)
    acts.release(other)
    with refused(acts.plane, Conflict, "stale"):
        acts.release(2)


@pytest.mark.parametrize("status", ["failed", None])
def test_nothing_is_released_without_passed_checks(acts: Acts, status: str | None) -> None:
    """The checks count at the release too, not only when people approved: one that failed or is missing stops it."""
    acts.approve_fully()
    with db.write(acts.plane.engine) as session:
        row = session.get_one(CheckRow, (acts.seen(), "cases"))
        if status:
            row.status = status
        else:
            session.delete(row)
    with refused(acts.plane, Refused, "checks? to"):
        acts.release()


def test_only_a_release_manager_releases(acts: Acts) -> None:
    """An approver cannot release, however complete the approvals are."""
    acts.approve_fully()
    with refused(acts.plane, Refused, "release-manager", logged="release"):
        acts.release(login="tom")


@pytest.mark.databases
def test_a_device_adopts_what_is_released(acts: Acts, tmp_path: Path) -> None:
    """A real device verifies and adopts release 1, then release 2, on a log that grew."""
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().release == 1
    acts.approve_fully()
    made = acts.release()
    outcome = edge.refresh()
    assert (made.number, outcome.ok, outcome.release, outcome.check) == (2, True, 2, "")
    assert edge.status().self_contained


def test_the_version_before_is_written_while_older_devices_live(acts: Acts, tmp_path: Path) -> None:
    """The operator says in which version a channel goes on; without a word it is that of the last release."""
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().ok
    assert edge.trusted().manifest.version == FORMAT
    usual = acts.plane
    acts.plane = replace(usual, settings=replace(usual.settings, manifest_version=PREVIOUS))
    number = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}).number
    acts.approve_fully(number)
    acts.release(number)

    assert edge.refresh().release == 2
    manifest = edge.trusted().manifest
    assert manifest.version == PREVIOUS
    assert all((acts.plane.site / plain_closure_path(entry.digest)).is_file() for entry in manifest.entries)
    published = Site(acts.plane.site, acts.plane.keys, acts.plane.now()).target(release_path("production"))
    assert published is not None
    assert published.startswith(b'{"format":"mentorplane-release/1"')
    assert b'"format":"mentorplane-trust/3"' in (trust.signed_trust(acts.plane) or b""), "which asks for no mandates"
    for plane, version in ((usual, PREVIOUS), (replace(usual, settings=newest(usual.settings)), FORMAT)):
        acts.plane = plane
        made = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill=f"{version[-1]}, {{{{ work }}}}.")})
        with db.read(plane.engine) as session:
            assert parse_manifest(store.find_proposal(session, made.number)[1].manifest).version == version


def newest(settings: Settings) -> Settings:
    """Return the settings of an operator whose devices are all of today."""
    told = load_settings(settings.home, {"MENTORPLANE_MANIFEST_VERSION": "3"})
    with pytest.raises(InvalidDocument, match="one of 2, 3"):
        load_settings(settings.home, {"MENTORPLANE_MANIFEST_VERSION": "4"})
    return replace(settings, manifest_version=told.manifest_version)


def test_the_largest_shortfall_is_told_and_not_the_floor(acts: Acts) -> None:
    """Where the rules ask for two people in certain roles, one approval outside them is not told as one missing."""
    made = acts.propose("maya", {POLICY: policy(at_most="block")})
    acts.check(made.number)
    acts.approve("tom", made.number)
    lacks = "lacks 2 more approvals, in a role of compliance or safety-owner, because those who answer"
    with refused(acts.plane, Refused, lacks):
        acts.release(made.number)


@pytest.mark.databases
def test_nothing_is_released_twice(acts: Acts) -> None:
    """A released proposal is not open any more."""
    acts.approve_fully()
    acts.release()
    with refused(acts.plane, Refused, "open proposal"):
        acts.release()


@pytest.mark.databases
def test_an_act_whose_leaf_fails_did_not_happen(acts: Acts) -> None:
    """State and audit leaf are one transaction: if the leaf cannot be written, the release is not there either."""
    acts.approve_fully()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    event.listen(LeafRow, "before_insert", fail)
    try:
        with refused(acts.plane, OSError):
            acts.release()
    finally:
        event.remove(LeafRow, "before_insert", fail)
    assert queries.show_proposal(acts.plane, 2).proposal.state == "open"
    assert acts.release().number == 2


def test_publishing_again_changes_nothing(acts: Acts) -> None:
    """Everything published follows from the database: doing it again writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in acts.plane.site.rglob("*") if path.is_file()}
    assert publish.publish(acts.plane) == ()
    assert {path: path.stat().st_mtime_ns for path in acts.plane.site.rglob("*") if path.is_file()} == before


def test_a_lost_site_is_made_again(acts: Acts, tmp_path: Path) -> None:
    """The published folder can be deleted: the next start makes one that devices accept."""
    shutil.rmtree(acts.plane.site)
    assert releases.recover(acts.plane)
    assert device(acts.plane, tmp_path / "device").refresh().release == 1


def test_the_timestamp_is_renewed(acts: Acts, clock: object, tmp_path: Path) -> None:
    """Renewing raises the timestamp's version; what is past half of its life is signed anew, and devices accept it."""
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().ok
    clock.advance(days=20)  # type: ignore[attr-defined]
    publish.renew(acts.plane)
    names = {path.name for path in (acts.plane.site / "metadata").iterdir()}
    assert {"2.releases.json", "2.snapshot.json"} <= names
    assert "2.root.json" not in names
    assert edge.refresh().ok


@pytest.mark.databases
def test_a_withdrawal_reaches_devices(acts: Acts, tmp_path: Path) -> None:
    """One person withdraws; the device stops offering the prompt; the list is linked."""
    edge = device(acts.plane, tmp_path / "device")
    edge.refresh()
    assert "closing" in edge.prompts()
    acts.withdraw("tom", "closing")
    acts.withdraw("ruth", "opener")
    assert edge.refresh().ok
    assert edge.status().prompts == ()
    assert [w.name for w in queries.list_withdrawals(acts.plane)] == ["opener", "closing"]
    offered = acts.plane.site.parent / offered_path(acts.plane.channel)  # for a second source
    assert offered.read_bytes() == site_of(acts.plane).target(withdrawals_path(acts.plane.channel))


def test_a_hand_off_cannot_be_withdrawn(acts: Acts) -> None:
    """The way to a person stays open, whoever asks."""
    with refused(acts.plane, Refused, "cannot be withdrawn"):
        acts.withdraw("sam", "reach-a-person")


def test_withdrawing_twice_or_nothing_is_refused(acts: Acts) -> None:
    """A second withdrawal of the same content is a conflict; an unknown name or digest is not found."""
    acts.withdraw("tom", "closing")
    with refused(acts.plane, Conflict):
        acts.withdraw("ruth", "closing")
    for target in ("nothing", "sha256:" + "0" * 64):
        with refused(acts.plane, NotFound):
            acts.withdraw("ruth", target)


@pytest.mark.databases
def test_new_content_lifts_a_withdrawal_by_quorum(acts: Acts, tmp_path: Path) -> None:
    """A withdrawn prompt comes back as a new version that a quorum approved."""
    acts.withdraw("tom", "closing")
    made = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.check(made.number)
    acts.approve("tom", made.number)
    acts.release(made.number)
    edge = device(acts.plane, tmp_path / "device")
    edge.refresh()
    assert "closing" in edge.prompts()


def test_a_forged_mirror_is_refused_for_its_approvals_alone(acts: Acts, tmp_path: Path) -> None:
    """With every server key a thief makes valid TUF metadata of higher versions; a device misses the approvals (V6)."""
    plane = acts.plane
    edge = device(plane, tmp_path / "device")
    edge.refresh()
    size = verifying.verify(plane).size
    forged = publish.forge_mirror(plane, plane.settings.forged)
    outcome = edge.refresh(str(forged.folder))
    assert (outcome.ok, outcome.check, outcome.release) == (False, "V6", 1)
    fresh = EdgeRuntime.open(tmp_path / "fresh", trust=plane.settings.home / "trust", source=str(forged.folder))
    assert (fresh.refresh().check, fresh.status().release) == ("V6", None)
    assert verifying.verify(plane).size == size
    acts.approve_fully()
    acts.release()
    assert edge.refresh().release == 2, "a device that met the forgery still takes the next genuine release"


def test_a_forged_mirror_leaves_out_what_is_half_written(acts: Acts) -> None:
    """A file that another thread was writing, and that is gone when it is to be copied, stops nothing."""
    (acts.plane.site / ".snapshot.json.0a1b2c3d").symlink_to("gone")
    forged = publish.forge_mirror(acts.plane, acts.plane.settings.forged)
    assert not [path.name for path in forged.folder.rglob(".*")]


def test_a_forged_mirror_differs_only_as_said(acts: Acts) -> None:
    """One word of one prompt differs, in the closure and in the manifest that names it; nothing else."""
    plane = acts.plane
    forged = publish.forge_mirror(plane, plane.settings.forged)

    def target(folder: Path, path: str) -> bytes:
        name = path.rpartition("/")[2]
        folder = folder / "targets" / path.rpartition("/")[0]
        return max(folder.glob(f"*.{name}"), key=lambda found: found.stat().st_mtime_ns).read_bytes()

    genuine, copy = (parse_release(target(f, release_path(plane.channel))) for f in (plane.site, forged.folder))
    assert (genuine.groups, genuine.log) == (copy.groups, copy.log)
    for path in ("trust.json", withdrawals_path(plane.channel)):
        assert target(plane.site, path) == target(forged.folder, path)
    sites = [Site(folder, plane.keys, plane.now()) for folder in (plane.site, forged.folder)]
    old, new = (
        open_release(release, site.parts(parts_of(release)))[0]
        for site, release in zip(sites, (genuine, copy), strict=True)
    )
    changed = [(a, b) for a, b in zip(old.entries, new.entries, strict=True) if a != b]
    assert [(a.name, b.name) for a, b in changed] == [(forged.name, forged.name)]
    [(a, b)] = changed
    before, after = (
        unpack((site.folder / closure_path(entry.digest)).read_bytes(), max_bytes=10**6)
        for site, entry in zip(sites, (a, b), strict=True)
    )
    assert after == before.replace(forged.before_word.encode(), forged.after_word.encode(), 1)


def test_the_trust_file_says_that_it_is_self_contained(acts: Acts) -> None:
    """An installation that keeps every key on one machine claims less."""
    [path] = (acts.plane.site / "targets").glob("*.trust.json")
    trust = parse_trust(path.read_bytes())
    assert trust.self_contained
    assert set(trust.people) == {person["id"] for person in acts.people.values()}
