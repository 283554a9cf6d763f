"""Packs: all closures of one shard of a manifest in one file, so that a first adoption is few requests.

What a pack holds follows from its shard, so it lies under the digest of that and nothing names it: a line for each
closure, in the order of the shard's entries, each once. Closures are canonical JSON, which has no line feed. A device
whose source has no packs, or which lacks little of a shard, fetches closures one by one.

Promises: `split(join(closures), digests)` gives them back; anything else than the very closures that people approved is
refused. Format: docs/formats.md, *Packs*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edge_runtime.core import canonical
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import PREVIOUS, Manifest
from edge_runtime.core.parts import PACKED
from edge_runtime.core.shards import group, write_shard

__all__ = ["MAX_PACK_BYTES", "is_worth", "join", "pack_path", "packs_of", "split"]

PACK_FOLDER = "packs"
MAX_PACK_BYTES = 16_000_000
"""How large a pack may be, uncompressed; of a shard with more none is made."""
LEAST = 4
"""Of how many lacking closures on a pack is asked for, if they are half of it or more."""


def pack_path(shard: str) -> str:
    """Return the path of the pack of a shard, by the shard's digest, below the published source."""
    return f"{PACK_FOLDER}/{shard.removeprefix('sha256:')}{PACKED}"


def packs_of(manifest: Manifest) -> Mapping[str, tuple[str, ...]]:
    """Return the digests of the closures in each pack of a manifest, by the digest of its shard."""
    if manifest.version == PREVIOUS:
        return {}
    return {
        canonical.digest(write_shard(shard)): tuple(dict.fromkeys(entry.digest for entry in shard))
        for shard in group(manifest.entries)
    }


def is_worth(lacking: int, of: int) -> bool:
    """Return whether to ask for a pack of so many closures where so many are lacking.

    >>> is_worth(3, of=3), is_worth(40, of=80), is_worth(39, of=80)
    (False, True, False)
    """
    return lacking >= LEAST and 2 * lacking >= of


def join(closures: Iterable[bytes]) -> bytes:
    """Return the pack of these closures."""
    return b"\n".join(closures)


def split(pack: bytes, digests: Sequence[str]) -> dict[str, bytes]:
    """Return the closures in a pack, by digest.

    Raises:
        NotTrusted: V5, they are not those with these digests, in this order.
    """
    found = pack.split(b"\n")
    if list(map(canonical.digest, found)) != list(digests):
        raise NotTrusted("expected a pack of the contents that were approved, got other bytes", check="V5")
    return dict(zip(digests, found, strict=True))
