"""Keys are replaced, lost and stolen: devices follow those who may, and nobody else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, TargetFile, Targets

from control_plane import verifying
from control_plane.ceremony import drill, preparing
from control_plane.ceremony.preparing import Replacing, replace_lost_log
from control_plane.repository import Site
from edge_runtime import EdgeRuntime
from edge_runtime.core.trustfile import TRUST_PATH
from tests.published import fingerprint
from tests.server.acts import Acts
from tests.server.custodians import Organisation, device, keepers, made


@pytest.fixture
def organisation(acts: Acts) -> Organisation:
    """The seeded installation, after its move to custodians."""
    organisation = Organisation(acts.plane)
    organisation.move()
    return organisation


@pytest.fixture
def edge(organisation: Organisation, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted what the installation released."""
    edge = device(organisation.plane, tmp_path / "device")
    assert edge.refresh().ok
    return edge


def test_devices_follow_every_key_that_is_replaced(acts: Acts, tmp_path: Path) -> None:
    """Root, targets, each key of the server and the log's: a device from before the move adopts each in turn."""
    edge, organisation = device(acts.plane, tmp_path / "device"), Organisation(acts.plane)
    assert edge.refresh().ok
    organisation.move()
    root, targets = made(), made()
    order = preparing.rotate(organisation.plane, Replacing(root=keepers(root)))
    organisation.carry_out(order, *organisation.root[:2], *root[1:])
    assert edge.refresh().ok
    order = preparing.rotate(organisation.plane, Replacing(targets=keepers(targets)))
    organisation.carry_out(order, *root[:2], *organisation.targets[1:], *targets[:2])
    assert edge.refresh().ok
    server = frozenset({"snapshot", "timestamp", "releases", "log"})
    order = preparing.rotate(organisation.plane, Replacing(server=server))
    before = organisation.plane.keys
    done = organisation.carry_out(order, *root[:2], *targets[:2])
    assert done.replaced == ("log", "releases", "snapshot", "timestamp")
    assert organisation.plane.keys.log.verifier != before.log.verifier
    assert edge.refresh().ok
    acts.plane = organisation.plane
    acts.approve_fully()
    acts.release()
    assert edge.refresh().ok
    assert device(organisation.plane, tmp_path / "device").status().release == 2
    report = verifying.verify(organisation.plane)
    assert report.ok, report.problems


def test_a_lost_threshold_of_targets_is_replaced_by_root(organisation: Organisation, edge: EdgeRuntime) -> None:
    """Without any key of targets before, root's custodians name new ones, and a device follows."""
    targets = made()
    order = preparing.rotate(organisation.plane, Replacing(targets=keepers(targets)))
    organisation.carry_out(order, *organisation.root[:2], *targets[:2])
    assert edge.refresh().ok


def test_a_lost_root_comes_back_with_an_update_of_the_app(organisation: Organisation, tmp_path: Path) -> None:
    """A device with the root before goes on; with the new one shipped, the same home opens, and later roots count."""
    old, updated = (device(organisation.plane, tmp_path / name) for name in ("old", "updated"))
    assert old.refresh().ok
    assert updated.refresh().ok
    root = made()
    organisation.carry_out(preparing.recover_root(organisation.plane, keepers(root)), *root[:2])
    assert old.refresh().ok
    shipped = tmp_path / "updated" / "trust" / "root.json"
    shutil.copy(organisation.plane.settings.home / "trust" / "root.json", shipped)
    again = device(organisation.plane, tmp_path / "updated")
    assert again.status().release == 1
    assert again.refresh().ok
    targets = made()
    order = preparing.rotate(organisation.plane, Replacing(targets=keepers(targets)))
    organisation.carry_out(order, *root[:2], *organisation.targets[:2], *targets[:2])
    assert again.refresh().ok


def test_a_lost_log_key_is_replaced_by_targets(organisation: Organisation, edge: EdgeRuntime) -> None:
    """The log goes on under a new key that custodians name; a device sees one log that grew, and so does `verify`."""
    (organisation.plane.settings.home / "keys" / "log.pem").unlink()
    replace_lost_log(organisation.plane.settings.home, organisation.plane.site)
    organisation.start_again()
    organisation.carry_out(preparing.renew(organisation.plane), *organisation.targets[:2])
    assert edge.refresh().ok
    report = verifying.verify(organisation.plane)
    assert report.ok, report.problems


def _refused(edge: EdgeRuntime, folder: Path, because: str) -> None:
    """Assert that the device refuses what a thief publishes, for this reason, and keeps what it has."""
    home = folder / "device" / "home"
    before = fingerprint(home)
    status = edge.refresh()
    assert not status.ok
    assert because in str(status)
    assert fingerprint(home) == before
    assert edge.status().release == 1


