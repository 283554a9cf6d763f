"""One walk through the entries of a pack, from the frontier of its older checkpoint to the root of its newer one.

What is checked, by number (those of `audit.pack.check`):
4. every entry of the stretch is there, hashes to the leaf hash that its tile states, and is a leaf record whose seq is
   its index;
5. every hash tile agrees with what the level below it, and left of the stretch the frontier, lead to;
6. the frontier, grown by the entries, has the root of the newer checkpoint: nothing was left out or put in;
7. the table and the events are, byte for byte, what the entries give.

It holds one bundle in memory, and the roots of the tiles. It does not judge signatures (see `audit.pack.check`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from audit.errors import InvalidFormat
from audit.merkle import Frontier, leaf_hash, root_of
from audit.pack import ocsf, table
from audit.pack.make import CSV, OCSF, Scope, bundles_between, start_of
from audit.record import LeafRecord, parse_leaf
from audit.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Read,
    Tile,
    level_count,
    levels_of,
    parse_tile,
    split_bundle,
)
from audit.verify import Finding, State

MAX_FINDINGS = 1000

_Roots: TypeAlias = "set[bytes] | None"  # what a hash can be: by the entries, and by the tile; None if unknown

Visit = Callable[[LeafRecord, bytes], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is walked: the scope of the pack, the frontier to begin at, and the size and root to end with."""

    scope: Scope
    frontier: Frontier
    size: int
    root: bytes

    @property
    def start(self) -> int:
        """The first entry of the first bundle."""
        return start_of(self.frontier.size)


@dataclass(slots=True)
class Walked:
    """What the walk found.

    root     the root that the entries lead to, with the leaf hash of its tile in the place of one that is missing
    stated   the root that the leaf hashes in the tiles lead to: the signed one, if an entry was altered and no more
    altered, missing, verified   which entries are not as logged or not there, and how many are
    spoilt   whether what is generated from all entries cannot be generated again
    """

    root: bytes | None = None
    stated: bytes | None = None
    findings: list[Finding] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    verified: int = 0
    spoilt: bool = False


def walk(read: Read, stretch: Stretch, visit: Visit) -> Walked:
    """Walk through a pack; `visit` is called for each sound entry, in order, with its record and bytes."""
    walker = _Walker(read, stretch, visit)
    try:
        walker.run()
    except _TooManyFindings:
        walker.done.findings.append(Finding(State.UNPROVEN, "tile", f"stopped after {MAX_FINDINGS} findings"))
        walker.done.root = walker.done.stated = None
    return walker.done


class _TooManyFindings(Exception):
    pass


