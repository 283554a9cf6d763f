"""Ceremonies: root and targets under thresholds of custodians, and devices that follow every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_plane import ledger, publish, trust, verifying
from control_plane.ceremony import preparing, watching
from control_plane.ceremony.carrying_out import carry_out
from control_plane.ceremony.orders import describe, encode_order, lacking, merge, parse_order, sign_order
from control_plane.errors import Conflict, Refused
from control_plane.granting import grants
from control_plane.repository import Site
from control_plane.reviewing import proposals
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.trustfile import parse_trust
from tests.published import fingerprint
from tests.server.acts import Acts, newest
from tests.server.conftest import Clock
from tests.server.custodians import Organisation, device, made, with_signatures
from tests.server.library import script


@pytest.fixture
def organisation(acts: Acts) -> Organisation:
    """The seeded installation, self-contained."""
    return Organisation(acts.plane)


def test_a_device_follows_an_installation_to_offline_keys(acts: Acts, tmp_path: Path) -> None:
    """One order moves root and targets to custodians; a device adopts it, opens again offline, and goes on."""
    organisation = Organisation(acts.plane)
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().ok
    done = organisation.move()
    home = acts.plane.settings.home
    assert done.kind == "move"
    assert not (home / "keys" / "root.pem").exists()
    assert not (home / "keys" / "targets.pem").exists()
    assert edge.refresh().ok
    again = device(organisation.plane, tmp_path / "device")
    assert again.status().release == 1
    told = trust.signed_trust(organisation.plane)
    assert told
    assert not parse_trust(told).self_contained
    acts.plane = organisation.plane
    acts.approve_fully()
    acts.release()
    assert again.refresh().ok
    assert again.status().release == 2
    assert device(organisation.plane, tmp_path / "newcomer").refresh().ok
    log = [leaf.act for leaf in ledger.search(organisation.plane, limit=50)]
    assert {"root-signed", "targets-signed", "trust-changed"} <= set(log)
    assert verifying.verify(organisation.plane).ok


def test_custodians_are_told_of_grants_that_were_ended(organisation: Organisation, acts: Acts) -> None:
    """Until they sign again devices count these to their end; the order says which, and by which entry of the log."""
    organisation.move()
    acts.plane, tom = organisation.plane, acts.id("tom")
    assert watching.warnings(acts.plane) == ()
    grants.end(acts.plane, tom, f"{tom}.facilitator", reason="I leave", passphrase=acts.passphrase("tom"))
    assert watching.warnings(acts.plane) == ("grants were ended since custodians signed: mentorplane ceremony renew",)
    [line] = [line for line in describe(preparing.renew(acts.plane)).split("\n") if line.startswith(f"  {tom}:")]
    assert f"; {tom}.facilitator ended by entry {newest(acts.plane).seq}" in line
    assert "; first term until 20" in line


def test_an_order_below_its_threshold_is_not_carried_out(organisation: Organisation) -> None:
    """With one of two signatures under targets nothing changes, and what lacks is said."""
    order = preparing.move(organisation.plane, organisation.custody)
    short = with_signatures(order, [*organisation.root[:2], organisation.targets[0]])
    before = fingerprint(organisation.plane.settings.home)
    with pytest.raises(Refused, match="1 more under targets"):
        carry_out(organisation.plane, short)
    assert fingerprint(organisation.plane.settings.home) == before


def test_custodians_sign_copies_of_an_order_each_by_themselves(organisation: Organisation) -> None:
    """Copies that travelled apart count together; a copy of another order is refused, and so is a key not asked for."""
    order = preparing.move(organisation.plane, organisation.custody)
    copies = [sign_order(order, one) for one in (*organisation.root[1:], *organisation.targets[1:])]
    assert lacking(order)
    assert lacking(merge(copies)) == ()
    other = preparing.move(organisation.plane, Organisation(organisation.plane).custody)
    with pytest.raises(Conflict, match="copies of one order"):
        merge([order, other])
    with pytest.raises(Refused, match="asks for"):
        sign_order(order, made(1)[0])


def test_an_order_carried_out_again_after_a_crash_finishes_it(organisation: Organisation, tmp_path: Path) -> None:
    """A crash after any file was published is finished by the same order, and devices adopt what stands in between."""
    edge = device(organisation.plane, tmp_path / "device")
    assert edge.refresh().ok
    order = preparing.move(organisation.plane, organisation.custody)
    signed = with_signatures(order, [*organisation.root[:2], *organisation.targets[:2]])
    site = organisation.site
    site.take(None, signed.targets, trust=signed.trust, released=site.targets())  # power fails before the root
    assert edge.refresh().ok
    carry_out(organisation.plane, signed)
    assert edge.refresh().ok
    organisation.start_again()
    carry_out(organisation.plane, signed)
    assert edge.refresh().ok
    assert verifying.verify(organisation.plane).ok


def test_a_server_that_holds_the_keys_before_signs_nothing(organisation: Organisation) -> None:
    """A server still running after its keys were taken away refuses to publish what no device would adopt."""
    stale = organisation.plane
    organisation.move()
    before = fingerprint(stale.site)
    with pytest.raises(Unavailable, match="in force"):
        Site(stale.site, stale.keys, stale.now()).resign()
    assert fingerprint(stale.site) == before
    publish.renew(organisation.plane)


def test_what_custodians_have_not_signed_yet_reaches_no_device(acts: Acts, tmp_path: Path) -> None:
    """Who is enrolled after the move, and what they sign, counts once custodians signed the keyring, and not before."""
    organisation = Organisation(acts.plane)
    organisation.move()
    acts.plane = organisation.plane
    before = trust.signed_trust(acts.plane)
    noor = acts.enrol("noor", "author", passphrase="noor has a secret")
    given = {"title": "A change", "passphrase": "noor has a secret"}
    number = proposals.propose(acts.plane, noor.id, files={"a.yaml": script("added")}, **given).number
    acts.approve_fully(number)
    with pytest.raises(Refused, match="custodians signed"):
        acts.release(number)
    publish.publish(acts.plane)
    assert trust.signed_trust(acts.plane) == before
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().ok
    organisation.carry_out(preparing.renew(acts.plane), *organisation.targets[1:])
    told = trust.signed_trust(organisation.plane)
    assert told
    assert len(parse_trust(told).people) == len(parse_trust(before or b"").people) + 1
    assert acts.release(number).number == 2
    assert edge.refresh().ok
    assert edge.status().release == 2


def test_an_order_survives_its_file(organisation: Organisation) -> None:
    """Parsed and encoded an order is the same bytes."""
    data = encode_order(preparing.move(organisation.plane, organisation.custody))
    assert encode_order(parse_order(data)) == data


def test_the_end_of_targets_is_told_before_it_comes(organisation: Organisation, clock: Clock) -> None:
    """From 30 days before their end, and when people changed, `standing` warns; a renewal ends that."""
    assert watching.standing(organisation.plane).warnings == ()
    organisation.move()
    assert watching.standing(organisation.plane).warnings == ()
    clock.advance(days=61)
    [warning] = watching.standing(organisation.plane).warnings
    assert warning.startswith("targets expires in 29 days")
    clock.advance(days=40)
    assert "already" in watching.standing(organisation.plane).warnings[0]
    organisation.carry_out(preparing.renew(organisation.plane), *organisation.targets[:2])
    assert watching.standing(organisation.plane).warnings == ()
    assert watching.standing(organisation.plane).targets_keys == "2 of 3"