def _forged_top(site: Site, *signers: CryptoSigner) -> Metadata[Targets]:
    """The thief's top-level targets: a trust file of their own, signed by these."""
    top = site.top()
    assert top
    forged: Metadata[Targets] = Metadata.from_bytes(top.to_bytes())
    forged.signed.version += 1
    data = site.read(f"targets/{top.signed.targets[TRUST_PATH].hashes['sha256']}.{TRUST_PATH}").replace(b"R", b"r", 1)
    forged.signed.targets = {TRUST_PATH: TargetFile.from_data(TRUST_PATH, data, ["sha256"])}
    forged.signatures.clear()
    for signer in signers:
        forged.sign(signer, append=True)
    site.take(None, forged, trust=data, released=site.targets())
    return forged


@pytest.mark.attack("key compromise below threshold")
def test_every_online_key_together_cannot_change_the_keyring(
    organisation: Organisation, edge: EdgeRuntime, tmp_path: Path
) -> None:
    """A thief of the whole server signs new targets with what is there: refused in V2, the release in use stays."""
    _forged_top(organisation.site, *map(CryptoSigner, organisation.plane.keys.roles.values()))
    _refused(edge, tmp_path, "V2")


@pytest.mark.attack("key compromise below threshold")
def test_keys_below_the_threshold_of_targets_change_nothing(
    organisation: Organisation, edge: EdgeRuntime, tmp_path: Path
) -> None:
    """One custodian of targets with the whole server is refused in V2, also with their signature twice."""
    _forged_top(organisation.site, organisation.targets[0], organisation.targets[0])
    _refused(edge, tmp_path, "V2")


@pytest.mark.attack("re-delegation by an online key")
def test_an_online_key_that_redelegates_the_keyring_is_refused(
    organisation: Organisation, edge: EdgeRuntime, tmp_path: Path
) -> None:
    """`releases` delegates the trust file to a key of the thief's, who signs one: V2 fails, and nothing changes."""
    keys, thief = organisation.plane.keys, made(1)[0]
    site = organisation.site
    path = site.folder / "metadata" / "9.releases.json"
    released: Metadata[Targets] = Metadata.from_bytes(site.read("metadata/1.releases.json"))
    released.signed.version = 9
    wide = DelegatedRole("keyring", [thief.public_key.keyid], 1, True, paths=["*"])
    released.signed.delegations = Delegations({thief.public_key.keyid: thief.public_key}, {"keyring": wide})
    released.sign(CryptoSigner(keys.roles["releases"]))
    path.write_bytes(released.to_bytes())
    site.take(None, None, trust=b"", released=site.targets())
    _refused(edge, tmp_path, "releases delegates")


@pytest.mark.attack("re-delegation by an online key")
def test_a_targets_that_delegates_more_is_refused(
    organisation: Organisation, edge: EdgeRuntime, tmp_path: Path
) -> None:
    """A top-level targets under a whole threshold that delegates every path, as a stolen online one could, fails V2."""
    site = organisation.site
    top = site.top()
    assert top
    assert top.signed.delegations
    assert top.signed.delegations.roles
    top.signed.version += 1
    top.signed.delegations.roles["releases"].paths = ["channels/*", "*"]
    top.signatures.clear()
    for signer in organisation.targets[:2]:
        top.sign(signer, append=True)
    site.take(None, top, trust=site.target(TRUST_PATH) or b"", released=site.targets())
    _refused(edge, tmp_path, "delegates other paths")


@pytest.mark.attack("key compromise below threshold")
def test_a_root_of_strangers_is_refused(organisation: Organisation, edge: EdgeRuntime, tmp_path: Path) -> None:
    """A next root that one custodian and a thief's own keys signed fails V1."""
    site = organisation.site
    root, thieves = site.root(), made()
    assert root
    forged: Metadata[Root] = Metadata.from_bytes(root.to_bytes())
    forged.signed.version += 1
    for old, new in zip(list(forged.signed.roles["root"].keyids), thieves, strict=True):
        forged.signed.revoke_key(old, "root")
        forged.signed.add_key(new.public_key, "root")
    forged.signatures.clear()
    for signer in (*thieves, organisation.root[0]):
        forged.sign(signer, append=True)
    site.take(forged, None, trust=b"", released=site.targets())
    _refused(edge, tmp_path, "V1")


def test_drills_bring_devices_back_and_touch_nothing(organisation: Organisation, tmp_path: Path) -> None:
    """A root and a key of the log are lost on copies; devices come back, and the installation is as it was."""

    def adopt(home: Path, trust: Path, source: Path) -> int:
        edge = EdgeRuntime.open(home, trust=trust, source=str(source))
        assert edge.refresh().ok
        return edge.status().release or 0

    before = fingerprint(organisation.plane.settings.home)
    root = drill.drill_root(organisation.plane, tmp_path / "one", adopt=adopt)
    log = drill.drill_log(organisation.plane, tmp_path / "two", adopt=adopt)
    assert len(root.shown) == 4
    assert "release 1" in log.shown[0]
    assert fingerprint(organisation.plane.settings.home) == before