class _Walker:
    def __init__(self, read: Read, stretch: Stretch, visit: Visit) -> None:
        self.read = read
        self.stretch = stretch
        self.visit = visit
        self.done = Walked()
        self.tree: Frontier | None = stretch.frontier
        self.stated: Frontier | None = stretch.frontier
        self.table, self.events = _View(read, CSV, header=table.HEADER), _View(read, OCSF)
        self.disagreeing: list[tuple[int, Tile]] = []

    def run(self) -> None:
        size_a = self.stretch.frontier.size
        below: list[_Roots] = []
        for bundle in bundles_between(size_a, self.stretch.size):
            tile = Tile(0, bundle.index, bundle.width)
            published = self._published(tile)
            ours = self._leaves(bundle, published)
            self._grow(ours, published, tile.entry_range[0])
            below += self._compared(tile, [None if one is None else {one} for one in ours], published)
        for level in levels_of(self.stretch.size)[1:]:
            below = self._level(level, below)
        self.done.root = None if self.tree is None else self.tree.root
        self.done.stated = None if self.stated is None else self.stated.root
        self.done.spoilt = bool(self.done.altered or self.done.missing)
        self._explain()
        for view in (self.table, self.events):
            self.done.findings += view.finish(broken=self.done.spoilt)

    def _level(self, level: int, below: list[_Roots]) -> list[_Roots]:
        """Check the tiles of a level against the roots of those below; return their own roots."""
        old, new = level_count(self.stretch.frontier.size, level), level_count(self.stretch.size, level)
        roots: list[_Roots] = []
        for n in range(old // TILE_WIDTH, -(-new // TILE_WIDTH)):
            tile = Tile(level, n, min(TILE_WIDTH, new - n * TILE_WIDTH))
            published = self._published(tile)
            start = n * TILE_WIDTH
            left: list[_Roots] = [None] * max(
                0, old - start
            )  # what lies before the stretch is known by the frontier alone
            ours = [*left, *below[max(0, start - old) : start + tile.width - old]]
            roots += self._compared(tile, ours, published)
        return roots

    def _compared(self, tile: Tile, ours: Sequence[_Roots], published: Sequence[bytes] | None) -> list[_Roots]:
        """Compare a tile with what leads to it; return what its root can be in a list if it is full, else []."""
        if published is None:
            return [None] if tile.width == TILE_WIDTH else []
        self._check_left(tile, published)
        for at, (mine, theirs) in enumerate(zip(ours, published, strict=True)):
            if mine is not None and theirs not in mine:
                if tile.level:
                    span = 1 << (8 * tile.level)
                    first = (tile.index * TILE_WIDTH + at) * span
                    message = "the entries do not lead to the hash in the tile"
                    self._find(Finding(State.ALTERED, tile.path, message, first, first + span - 1))
                else:
                    self.disagreeing.append((tile.entry_range[0] + at, tile))
        if tile.width < TILE_WIDTH:
            return []
        led = [b if a is None or b in a else min(a) for a, b in zip(ours, published, strict=True)]
        return [{root_of(led), root_of(published)}]

    def _check_left(self, tile: Tile, published: Sequence[bytes]) -> None:
        """Check the hashes of a tile that lie left of the stretch, by the frontier."""
        frontier = self.stretch.frontier
        count = level_count(frontier.size, tile.level)
        width = count % TILE_WIDTH
        if tile.index != count // TILE_WIDTH or not width:
            return
        above = level_count(frontier.size, tile.level + 1).bit_count()
        wanted = frontier.hashes[above : above + width.bit_count()]
        if Frontier().extend(published[:width]).hashes != wanted:
            start, end = Tile(tile.level, tile.index, width).entry_range
            message = "the tile does not agree with the older checkpoint"
            self._find(Finding(State.ALTERED, tile.path, message, start, end - 1))

    def _published(self, tile: Tile) -> tuple[bytes, ...] | None:
        start, end = tile.entry_range
        try:
            return parse_tile(self.read(tile.path), tile.width)
        except FileNotFoundError:
            self._find(Finding(State.UNPROVEN, tile.path, "no hash tile", start, end - 1))
        except InvalidFormat as error:
            self._find(Finding(State.ALTERED, tile.path, str(error), start, end - 1))
        return None

    def _leaves(self, bundle: Tile, published: Sequence[bytes] | None) -> list[bytes | None]:
        """Return the hashes of the entries of a bundle, None for each that is not there; look at each that is."""
        start, _ = bundle.entry_range
        try:
            entries = self._aligned(bundle, *split_bundle(self.read(bundle.path)), published=published)
        except FileNotFoundError:
            entries = [None] * bundle.width
        hashes: list[bytes | None] = []
        for index, entry in enumerate(entries, start):
            hashed = None if entry is None else leaf_hash(entry)
            hashes.append(hashed)
            if entry is None:
                self._count()
                self.done.missing.append(index)
            elif published is None or hashed == published[index - start]:
                self._look(index, entry)
            else:
                self._count()
                self.done.altered.append(index)
        return hashes

    def _aligned(
        self, bundle: Tile, entries: Sequence[bytes], whole: bool, *, published: Sequence[bytes] | None
    ) -> Sequence[bytes | None]:
        """Put the entries of a bundle of the wrong shape where their leaf hashes say that they belong."""
        if whole and len(entries) == bundle.width:
            return entries
        message = f"the bundle should hold {bundle.width} entries and holds {len(entries)} whole ones"
        start, end = bundle.entry_range
        if published is None:
            self._find(Finding(State.ALTERED, bundle.path, message, start, end - 1))
            return [None] * bundle.width
        held = {leaf_hash(entry): entry for entry in entries}
        # Entries may lack; none may be there twice, in another order, or besides.
        if not whole or [*map(leaf_hash, entries)] != [value for value in published if value in held]:
            self._find(Finding(State.ALTERED, bundle.path, message))
        return [held.get(value) for value in published]

    def _look(self, index: int, entry: bytes) -> None:
        if index < self.stretch.frontier.size:
            return  # before the stretch: carried along, because a bundle is a file
        try:
            leaf = parse_leaf(entry)
            if leaf.seq != index:
                raise InvalidFormat(f"the record says it is entry {leaf.seq}")
        except InvalidFormat as error:
            self._find(Finding(State.ALTERED, Tile(ENTRIES, index // TILE_WIDTH).path, str(error), index, index))
            self.done.altered.append(index)
            return
        self.done.verified += 1
        scope = self.stretch.scope
        if scope.first <= index <= scope.last:
            row = table.row_of(leaf, entry)
            self.table.add(table.csv_row(row), index)
            self.events.add(ocsf.event_line(row, origin=scope.origin), index)
        self.visit(leaf, entry)

    def _grow(self, ours: Sequence[bytes | None], published: Sequence[bytes] | None, start: int) -> None:
        skip = max(0, self.stretch.frontier.size - start)
        stated = None if published is None else published[skip:]
        self.stated = None if self.stated is None or stated is None else self.stated.extend(stated)
        known = [a if a is not None else None if stated is None else stated[i] for i, a in enumerate(ours[skip:])]
        whole = [value for value in known if value is not None]
        self.tree = self.tree.extend(whole) if self.tree is not None and len(whole) == len(known) else None

    def _explain(self) -> None:
        """Say of entries and leaf hashes that differ which are at fault: the tiles, if the entries lead to the root."""
        # What lies left of the stretch does not lead to the root; there the frontier has spoken for the tile.
        tiles = {index: tile for index, tile in self.disagreeing if index >= self.stretch.frontier.size}
        if tiles and self.done.root == self.stretch.root:
            self.done.altered = [index for index in self.done.altered if index not in tiles]
            message = "the tile does not agree with the entries, which lead to the signed root"
            self.done.findings += [Finding(State.ALTERED, tile.path, message, i, i) for i, tile in tiles.items()]
        said = {finding.first for finding in self.done.findings if finding.first == finding.last}
        for state, indexes, message in (
            (State.ALTERED, self.done.altered, "the content does not match its leaf hash"),
            (State.MISSING, self.done.missing, "the entry is not in the pack"),
        ):
            for index in indexes:
                if index not in said:
                    path = Tile(ENTRIES, index // TILE_WIDTH).path
                    self.done.findings.append(Finding(state, path, message, index, index))

    def _find(self, finding: Finding) -> None:
        self._count()
        self.done.findings.append(finding)

    def _count(self) -> None:
        if len(self.done.findings) + len(self.done.altered) + len(self.done.missing) >= MAX_FINDINGS:
            raise _TooManyFindings


class _View:
    """A file generated from the entries, compared with them as they come; it names the first that differs."""

    def __init__(self, read: Read, path: str, *, header: bytes = b"") -> None:
        self.path = path
        self.at = 0
        self.finding: Finding | None = None
        try:
            self.data = read(path)
        except FileNotFoundError:
            self.data = b""
            self.finding = Finding(State.UNPROVEN, path, "no such file")
        self._expect(header, None)

    def add(self, piece: bytes, index: int) -> None:
        """Compare the next piece, which entry `index` gives."""
        if self.finding is None:
            self._expect(piece, index)

    def finish(self, *, broken: bool) -> Iterator[Finding]:
        """Yield what was found; nothing but a missing file if the entries themselves are `broken`."""
        if self.finding is None and self.at != len(self.data):
            self.finding = Finding(State.ALTERED, self.path, "it goes on after the last entry")
        if self.finding is not None and (not broken or self.finding.state is State.UNPROVEN):
            yield self.finding

    def _expect(self, piece: bytes, index: int | None) -> None:
        if self.finding is None and not self.data.startswith(piece, self.at):
            message = "it is not what the entry gives" if index is not None else "it begins with other columns"
            self.finding = Finding(State.ALTERED, self.path, message, index, index)
        self.at += len(piece)
