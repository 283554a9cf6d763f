"""The published folder as a TUF repository: metadata, targets, and what releases name by digest: closures and parts.

Order of writing, so that a reader never sees a half: targets, metadata of `targets` and `releases`, snapshot, and the
timestamp last. A crash between any two leaves the older timestamp, and with it the older release, in force; `write`
notices that and finishes.

Promises: consistent snapshots, so that files are only ever added; versions only rise; nothing is signed with a key that
root does not name. Root and targets are signed here in a self-contained installation alone; else custodians sign them
(see `ceremony`), and `take` publishes what they signed. Does not: know what the targets mean, or lock.
Beside `ceremony` this is the server's only module that imports `tuf`. Source: TUF specification 1.0; DESIGN section 6.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from securesystemslib.signer._crypto_signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from control_plane.files import write_all, write_atomic
from control_plane.keys import ServerKeys
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.freshness import TIMESTAMP_LIFETIME_S
from edge_runtime.core.parts import Part, pack, part_path, unpack
from edge_runtime.core.release import CLOSURE_FOLDER, closure_path, plain_closure_path
from edge_runtime.core.trustfile import TRUST_PATH

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane

__all__ = ["LIFETIMES", "Site", "delegate", "site_of"]

LIFETIMES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=90),
    "releases": timedelta(days=30),
    "snapshot": timedelta(days=30),
    "timestamp": timedelta(seconds=TIMESTAMP_LIFETIME_S),
}
"""How long metadata of each role is valid. The timestamp is renewed hourly, so a server may be away for a week."""

_S = TypeVar("_S", Root, Snapshot, Targets, Timestamp)


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of published files, the keys that sign them, and the time now."""

    folder: Path
    keys: ServerKeys
    now: datetime

    def read(self, path: str) -> bytes:
        """Return a published file.

        Raises:
            Unavailable: it is not there.
        """
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(f"expected the published file {path}, got none") from error

    def target(self, path: str) -> bytes | None:
        """Return the content of a target as it is published now."""
        holder = self._load("targets" if path == TRUST_PATH else "releases", Targets)
        info = holder.signed.targets.get(path) if holder else None
        return self.read(f"targets/{_hashed(path, info)}") if info else None

    def targets(self) -> dict[str, bytes]:
        """Return what is published below `channels/` now."""
        holder = self._load("releases", Targets)
        infos = holder.signed.targets if holder else {}
        return {path: self.read(f"targets/{_hashed(path, info)}") for path, info in infos.items()}

    def lacking(self, digests: Iterable[str], *, plain: bool = False) -> set[str]:
        """Return those closures that are not there, compressed or `plain`: their names are their content."""
        path = plain_closure_path if plain else closure_path
        folder = self.folder / CLOSURE_FOLDER
        names = os.listdir(folder) if folder.is_dir() else ()  # noqa: PTH208 - ten thousand names, no paths
        held = {f"{CLOSURE_FOLDER}/{name}" for name in names}
        return {digest for digest in digests if path(digest) not in held}

    def write_closures(self, closures: Mapping[str, bytes], *, plain: bool = False) -> None:
        """Write closures by digest, compressed or `plain`."""
        path = plain_closure_path if plain else closure_path
        files = {self.folder / path(digest): data for digest, data in closures.items()}
        write_all(files, as_made=bytes if plain else pack)

    def write_parts(self, parts: Mapping[str, bytes]) -> None:
        """Write those parts of a release, by digest, that are not there."""
        files = {self.folder / part_path(digest): data for digest, data in parts.items()}
        write_all({path: data for path, data in files.items() if not path.is_file()}, as_made=pack)

    def has_parts(self, named: Iterable[Part]) -> bool:
        """Return whether files of these parts are there."""
        return all((self.folder / part_path(part.digest)).is_file() for part in named)

    def parts(self, named: Iterable[Part]) -> dict[str, bytes]:
        """Return those parts that are published just as they are named, by digest."""
        found = {}
        for part in named:
            try:
                data = unpack((self.folder / part_path(part.digest)).read_bytes(), max_bytes=part.size)
            except (FileNotFoundError, InvalidDocument):
                continue
            if part.is_of(data):
                found[part.digest] = data
        return found

    def write(self, trust: bytes, targets: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write trust file, targets and metadata where they differ; return what changed, () if all was in force."""
        changed = [path for path, data in {TRUST_PATH: trust, **targets}.items() if self.target(path) != data]
        if not changed and self._is_in_force():
            return ()
        if self._load("root", Root) is None:
            self._write_root()
        files = {path: TargetFile.from_data(path, data, ["sha256"]) for path, data in targets.items()}
        top = TargetFile.from_data(TRUST_PATH, trust, ["sha256"])
        for path, data in {TRUST_PATH: trust, **targets}.items():
            if path in changed:
                write_atomic(self.folder / "targets" / _hashed(path, files.get(path, top)), data)
        # Crash here: new targets lie there unused, the metadata in force does not name them.
        if TRUST_PATH in changed or self._load("targets", Targets) is None:
            self._write_versioned("targets", self._next("targets", Targets, lambda t: self._top(t, top)))
        if set(changed) - {TRUST_PATH} or self._load("releases", Targets) is None:
            self._write_versioned("releases", self._next("releases", Targets, lambda t: _set_targets(t, files)))
        self._sign_due()  # no server may have run for long, and devices refuse what has ended
        self._write_snapshot()
        self._write_timestamp()
        return tuple(changed) or ("timestamp",)

    def renew(self) -> None:
        """Sign a new timestamp, after whatever is past half of its life; nothing if nothing is published."""
        if self._load("timestamp", Timestamp) is None:
            return
        if self._sign_due() or self._is_due("snapshot", self._load("snapshot", Snapshot)):
            self._write_snapshot()
        self._write_timestamp()

    def _sign_due(self) -> bool:
        """Sign again what is past half of its life, but for snapshot and timestamp; return whether one must follow."""
        due = [role for role in self._resigned if self._is_due(role, self._load(role, Targets))]
        for role in due:
            self._write_versioned(role, self._next(role, Targets, lambda _: None))
        if "root" in self.keys.roles and self._is_due("root", self._load("root", Root)):
            self._write_versioned("root", self._next("root", Root, lambda _: None))
        return bool(due)

    def resign(self) -> None:
        """Sign everything below root again, with versions that rise; what it says stays."""
        for role in self._resigned:
            self._write_versioned(role, self._next(role, Targets, lambda _: None))
        self._write_snapshot()
        self._write_timestamp()

    def root(self) -> Metadata[Root] | None:
        """Return the newest root."""
        return self._load("root", Root)

    def top(self) -> Metadata[Targets] | None:
        """Return the newest top-level targets."""
        return self._load("targets", Targets)

    def take(
        self,
        root: Metadata[Root] | None,
        targets: Metadata[Targets] | None,
        *,
        trust: bytes,
        released: Mapping[str, bytes],
    ) -> None:
        """Publish root and targets that custodians signed, and what is released; may be run again after a crash.

        The new root stands last where the keys before signed everything below it too: every device that looks in
        between finds what verifies. Where they could not, it stands first, and a device that looks in between keeps
        what it has.
        """
        before = self.root()
        if root and (before is None or (targets and not _is_signed(before.signed, "targets", targets))):
            self._put("root", root)
        if targets:
            write_atomic(self.folder / "targets" / _hashed(TRUST_PATH, targets.signed.targets[TRUST_PATH]), trust)
            self._put("targets", targets)
        files = {path: TargetFile.from_data(path, data, ["sha256"]) for path, data in released.items()}
        for path, data in released.items():
            write_atomic(self.folder / "targets" / _hashed(path, files[path]), data)
        holder = self._load("releases", Targets)
        if holder is None or holder.signed.targets != files or "releases" in self.keys.also:
            self._write_versioned("releases", self._next("releases", Targets, lambda t: _set_targets(t, files)))
        self._write_snapshot()
        self._write_timestamp()
        # Crash here: what is below the new root is signed for the root before, too.
        if root:
            self._put("root", root)

    @property
    def _resigned(self) -> tuple[str, ...]:
        return tuple(role for role in ("targets", "releases") if role in self.keys.roles)

    def _put(self, role: str, metadata: Metadata[_S]) -> None:
        write_atomic(self.folder / "metadata" / f"{metadata.signed.version}.{role}.json", metadata.to_bytes())

    def _is_due(self, role: str, metadata: Metadata[_S] | None) -> bool:
        return metadata is None or metadata.signed.expires - self.now < LIFETIMES[role] / 2

    def _write_root(self) -> None:
        root = Root(consistent_snapshot=True)
        for role in ("root", "targets", "snapshot", "timestamp"):
            root.add_key(self._signer(role).public_key, role)
        self._write_versioned("root", Metadata(root))

    def _top(self, targets: Targets, trust: TargetFile) -> None:
        delegate(targets, self._signer("releases").public_key, trust)

    def _write_snapshot(self) -> None:
        def change(snapshot: Snapshot) -> None:
            snapshot.meta = self._newest_roles()

        self._write_versioned("snapshot", self._next("snapshot", Snapshot, change))
        # Crash here: the timestamp in force names the snapshot before, whose files are all still there.

    def _write_timestamp(self) -> None:
        snapshot = self._load("snapshot", Snapshot)
        version = snapshot.signed.version if snapshot else 1

        def change(timestamp: Timestamp) -> None:
            timestamp.snapshot_meta = MetaFile(version)

        metadata = self._next("timestamp", Timestamp, change)
        self._sign("timestamp", metadata)
        write_atomic(self.folder / "metadata" / "timestamp.json", metadata.to_bytes())

    def _next(self, role: str, kind: type[_S], change: Callable[[_S], None]) -> Metadata[_S]:
        metadata = self._load(role, kind)
        if metadata is None:
            metadata = Metadata(kind())
        else:
            metadata.signed.version += 1
        change(metadata.signed)
        return metadata

    def _write_versioned(self, role: str, metadata: Metadata[_S]) -> None:
        self._sign(role, metadata)
        self._put(role, metadata)

    def _sign(self, role: str, metadata: Metadata[_S]) -> None:
        metadata.signed.expires = self.now + LIFETIMES[role]
        signers = [self._signer(role)]
        if role in self.keys.also:
            signers.append(CryptoSigner(self.keys.also[role]))
        self._require_named(role, [signer.public_key.keyid for signer in signers])
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(signer, append=True)

    def _require_named(self, role: str, keyids: Sequence[str]) -> None:
        """Refuse to sign with a key that nobody would believe, as a server does that still holds the keys before."""
        if role == "releases":
            top = self.top()
            roles = top.signed.delegations.roles if top and top.signed.delegations else None
            named = roles[role].keyids if roles else keyids
        else:
            root = self.root()
            named = root.signed.roles[role].keyids if root else keyids
        if not set(named) & set(keyids):
            hint = "a ceremony replaced it: start the server again"
            raise Unavailable(f"expected the key of {role} that is in force, got another", hint=hint)

    def _signer(self, role: str) -> CryptoSigner:
        if role not in self.keys.roles:
            hint = "`mentorplane ceremony renew` makes an order for them"
            raise Unavailable(f"expected custodians to sign {role}, whose key is not here", hint=hint)
        return CryptoSigner(self.keys.roles[role])

    def _is_in_force(self) -> bool:
        """Return whether the timestamp leads to the newest of everything: false after a crash in between."""
        timestamp, snapshot = self._load("timestamp", Timestamp), self._load("snapshot", Snapshot)
        if timestamp is None or snapshot is None:
            return False
        newest = self._newest_roles()
        return timestamp.signed.snapshot_meta.version == snapshot.signed.version and snapshot.signed.meta == newest

    def _newest_roles(self) -> dict[str, MetaFile]:
        roles = {f"{role}.json": self._load(role, Targets) for role in ("targets", "releases")}
        return {name: MetaFile(metadata.signed.version) for name, metadata in roles.items() if metadata}

    def _load(self, role: str, kind: type[_S]) -> Metadata[_S] | None:
        """Return the newest metadata of a role on the disk, in force or not: versions must only rise."""
        folder = self.folder / "metadata"
        if role == "timestamp":
            path = folder / "timestamp.json"
        else:
            versions = [int(file.name.split(".")[0]) for file in folder.glob(f"[0-9]*.{role}.json")]
            path = folder / f"{max(versions, default=0)}.{role}.json"
        if not path.is_file():
            return None
        metadata = Metadata[_S].from_bytes(path.read_bytes())
        if not isinstance(metadata.signed, kind):
            raise InvalidDocument(f"expected metadata of {role} in {path.name}, got another kind")
        return metadata


def site_of(plane: ControlPlane) -> Site:
    """Return the repository of an installation, as it stands now."""
    return Site(plane.site, plane.keys, plane.now())


def delegate(targets: Targets, key: Key, trust: TargetFile) -> None:
    """Let top-level targets vouch for the trust file, and delegate `channels/*`, no more, to this key."""
    role = DelegatedRole("releases", [key.keyid], threshold=1, terminating=True, paths=["channels/*"])
    targets.targets = {TRUST_PATH: trust}
    targets.delegations = Delegations({key.keyid: key}, {"releases": role})


def _is_signed(root: Root, role: str, metadata: Metadata[Targets]) -> bool:
    return root.get_verification_result(role, metadata.signed_bytes, metadata.signatures).verified


def _set_targets(targets: Targets, files: Mapping[str, TargetFile]) -> None:
    targets.targets = dict(files)


def _hashed(path: str, info: TargetFile) -> str:
    """Return the hash-prefixed name of a target in a consistent snapshot.

    >>> _hashed("channels/x.json", TargetFile(1, {"sha256": "ab"}, "channels/x.json"))
    'channels/ab.x.json'
    """
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{info.hashes['sha256']}.{name}"
