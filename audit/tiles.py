"""The log as static files: hash tiles and entry bundles, their paths, writing and reading.

Promises:
1. `grow` yields exactly the files that differ between two sizes, in the order in which they must reach the disk:
   entry bundles, then tiles bottom-up. It checks every old file it builds on against the frontier it is given.
2. `TileReader` returns nothing that it has not led back to the root it was given: the files may come from anywhere.
3. A partial file that is gone is read from the full one that replaced it.

It does no input or output of its own: reading goes through a function `read(path) -> bytes` that raises
`FileNotFoundError` for a path that is absent. Publishing a checkpoint before its files are on disk is the writer's to
avoid.

Source: C2SP tlog-tiles v0.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen
from audit.merkle import (
    HASH_BYTES,
    MAX_ENTRY_BYTES,
    MAX_SIZE,
    Frontier,
    consistency_ranges,
    fold_right,
    inclusion_ranges,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

Read: TypeAlias = Callable[[str], bytes]

TILE_WIDTH = 256
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
ENTRIES = -1  # the level of entry bundles, below the hash tiles
_LEVEL_BITS = 8
_CACHED_TILES = 256
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@frozen
class Tile:
    """The name of a hash tile, or of an entry bundle if the level is `ENTRIES`; narrower than 256 is partial."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix.

        >>> Tile(0, 1234067).path, Tile(ENTRIES, 0, 15).path
        ('tile/0/x001/x234/067', 'tile/entries/000.p/15')
        """
        level = "entries" if self.level == ENTRIES else str(self.level)
        rest, last = divmod(self.index, 1000)
        groups = [f"{last:03d}"]
        while rest:
            rest, group = divmod(rest, 1000)
            groups.append(f"x{group:03d}")
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def entry_range(self) -> tuple[int, int]:
        """The entries [start, end) that the tile covers."""
        shift = _LEVEL_BITS * max(self.level, 0)
        first = self.index * TILE_WIDTH
        return first << shift, (first + self.width) << shift


def parse_path(path: str) -> Tile:
    """Parse the path of a hash tile or an entry bundle.

    Raises:
        InvalidFormat: it is not the one path of any tile.
    """
    match = _PATH.fullmatch(path)
    if match is None or len(path) > 64:
        raise InvalidFormat("expected the path of a tile or an entry bundle, got something else")
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    tile = Tile(level, index, int(match["width"] or TILE_WIDTH))
    if tile.path != path or tile.level > 63 or tile.width > TILE_WIDTH:
        raise InvalidFormat("expected the path of a tile or an entry bundle in its only form, got another")
    return tile


def level_count(size: int, level: int) -> int:
    """Return how many hashes a log of `size` entries has at a tile level (entries at level `ENTRIES`)."""
    return size >> (_LEVEL_BITS * max(level, 0))


def levels_of(size: int) -> range:
    """Return the hash tile levels that a log of `size` entries has."""
    return range((max(size.bit_length() - 1, 0)) // _LEVEL_BITS + 1 if size else 0)


def changed_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """Yield the tiles of a log of `size` entries that a log of `old_size` did not have: bundles, then bottom-up.

    >>> [tile.path for tile in changed_tiles(255, 257)]
    ['tile/entries/000', 'tile/entries/001.p/1', 'tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']
    """
    for level in (ENTRIES, *levels_of(size)):
        old, new = level_count(old_size, level), level_count(size, level)
        for first in range(old - old % TILE_WIDTH, new if new > old else 0, TILE_WIDTH):
            yield Tile(level, first // TILE_WIDTH, min(TILE_WIDTH, new - first))


def tiles_for(size: int) -> Iterator[Tile]:
    """Yield every tile of a log of `size` entries: bundles, then hash tiles bottom-up."""
    return changed_tiles(0, size)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle: each with its length in two bytes, big-endian, before it.

    >>> encode_bundle([b"one"]).hex()
    '00036f6e65'
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"expected entries of at most {MAX_ENTRY_BYTES} bytes, got one of {len(entry)}")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes) -> tuple[tuple[bytes, ...], bool]:
    """Return the whole entries at the start of a bundle, and whether they are all of it."""
    entries, at, size = [], 0, len(data)
    while at + 2 <= size:
        end = at + 2 + (data[at] << 8 | data[at + 1])
        if end > size:
            break
        entries.append(data[at + 2 : end])
        at = end
    return tuple(entries), at == size


def parse_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Parse a bundle of exactly `width` entries.

    Raises:
        InvalidFormat: it is cut off, or holds fewer or more.
    """
    entries, whole = split_bundle(data)
    if not whole or len(entries) != width:
        raise InvalidFormat(f"expected a bundle of {width} entries, got {len(entries)} whole ones")
    return entries


