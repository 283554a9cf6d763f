"""Fetch what a release names by digest, published compressed: its parts, its closures, and many of these in packs.

Promises: no more is read or unpacked than the release says or the format allows; what comes has the digest that was
asked for. Does not: keep anything (see `adoption`). Format: docs/formats.md, *Parts*.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from edge_runtime.core.canonical import digest
from edge_runtime.core.errors import NotTrusted, Unavailable
from edge_runtime.core.manifest import PREVIOUS, Entry, Manifest
from edge_runtime.core.packs import LEAST, MAX_PACK_BYTES, is_worth, pack_path, packs_of, split
from edge_runtime.core.parts import Part, packed_bytes, part_path, unpack
from edge_runtime.core.release import MAX_CLOSURE_BYTES, closure_path, plain_closure_path

if TYPE_CHECKING:
    from edge_runtime.delivery.online import Source

__all__ = ["fetch_closure", "fetch_closures", "fetch_part"]


def fetch_part(source: Source, part: Part) -> bytes:
    """Return a part of a release.

    Raises:
        NotTrusted: V5, it is another one.
        InvalidDocument: it is not compressed as it should be, or is larger than the release says.
        Unavailable: it is not there, or the source did not answer.
    """
    try:
        data = _unpacked(source, part_path(part.digest), max_bytes=part.size)
    except FileNotFoundError as error:
        raise Unavailable("expected every part of the release at the source, got no such file") from error
    if not part.is_of(data):
        raise NotTrusted("expected a part of the release with the digest that was named, got another", check="V5")
    return data


def fetch_closure(source: Source, entry: Entry, version: str) -> bytes:
    """Return the closure of an entry of a manifest of this version.

    Raises: as for `fetch_part`.
    """
    try:
        data = _plain(source, entry) if version == PREVIOUS else _packed(source, entry)
    except FileNotFoundError as error:
        raise Unavailable(f"expected {entry.kind} {entry.name!r} at the source, got no such file") from error
    if digest(data) != entry.digest:
        raise NotTrusted(f"expected {entry.kind} {entry.name!r} with the digest that was approved", check="V5")
    return data


def fetch_closures(source: Source, manifest: Manifest, lacking: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the closures of a manifest with these digests: in packs where a source has them and they are worth it.

    Raises: as for `fetch_part`.
    """
    left = set(lacking)
    for shard, digests in packs_of(manifest).items() if len(left) >= LEAST else ():
        wanted = left.intersection(digests)
        if not is_worth(len(wanted), of=len(digests)):
            continue
        try:
            packed = _unpacked(source, pack_path(shard), max_bytes=MAX_PACK_BYTES)
        except FileNotFoundError:  # none was made, or not yet: one by one
            break
        found = split(packed, digests)
        yield from ((one, found[one]) for one in wanted)
        left -= wanted
    for entry in manifest.entries:
        if entry.digest in left:
            left.remove(entry.digest)
            yield entry.digest, fetch_closure(source, entry, manifest.version)


def _packed(source: Source, entry: Entry) -> bytes:
    try:
        return _unpacked(source, closure_path(entry.digest), max_bytes=MAX_CLOSURE_BYTES)
    except FileNotFoundError:  # it went with a release of the version before
        return _plain(source, entry)


def _plain(source: Source, entry: Entry) -> bytes:
    return source.fetch(plain_closure_path(entry.digest), max_bytes=MAX_CLOSURE_BYTES)


def _unpacked(source: Source, path: str, *, max_bytes: int) -> bytes:
    return unpack(source.fetch(path, max_bytes=packed_bytes(max_bytes)), max_bytes=max_bytes)
