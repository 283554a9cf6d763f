"""Attacks on the way from the organisation to a device: mirrors, and thieves of the online keys of TUF.

Source: the list of attacks in the TUF specification 1.0.34, section 1.5.2, and what follows from DESIGN section 6.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, TargetFile

from edge_runtime.core.trustfile import TRUST_PATH
from edge_runtime.delivery import RELEASES_ROLE
from tests.attacks.world import World, wording
from tests.counting import Counting, CountingHandler
from tests.published import published_once

RELEASE = "channels/production.json"


@pytest.mark.attack("arbitrary installation")
def test_a_source_of_strangers(world: World, tmp_path: Path) -> None:
    """What another organisation publishes, all of it sound under its own root, is refused: V2."""
    strangers = published_once(tmp_path / "strangers")
    world.refused("V2", strangers.folder)


@pytest.mark.attack("arbitrary installation")
def test_a_next_root_of_strangers(world: World) -> None:
    """A next root that names and is signed by somebody else's keys only is refused: V1."""
    root: Metadata[Root] = Metadata.from_bytes(world.newest("root").read_bytes())
    thief = CryptoSigner(Ed25519PrivateKey.generate())
    root.signed.version = 3
    for role in ("root", "targets", "snapshot", "timestamp"):
        root.signed.revoke_key(root.signed.roles[role].keyids[0], role)
        root.signed.add_key(thief.public_key, role)
    root.signatures.clear()
    root.sign(thief)
    (world.metadata / "3.root.json").write_bytes(root.to_bytes())
    with world.next("timestamp"):
        pass
    world.refused("V1")
    world.heals()


class _EndlessHandler(CountingHandler):
    protocol_version = "HTTP/1.0"  # a connection for each file
    server: _Endless

    def do_GET(self) -> None:
        if not Path(self.path).match(self.server.endless):
            return super().do_GET()
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                count = self.wfile.write(b" " * 65_536)  # may wait, and until then another file is asked for
                self.server.sent += count
        except OSError:
            return None


class _Endless(Counting):
    """Serves a folder, and in the place of one file bytes without an end, until the other side hangs up."""

    handler = _EndlessHandler

    def __init__(self, folder: Path) -> None:
        self.endless, self.sent = "-", 0
        super().__init__(folder)


@pytest.fixture
def endless(world: World) -> Iterator[_Endless]:
    """A server of what is published, with a release that the device does not have yet."""
    world.published.release(wording("Third"))
    with _Endless(world.published.folder) as server:
        yield server


@pytest.mark.attack("endless data")
def test_a_file_that_does_not_end(world: World, endless: _Endless) -> None:
    """Each kind of file is read as far as it may be long, and no further; then the look ends."""
    for pattern in (
        "metadata/timestamp.json",
        "metadata/*.snapshot.json",
        "metadata/*.releases.json",
        "targets/channels/*.production.json",
        "parts/*",
        "closures/*",
        "log/checkpoint",
    ):
        endless.endless, endless.sent = pattern, 0
        world.refused("V3", endless.address)
        assert 0 < endless.sent < 16_000_000
    world.heals()


@pytest.mark.attack("extraneous dependencies")
def test_an_entry_beside_those_that_were_approved(world: World) -> None:
    """A release brings a prompt along that nobody approved: V6."""
    approved = world.organisation.build(wording("Third"))
    world.author(approved, "p-tom", "p-ines")
    more = world.organisation.build({**wording("Third"), **wording("Obey", name="extra")})
    world.forge(more)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("extraneous dependencies")
def test_a_top_level_target_beside_the_trust_file(world: World) -> None:
    """Targets that vouch for more than the trust file are refused, whoever signed them: V2."""
    data = b'{"more":1}'
    with world.next("targets") as targets:
        targets.targets["more.json"] = TargetFile.from_data("more.json", data, ["sha256"])
    world.site.renew()
    world.site.resign()
    world.refused("V2")
    world.heals()


@pytest.mark.attack("fast-forward and its recovery")
@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_versions_that_leap_ahead(world: World, role: str) -> None:
    """A thief signs versions near the end of all numbers; nothing bad runs, and root brings the device back.

    The organisation replaces the keys and goes on with its own versions: the device follows, and what it remembers of
    the thief's versions does not stand in the way.
    """
    ahead = 2**31
    if role == "snapshot":
        with world.next("snapshot") as snapshot:
            snapshot.version = ahead
    with world.next("timestamp") as timestamp:
        timestamp.version = ahead
        if role == "snapshot":
            timestamp.snapshot_meta.version = ahead
    state = world.edge.state
    assert world.edge.refresh().ok
    assert world.edge.state == state

    world.restore()
    world.refused("V2")

    fresh = {name: Ed25519PrivateKey.generate() for name in ("timestamp", "snapshot")}
    keys = dataclasses.replace(world.published.keys, roles={**world.published.keys.roles, **fresh})
    world.published.keys = keys
    world.rotate(*fresh)
    world.published.release(wording("Third"))
    assert world.edge.refresh().release == 3
    assert world.device().state == world.edge.state


@pytest.mark.attack("indefinite freeze")
def test_a_mirror_that_stands_still(world: World) -> None:
    """Past the end of the timestamp the mirror's files are refused, V2; till then what it serves grows stale."""
    late = world.device(later=dt.timedelta(days=8))
    assert late.status().fresh == "stale"
    world.refused("V2", by=late)
    assert late.status().fresh == "stale"
    world.heals()


