"""The shards of a manifest: its entries in documents of their own, so that a small change is a small download.

How many there are follows from the number of entries, and in which one an entry is from a hash of its kind and name:
so whoever knows the entries knows the shards, byte for byte, and with them what people signed.

Promises: `join(names of divide(entries), divide(entries)) == entries`; anything else than those shards is refused.
Format: docs/formats.md, `mentorplane-shard/1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain

from edge_runtime.core import canonical
from edge_runtime.core.entries import Entry, is_ordered, parse_entry, parse_listing
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.parts import Part, parse_part

__all__ = ["divide", "group", "join", "parse_shards", "write_shard"]

FORMAT = "mentorplane-shard/1"
MAX_SHARDS = 1024
SHARD_ENTRIES = 128
"""How many entries a shard has on average, at the most."""


def _shard_count(entries: int) -> int:
    """Return into how many shards so many entries are divided: a power of two.

    >>> [_shard_count(entries) for entries in (0, 128, 129, 10_000)]
    [1, 1, 2, 128]
    """
    return 1 << max(0, (entries - 1) // SHARD_ENTRIES).bit_length()


def _shards_of(entries: Iterable[Entry], count: int) -> list[int]:
    """Return the shard of each entry, of so many: a power of two."""
    hashed = [sha256(f"{entry[0]}/{entry[1]}".encode()).digest() for entry in entries]
    return [int.from_bytes(one[:4]) % count for one in hashed]  # the big end first


def group(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries of each shard of a manifest with these entries, which are sorted."""
    shards: list[list[Entry]] = [[] for _ in range(_shard_count(len(entries)))]
    for entry, number in zip(entries, _shards_of(entries, len(shards)), strict=True):
        shards[number].append(entry)
    return shards


def divide(entries: Sequence[Entry]) -> list[bytes]:
    """Return the shards of a manifest with these entries, which are sorted."""
    return list(map(write_shard, group(entries)))


def write_shard(entries: Iterable[Entry]) -> bytes:
    """Return the shard that holds these entries, which are sorted."""
    return canonical.encode({"format": FORMAT, "entries": [entry.as_json() for entry in entries]})


def parse_shards(fields: Fields, *, max_bytes: int) -> tuple[Part, ...]:
    """Return what names the shards in a head; raises `InvalidDocument` if they are of more than `max_bytes` bytes."""
    shards = fields.items("shards", parse_part, at_most=MAX_SHARDS)
    if sum(shard.size for shard in shards) > max_bytes:
        raise fields.refuse("shards", f"at most {max_bytes} bytes of entries")
    return shards


def join(named: Sequence[Part], shards: Sequence[bytes]) -> tuple[Entry, ...]:
    """Return the entries of the shards that a head names, sorted.

    Raises:
        InvalidDocument: they are not those, or an entry is not where it belongs.
    """
    if len(named) != len(shards) or not all(map(Part.is_of, named, shards)):
        raise InvalidDocument(f"{FORMAT}: expected the shards that the head names, got others")
    held = [_parse_shard(shard) for shard in shards]
    if len(held) != _shard_count(sum(map(len, held))):
        raise InvalidDocument(f"{FORMAT}: expected as many shards as its entries take, got {len(held)}")
    for number, entries in enumerate(held):
        if not is_ordered(entries) or not {number}.issuperset(_shards_of(entries, len(held))):
            raise InvalidDocument(f"{FORMAT}: expected each entry in its own shard, sorted, once")
    return tuple(sorted(chain.from_iterable(held)))


def _parse_shard(data: bytes) -> tuple[Entry, ...]:
    fields = Fields(parse_listing(data, max_bytes=len(data)), FORMAT)
    entries = fields.items("entries", parse_entry)
    fields.close()
    return entries
