"""Drills: a root or a key of the log is lost on a copy, and real devices show that they come back.

The copy is of what this installation publishes now. Custodians are not asked: keys of the drill stand in for them, so a
drill shows what devices do, and that the steps are the right ones; whether custodians still have their keys and
passphrases shows when they sign a renewal. Promises: the installation, its log and its keys are not touched; the keys
of a drill are never written. Does not: import the device, which is asked as a program of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from audit.checkpoint import parse_checkpoint, sign_checkpoint
from audit.note import Signer, parse_note
from control_plane.ceremony import preparing
from control_plane.ceremony.preparing import Keepers
from control_plane.custody.verified import verified_release
from control_plane.errors import Conflict
from control_plane.files import copy_published, write_atomic
from control_plane.plane import ControlPlane
from control_plane.repository import LIFETIMES, delegate, site_of
from edge_runtime.core.release import encode_release, parse_release, release_path
from edge_runtime.core.trustfile import TRUST_PATH, encode_trust, parse_trust

__all__ = ["Adopting", "DrillReport", "drill_log", "drill_root"]

Adopting = Callable[[Path, Path, Path], int]
"""Have the device with this home and this folder of its root adopt what a folder publishes; return the release."""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """What a drill showed, one sentence a step, and what to do when it is no drill."""

    what: str
    shown: tuple[str, ...]
    to_do: tuple[str, ...]


def drill_root(plane: ControlPlane, scratch: Path, *, adopt: Adopting | None = None) -> DrillReport:
    """Lose every key of root on a copy in `scratch`, a folder that is not there yet.

    Raises:
        Conflict: there are no custodians, or nothing is released.
        NotTrusted: a device did not come back: the drill failed.
    """
    drill = _Drill(plane, scratch, adopt)
    number = drill.refresh("before")
    shown = [f"a device adopted release {number} with the root that its app shipped"]
    _lose_root(drill)
    drill.refresh("before")
    shown.append("root was lost and begun anew: the device goes on with the root before, until that expires")
    drill.ship("before")
    drill.refresh("before")
    shown.append("an update of its app shipped the new root: the same home opens and refreshes")
    drill.ship("new")
    drill.refresh("new")
    shown.append("a new device begins with the new root")
    to_do = (
        "each new custodian of root: mentorplane ceremony key",
        "mentorplane ceremony recover-root --root ... for each of them; they sign; mentorplane ceremony apply",
        f"ship trust/root.json with an update of the app before {drill.expires}: until then devices go on",
    )
    return DrillReport("root", tuple(shown), to_do)


def drill_log(plane: ControlPlane, scratch: Path, *, adopt: Adopting | None = None) -> DrillReport:
    """Lose the key of the log on a copy in `scratch`, a folder that is not there yet.

    Raises:
        Conflict: there are no custodians, or nothing is released.
        NotTrusted: a device did not come back: the drill failed.
    """
    drill = _Drill(plane, scratch, adopt)
    keeper = _lose_root(drill)  # custodians are not here: a device of the drill believes its keys instead
    drill.ship("device")
    number = drill.refresh("device")
    shown = [f"a device adopted release {number}, whose proof the log's key signed"]
    _lose_log(drill, keeper)
    drill.refresh("device")
    shown.append("the key was lost, and custodians of targets named a new one: the device sees one log that grew")
    to_do = (
        "stop the server; mentorplane ceremony recover-log",
        "mentorplane ceremony renew; custodians of targets sign; mentorplane ceremony apply; start the server",
        "give witnesses and auditors the new key: mentorplane audit verify prints it",
    )
    return DrillReport("log", tuple(shown), to_do)


class _Drill:
    """A copy of what is published, and devices that follow it."""

    def __init__(self, plane: ControlPlane, scratch: Path, adopt: Adopting | None) -> None:
        scratch.mkdir(parents=True)
        self.plane = replace(plane, settings=replace(plane.settings, home=scratch / "copy"))
        self.site, real = site_of(self.plane), site_of(plane)
        self._adopt, self._scratch = adopt or self._ask, scratch
        root = real.root()
        if root is None or real.target(release_path(plane.channel)) is None:
            raise Conflict("expected an installation that has released something, got another")
        self.expires = f"{root.signed.expires:%Y-%m-%d}"
        copy_published(plane.site, self.plane.site)

    def ship(self, device: str) -> None:
        """Ship the newest root with the app of a device."""
        root = self.site.root()
        assert root  # it was copied
        write_atomic(self._scratch / device / "trust" / "root.json", root.to_bytes())

    def refresh(self, device: str) -> int:
        """Have a device adopt what the copy publishes, with the root that its app shipped."""
        home = self._scratch / device
        if not (home / "trust").exists():
            self.ship(device)
        return self._adopt(home / "home", home / "trust", self.plane.site)

    def _ask(self, home: Path, trust: Path, source: Path) -> int:
        found = verified_release(home, trust=trust, source=str(source), channel=self.plane.channel)
        return found.manifest.number if found.manifest else 0


def _lose_root(drill: _Drill) -> CryptoSigner:
    """Begin a new root on the copy by a key of the drill, which stands for custodians of targets, too."""
    keeper = CryptoSigner(Ed25519PrivateKey.generate())
    order = preparing.recover_root(drill.plane, Keepers((keeper.public_key,), 1))
    root: Metadata[Root] | None = order.root
    assert root
    root.signed.add_key(keeper.public_key, "targets")
    root.signed.roles["targets"].threshold = 1
    root.sign(keeper)
    drill.site.take(root, None, trust=b"", released=drill.site.targets())
    return keeper


def _lose_log(drill: _Drill, keeper: CryptoSigner) -> None:
    """Put a new key of the log in force on the copy, as targets and the release in use have to say it."""
    plane, site = drill.plane, drill.site
    log = Signer(plane.keys.log.name, Ed25519PrivateKey.generate().private_bytes_raw())
    told = parse_trust(site.target(TRUST_PATH) or b"")
    # No witness is asked about a key that exists for a drill alone.
    data = encode_trust(replace(told, log_vkey=log.verifier.vkey, witness_policy=""))
    before = site.top()
    version = before.signed.version + 1 if before else 1
    top = Metadata(Targets(version=version, expires=plane.now() + LIFETIMES["targets"]))
    key = CryptoSigner(plane.keys.roles["releases"]).public_key
    delegate(top.signed, key, TargetFile.from_data(TRUST_PATH, data, ["sha256"]))
    top.sign(keeper)
    released = site.targets()
    for path in released:
        if path in {release_path(channel) for channel in plane.settings.channels}:
            release = parse_release(released[path])
            seen = parse_checkpoint(parse_note(release.log.checkpoint).text)
            proof = replace(release.log, checkpoint=sign_checkpoint(seen, [log]))
            released[path] = encode_release(replace(release, log=proof))
    newest = site.folder / "log" / "checkpoint"
    write_atomic(newest, sign_checkpoint(parse_checkpoint(parse_note(newest.read_bytes()).text), [log]))
    site.take(None, top, trust=data, released=released)
