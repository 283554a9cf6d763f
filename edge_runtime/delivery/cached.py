"""Verify a generation on disk from root to targets again: V1 to V3 without the network, ignoring expiry.

The cache is hostile when read: whoever edited it must not get further than a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuf.api.exceptions import BadVersionNumberError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from edge_runtime.core.errors import NotTrusted
from edge_runtime.delivery import RELEASES_ROLE, TRUST_PATH, target_paths

__all__ = ["load_cached"]


@contextmanager
def _wrapped(check: str) -> Iterator[None]:
    try:
        yield
    except (RepositoryError, OSError, ValueError, KeyError) as error:
        raise NotTrusted(
            f"expected what was adopted, got {type(error).__name__} on reading it again", check=check
        ) from error


def load_cached(generation: Path, root: bytes, *, channel: str) -> dict[str, bytes]:
    """Verify a generation from root to targets again, without network, ignoring expiry; return its target files.

    Raises:
        NotTrusted: V1, V2 or V3 failed: the home was edited or damaged.
    """
    metadata = generation / "metadata"
    with _wrapped("V1"):
        trusted = _root_chain(metadata / "root_history", root)
    with _wrapped("V2"):
        timestamp = Metadata[Timestamp].from_bytes((metadata / "timestamp.json").read_bytes())
        trusted.verify_delegate(Timestamp.type, timestamp.signed_bytes, timestamp.signatures)
        snapshot = Metadata[Snapshot].from_bytes((metadata / "snapshot.json").read_bytes())
        trusted.verify_delegate(Snapshot.type, snapshot.signed_bytes, snapshot.signatures)
        targets = Metadata[Targets].from_bytes((metadata / "targets.json").read_bytes())
        trusted.verify_delegate(Targets.type, targets.signed_bytes, targets.signatures)
        releases = Metadata[Targets].from_bytes((metadata / f"{RELEASES_ROLE}.json").read_bytes())
        targets.signed.verify_delegate(RELEASES_ROLE, releases.signed_bytes, releases.signatures)
        _verify_versions(timestamp.signed, snapshot.signed, targets=targets.signed, releases=releases.signed)
    files: dict[str, bytes] = {}
    for path in target_paths(channel):
        role = targets.signed if path == TRUST_PATH else releases.signed
        with _wrapped("V3"):
            info = role.targets.get(path)
            if info is None:
                raise NotTrusted(f"expected target {path!r} on this device, got none", check="V2")
            data = (generation / "targets" / path.replace("/", "%2F")).read_bytes()
            info.verify_length_and_hashes(data)
            files[path] = data
    return files


def _root_chain(history: Path, shipped: bytes) -> Root:
    first = Metadata[Root].from_bytes(shipped)
    first.signed.verify_delegate(Root.type, first.signed_bytes, first.signatures)
    root = first.signed
    while (following := history / f"{root.version + 1}.root.json").exists():
        new = Metadata[Root].from_bytes(following.read_bytes())
        for verifier in (root, new.signed):
            verifier.verify_delegate(Root.type, new.signed_bytes, new.signatures)
        if new.signed.version != root.version + 1:
            raise BadVersionNumberError("expected root versions one after another")
        root = new.signed
    return root


def _verify_versions(timestamp: Timestamp, snapshot: Snapshot, *, targets: Targets, releases: Targets) -> None:
    stated = (
        (timestamp.snapshot_meta.version, snapshot.version),
        (snapshot.meta["targets.json"].version, targets.version),
        (snapshot.meta[f"{RELEASES_ROLE}.json"].version, releases.version),
    )
    if any(expected != got for expected, got in stated):
        raise BadVersionNumberError("expected the versions that timestamp and snapshot state")