def parse_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """Parse a hash tile of exactly `width` hashes.

    Raises:
        InvalidFormat: it has another length.
    """
    if len(data) != HASH_BYTES * width:
        raise InvalidFormat(f"expected a tile of {width} hashes, got {len(data)} bytes")
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def read_tile(read: Read, tile: Tile) -> tuple[bytes, ...]:
    """Read a tile's hashes, or a bundle's entries; a partial one that is gone comes from the full one.

    Raises:
        FileNotFoundError: neither is there.
        InvalidFormat: it is malformed.
    """
    parse = parse_bundle if tile.level == ENTRIES else parse_tile
    try:
        return parse(read(tile.path), tile.width)
    except FileNotFoundError:
        if tile.width == TILE_WIDTH:
            raise
        full = Tile(tile.level, tile.index)
        return parse(read(full.path), TILE_WIDTH)[: tile.width]


@frozen
class Growth:
    """What appending did: the new right edge of the tree, and the new files in the order to write them."""

    frontier: Frontier
    files: tuple[tuple[str, bytes], ...]


def grow(frontier: Frontier, entries: Sequence[bytes], read: Read) -> Growth:
    """Return the files that appending `entries` to the published log with this frontier adds.

    Reads at most one old partial file per level, and trusts none of them: the frontier must be of the writer's own
    keeping.

    Raises:
        NotProven: an old file is missing, or is not what the frontier says.
        InvalidFormat: an old file is malformed.
    """
    old_size, size = frontier.size, frontier.size + len(entries)
    if size > MAX_SIZE:
        raise ValueError("expected a log of at most 2^63-1 entries")
    bundle = [*_old_edge(frontier, ENTRIES, read), *entries] if entries else []
    files = []
    for at in range(0, len(bundle), TILE_WIDTH):
        part = bundle[at : at + TILE_WIDTH]
        path = Tile(ENTRIES, old_size // TILE_WIDTH + at // TILE_WIDTH, len(part)).path
        files.append((path, encode_bundle(part)))
    new = leaf_hashes(entries)
    grown = frontier.extend(new)
    for level in levels_of(size):
        if not new:
            break
        hashes = [*_old_edge(frontier, level, read), *new]
        first = level_count(old_size, level) // TILE_WIDTH
        parts = [hashes[i : i + TILE_WIDTH] for i in range(0, len(hashes), TILE_WIDTH)]
        files += [(Tile(level, first + n, len(part)).path, b"".join(part)) for n, part in enumerate(parts)]
        new = [root_of(part) for part in parts if len(part) == TILE_WIDTH]
    return Growth(grown, tuple(files))


def _old_edge(frontier: Frontier, level: int, read: Read) -> tuple[bytes, ...]:
    """Return what the partial tile at the right edge of a level holds, after checking it against the frontier."""
    width = level_count(frontier.size, level) % TILE_WIDTH
    if not width:
        return ()
    tile = Tile(level, level_count(frontier.size, level) // TILE_WIDTH, width)
    try:
        content = read_tile(read, tile)
    except FileNotFoundError as error:
        raise NotProven(f"expected the published {tile.path}, got no such file") from error
    leaves = leaf_hashes(content) if level == ENTRIES else content
    # The frontier lists one subtree per binary one of the size; each tile level owns eight binary digits of it.
    above = level_count(frontier.size, max(level, 0) + 1).bit_count()
    if Frontier().extend(leaves).hashes != frontier.hashes[above : above + width.bit_count()]:
        raise NotProven(f"expected {tile.path} to agree with the frontier, got other hashes")
    return content


class TileReader:
    """Proofs and entries of one checkpoint's log, computed from tiles and led back to the checkpoint's root.

    Every method raises `NotProven` if a tile is missing or does not lead to the root, `InvalidFormat` if one is
    malformed, and `ValueError` for an index beyond the log. Tiles that were read are kept with all their inner nodes,
    the latest 256 of them (9 MB at most), so that the next proof through them costs a look-up at each level.
    """

    __slots__ = ("_layers", "_source", "root", "size")

    def __init__(self, read: Read, *, size: int, root: bytes) -> None:
        self.size = size
        self.root = root
        self._source = read
        self._layers = lru_cache(maxsize=_CACHED_TILES)(self._read_layers)

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at an index."""
        self.inclusion_proof(index)
        return self._leaf(index)

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of the leaf at an index."""
        return self._inclusion_proof(index, size=self.size, root=self.root)

    def inclusion_proof_at(self, index: int, *, size: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of the leaf at an index in the tree that this log was at `size` entries."""
        if not 0 <= index < size <= self.size:
            raise ValueError(f"expected an index below a size up to {self.size}, got {index} and {size}")
        return self._inclusion_proof(index, size=size, root=self.root_at(size))

    def consistency_proof(self, *, size: int, root: bytes) -> tuple[bytes, ...]:
        """Return the proof that this log only appended to the older one with this size and root."""
        proof = tuple(self._range_root(a, b) for a, b in consistency_ranges(size, self.size))
        verify_consistency(size1=size, root1=root, size2=self.size, root2=self.root, proof=proof)
        return proof

    def root_at(self, size: int) -> bytes:
        """Return the root that this log had when it held `size` entries."""
        if not 0 <= size <= self.size:
            raise ValueError(f"expected a size up to {self.size}, got {size}")
        root = self._range_root(0, size)
        if size:
            self.consistency_proof(size=size, root=root)
        return root

    def frontier(self) -> Frontier:
        """Return the right edge of the tree, from which it can grow."""
        edges = (self._edge(level) for level in reversed(levels_of(self.size)))
        frontier = Frontier(self.size, tuple(value for edge in edges for value in edge))
        if frontier.root != self.root:
            raise NotProven("expected the right edge of the tiles to lead to the root, got another hash")
        return frontier

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the entries [start, end), each led back to the root."""
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"expected a range of entries within the size {self.size}")
        for index in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            base = index * TILE_WIDTH
            content = self._read(ENTRIES, index)
            # One proof computed from all hashes of the tile: it authenticates each of them, not just the first.
            self.inclusion_proof(base)
            for at, (entry, leaf) in enumerate(zip(content, self._layers(0, index)[0], strict=True), base):
                if leaf_hash(entry) != leaf:
                    raise NotProven(f"expected entry {at} to match its leaf hash, got another")
            yield from content[max(start - base, 0) : end - base]

    def _inclusion_proof(self, index: int, *, size: int, root: bytes) -> tuple[bytes, ...]:
        proof = tuple(self._range_root(a, b) for a, b in inclusion_ranges(index, size))
        verify_inclusion(leaf=self._leaf(index), index=index, size=size, proof=proof, root=root)
        return proof

    def _leaf(self, index: int) -> bytes:
        return self._layers(0, index // TILE_WIDTH)[0][index % TILE_WIDTH]

    def _read_layers(self, level: int, index: int) -> list[Sequence[bytes]]:
        """Return a tile's hashes, then the roots of each two of them, of each four, and so on."""
        layers: list[Sequence[bytes]] = [self._read(level, index)]
        while len(below := layers[-1]) > 1:
            layers.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        return layers

    def _read(self, level: int, index: int) -> tuple[bytes, ...]:
        width = min(TILE_WIDTH, level_count(self.size, level) - index * TILE_WIDTH)
        tile = Tile(level, index, width)
        try:
            return read_tile(self._source, tile)
        except FileNotFoundError as error:
            raise NotProven(f"expected {tile.path}, got no such file") from error

    def _edge(self, level: int) -> tuple[bytes, ...]:
        index, width = divmod(level_count(self.size, level), TILE_WIDTH)
        layers, edge, at = self._layers(level, index) if width else [], [], 0
        for layer in reversed(range(len(layers))):
            if width >> layer & 1:
                edge.append(layers[layer][at >> layer])
                at += 1 << layer
        return tuple(edge)

    def _range_root(self, start: int, end: int) -> bytes:
        """Return the root over the leaves [start, end), a range out of a proof."""
        roots = []
        while start < end:
            # INVARIANT: start is a multiple of the largest power of two that fits, as proofs split trees there.
            bits = (end - start).bit_length() - 1
            level, layer = bits // _LEVEL_BITS, bits % _LEVEL_BITS
            at = start >> (_LEVEL_BITS * level)
            roots.append(self._layers(level, at // TILE_WIDTH)[layer][at % TILE_WIDTH >> layer])
            start += 1 << bits
        return roots[0] if len(roots) == 1 else fold_right(roots)
