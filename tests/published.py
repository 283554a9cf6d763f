"""An in-memory organisation published for real: TUF metadata, closures and log tiles in a folder.

What `control_plane.publish` writes from a database, `Published` writes from `tests.simulator`, with the same
repository code, so that tests of the device need no server and can publish what a server never would.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from audit.merkle import Frontier
from audit.tiles import grow
from control_plane.keys import ServerKeys, load_keys
from control_plane.repository import Site
from edge_runtime import EdgeRuntime
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.packs import join, pack_path, packs_of
from edge_runtime.core.parts import pack
from edge_runtime.core.release import divide_release, encode_release, encode_withdrawals, release_path, withdrawals_path
from edge_runtime.core.rollout import encode_words, stages_path
from edge_runtime.core.trustfile import encode_trust
from tests.mandates import mandates_for
from tests.simulator import CHANNEL, Organisation


def published_once(folder: Path) -> Published:
    """Return an organisation with one release in a folder."""
    made = Published(folder)
    made.release()
    return made


def adopted(published: Published, folder: Path) -> EdgeRuntime:
    """Return a device that has adopted what is published."""
    runtime = EdgeRuntime.open(folder / "home", trust=published.trust, source=str(published.folder))
    refreshed = runtime.refresh()
    assert refreshed.ok, refreshed
    return runtime


class Published:
    """A folder that devices can read, and the organisation behind it."""

    def __init__(self, folder: Path, organisation: Organisation | None = None) -> None:
        self.organisation = organisation or Organisation()
        self.folder = folder / "site"
        self.trust = folder / "trust"
        self.keys: ServerKeys = load_keys(folder / "keys", "acme")
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)

    def copied(self, folder: Path) -> Published:
        """Return another one that starts from here, in a folder that gets a copy of all that lies beside this one."""
        shutil.copytree(self.folder.parent, folder, symlinks=True, dirs_exist_ok=True)
        members = {field.name: getattr(self.organisation, field.name) for field in fields(Organisation)}
        members = {n: copy.copy(held) if isinstance(held, dict | list) else held for n, held in members.items()}
        made = Published(folder, Organisation(**members))
        made.now = self.now
        return made

    def release(self, documents: Mapping[tuple[str, str], bytes] | None = None, **options: object) -> Manifest:
        """Release through the organisation, then publish."""
        made = self.organisation.release(
            self.organisation.base_documents() if documents is None else documents,
            **options,  # type: ignore[arg-type]
        )
        self.publish()
        return made

    def release_in_stages(self, documents: Mapping[tuple[str, str], bytes], *stages: int) -> Manifest:
        """Release in stages, approved by the quorum of that, then publish."""
        organisation = self.organisation
        made = organisation.build(documents, stages=stages)
        organisation.vouch(made, (("p-tom", "facilitator"), ("p-ines", "compliance"), ("p-sam", "safety-owner")))
        organisation.manifest = made
        organisation.words.clear()
        self.publish()
        return made

    def publish(self, manifest: Manifest | None = None) -> None:
        """Publish what the organisation holds now; `manifest` may be one that it never released."""
        organisation = self.organisation
        manifest = manifest or organisation.manifest
        assert manifest is not None
        self.write_log()
        site = Site(self.folder, self.keys, self.now)
        named = {entry.digest for entry in manifest.entries}
        proof = organisation.proof(len(organisation.leaves) - 1)
        mandates = mandates_for(organisation, manifest)
        release, parts = divide_release(manifest.encode(), organisation.statements, proof, mandates=mandates)
        site.write_parts(parts)
        closures = {digest: organisation.closures[digest] for digest in site.lacking(named, plain=not parts)}
        site.write_closures(closures, plain=not parts)
        targets = {
            release_path(CHANNEL): encode_release(release),
            withdrawals_path(CHANNEL): encode_withdrawals(CHANNEL, tuple(organisation.withdrawals)),
        }
        if len(manifest.stages) > 1:
            targets[stages_path(CHANNEL)] = encode_words(CHANNEL, organisation.words)
        site.write(encode_trust(organisation.trust()), targets)
        self.trust.mkdir(exist_ok=True)
        (self.trust / "root.json").write_bytes(site.read("metadata/1.root.json"))

    def write_packs(self) -> None:
        """Write the packs of the release that the organisation holds now."""
        manifest = self.organisation.manifest
        assert manifest is not None
        (self.folder / "packs").mkdir(exist_ok=True)
        for shard, digests in packs_of(manifest).items():
            data = join(self.organisation.closures[digest] for digest in digests)
            (self.folder / pack_path(shard)).write_bytes(pack(data))

    def write_log(self) -> None:
        """Write the log's tiles and checkpoint."""
        folder = self.folder / "log"
        folder.mkdir(parents=True, exist_ok=True)

        def read(path: str) -> bytes:
            return (folder / path).read_bytes()

        for path, data in grow(Frontier(), self.organisation.leaves, read).files:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        (folder / "checkpoint").write_bytes(self.organisation.proof(0).checkpoint)


def fingerprint(folder: Path) -> dict[str, str]:
    """Return the digest of every file below `folder`: to assert that nothing changed."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def replaced(record: object, **changes: object) -> object:
    """Return a frozen record with other members."""
    return dataclasses.replace(record, **changes)  # type: ignore[type-var]
