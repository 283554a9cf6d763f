"""What a release shows of its approvers: by which grant each held the role, from the log."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from control_plane import db, trust
from control_plane.publish import publish
from control_plane.repository import Site
from control_plane.tables.accounts import GrantRow
from edge_runtime.core.grants import open_grant
from edge_runtime.core.mandates import Mandates, parse_mandates
from edge_runtime.core.release import mandates_of, parse_release, release_path
from edge_runtime.core.trustfile import TrustFile, parse_trust
from tests.server.acts import Acts, newest
from tests.server.conftest import Clock
from tests.server.test_grants import KIM, approve_as_kim, delegate, grant
from tests.server.test_publish_witness import witnessing, write_policy
from tests.server.test_releases import device


def shown(acts: Acts) -> Mandates:
    """Return the mandates of the published release."""
    site = Site(acts.plane.site, acts.plane.keys, acts.plane.now())
    release = parse_release(site.target(release_path(acts.plane.channel)) or b"")
    return parse_mandates(mandates_of(release, site.parts(release.mandates)))


def told(acts: Acts) -> TrustFile:
    """Return the published trust file."""
    return parse_trust(trust.signed_trust(acts.plane) or b"")


def test_approvals_in_the_first_term_are_shown_by_their_entries(acts: Acts, tmp_path: Path) -> None:
    """The trust file has the end of everybody's first term; a device adopts, and what it keeps opens again."""
    acts.approve_fully()
    acts.release()
    terms = told(acts).terms or {}
    assert all(terms[acts.id(login)].until for login in ("tom", "ines"))
    mandates = shown(acts)
    assert (len(mandates.approvals), mandates.grants, mandates.checkpoints) == (2, (), ())
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().release == 2
    assert device(acts.plane, tmp_path / "device").trusted().manifest.number == 2


def test_grants_after_the_first_term_are_shown_with_their_entries(acts: Acts, clock: Clock, tmp_path: Path) -> None:
    """Eight weeks later roles are granted anew, and one is delegated: the device follows the chain of each."""
    kim = acts.enrol("kim", "facilitator", passphrase=KIM)
    clock.advance(days=55)
    grant(acts, "ines", "community-host")
    grant(acts, "tom", "facilitator")
    delegate(acts, "tom", "kim", "facilitator", days=20)
    clock.advance(days=3)
    acts.check()
    acts.approve("ines")
    approve_as_kim(acts, kim)
    acts.release()
    mandates = shown(acts)
    chains = [[open_grant(mandates.grants[n].envelope).behalf for n in one.grants] for one in mandates.approvals]
    assert chains == [[""], [acts.id("tom"), ""]]
    assert device(acts.plane, tmp_path / "device").refresh().release == 2


def test_an_approval_is_shown_under_the_first_checkpoint_that_witnesses_cosigned(acts: Acts, tmp_path: Path) -> None:
    """From when the policy was met first, each approval is proved under a checkpoint of its own, however late."""
    plane = acts.plane
    with witnessing(plane, tmp_path / "witness") as one:
        write_policy(plane, one.address[1])
        publish(plane)
        publish(plane)
        since = told(acts).witnessed_from
        assert since > 0
        acts.approve_fully()
        acts.release()
        publish(plane)
        assert told(acts).witnessed_from == since
        mandates = shown(acts)
        assert [one.checkpoint for one in mandates.approvals] == [1, 2]
        assert all(one.entry.index >= since for one in mandates.approvals)
        assert device(plane, tmp_path / "device").refresh().release == 2


@pytest.mark.attack("approval after the grant ended")
def test_a_release_that_devices_would_refuse_for_its_approvers_waits(
    acts: Acts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's grant had ended before they approved: the release before stays, and withdrawals still go out."""
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().release == 1
    ended = newest(acts.plane).seq
    acts.approve_fully()
    with db.write(acts.plane.engine) as session:
        for row in session.exec(select(GrantRow).where(GrantRow.person == acts.id("tom"))):
            row.ended, row.ended_at = ended, row.at + timedelta(seconds=1)
    with caplog.at_level(logging.WARNING):
        acts.release()
    assert "waits: an approver is not shown to have held the role" in caplog.text
    before = edge.refresh()
    assert (before.ok, before.release) == (True, 1)
    entry = next(iter(edge.prompts()))
    acts.withdraw("ines", entry)
    publish(acts.plane)
    assert edge.refresh().ok
    assert entry not in edge.prompts()