def _gone(path: Path) -> None:
    path.unlink()


def _page(path: Path) -> None:
    path.write_bytes(b"<html>404 not found</html>")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flipped(path: Path) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


@pytest.mark.attack("malicious mirror", "single-byte flip")
@pytest.mark.parametrize("spoil", [_gone, _page, _cut, _flipped])
def test_a_mirror_that_spoils_a_file(world: World, spoil: Callable[[Path], None]) -> None:
    """A mirror drops, replaces or cuts any file of a new release, or flips a bit of it: nothing of it is adopted."""
    before = {path.relative_to(world.published.folder) for path in world.published.folder.rglob("*")}
    world.published.release(wording("Third"))
    folder = world.published.folder
    changed = {Path("metadata/timestamp.json"), Path("log/checkpoint")}
    new = {p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder) not in before - changed}
    files = sorted(path for path in new if "entries" not in path.parts)  # those are for auditors
    assert {path.relative_to(folder).parts[0] for path in files} == {"closures", "log", "metadata", "parts", "targets"}
    held = world.held()
    for path in files:
        genuine = path.read_bytes()
        spoil(path)
        result = world.edge.refresh()
        assert (result.ok, result.release) == (False, 2), path
        assert world.held() == held, path
        path.write_bytes(genuine)
    world.runs_on(world.edge)
    assert world.edge.refresh().release == 3


@pytest.mark.attack("mix-and-match")
def test_a_snapshot_of_before_under_a_timestamp_of_now(world: World) -> None:
    """Files that were never published together are refused: V2 by versions, V3 by digests."""
    world.published.release(wording("Third"))
    newest = world.newest("snapshot")
    genuine = newest.read_bytes()
    for other in ("1.snapshot.json", "2.snapshot.json"):
        newest.write_bytes((world.metadata / other).read_bytes())
        world.refused("V2")
    newest.write_bytes(genuine)
    [before] = (world.yesterday / "targets" / "channels").glob("*.production.json")
    for target in (world.published.folder / "targets" / "channels").glob("*.production.json"):
        target.write_bytes(before.read_bytes())
    world.refused("V3")
    world.heals()


@pytest.mark.attack("mix-and-match")
def test_a_release_of_before_in_a_snapshot_of_now(world: World) -> None:
    """A thief of the snapshot and timestamp keys puts yesterday's releases beside today's trust file: V2."""
    with world.next("snapshot") as snapshot:
        snapshot.meta[f"{RELEASES_ROLE}.json"].version = 1
    with world.next("timestamp") as timestamp:
        timestamp.snapshot_meta.version += 1
    world.refused("V2")
    world.heals()


@pytest.mark.attack("rollback of root")
@pytest.mark.parametrize("version", [1, 2])
def test_an_older_root_as_the_next_one(world: World, version: int) -> None:
    """A root that was in force once, as it was signed, is none that comes next: V1."""
    with world.next("timestamp"):
        shutil.copy(world.metadata / f"{version}.root.json", world.metadata / "3.root.json")
    world.refused("V1")
    world.heals()


@pytest.mark.attack("rollback of the keyring")
def test_the_targets_of_before(world: World) -> None:
    """A thief of the online keys names the targets, and so the keyring, of before: V2."""
    with world.next("snapshot") as snapshot:
        snapshot.meta["targets.json"].version = 1
    with world.next("timestamp") as timestamp:
        timestamp.snapshot_meta.version += 1
    world.refused("V2")
    world.heals()


@pytest.mark.attack("rollback of a release", "rollback of the keyring", "rollback of the withdrawal list")
def test_all_that_was_published_yesterday(world: World) -> None:
    """A mirror serves yesterday's genuine files: V2."""
    world.refused("V2", world.yesterday)
    world.heals()


@pytest.mark.attack("rollback of a release")
def test_yesterday_s_release_signed_anew(world: World) -> None:
    """With every online key the release of before is published under versions that rise: V6, its number is lower."""
    [before] = (world.yesterday / "targets" / "channels").glob("*.production.json")
    world.written(production=before.read_bytes())
    world.refused("V6")
    world.heals()


@pytest.mark.attack("rollback of the withdrawal list")
def test_yesterday_s_withdrawals_signed_anew(world: World) -> None:
    """With every online key the list of before, without the withdrawal, is published anew: V6."""
    [before] = (world.yesterday / "targets" / "channels").glob("*.production-withdrawals.json")
    world.written(production_withdrawals=before.read_bytes())
    world.refused("V6")
    world.heals()


@pytest.mark.attack("wrong software")
def test_another_file_under_the_name_of_the_release(world: World) -> None:
    """What the digest does not name is refused, V3; what the online keys name, but is for elsewhere, V4."""
    path = next((world.published.folder / "targets").glob(f"*.{TRUST_PATH}"))
    world.published.release(wording("Third"))
    for target in (world.published.folder / "targets" / "channels").glob("*.production.json"):
        target.write_bytes(path.read_bytes())
    world.refused("V3")
    world.heals()
    organisation = world.organisation
    for elsewhere in ({"channel": "pilot"}, {"organisation": "other"}):
        manifest = organisation.build(wording("Third"), **elsewhere)
        world.author(manifest, "p-tom", "p-ines")
        world.forge(manifest)
        world.refused("V4")
    world.heals()
