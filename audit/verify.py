"""Checking a whole published log from its files alone: `checkpoint`, `tile/...` and `tile/entries/...`.

What is checked, by number:
1. the checkpoint parses, and a known log key named like its origin signed it;
2. every entry is there, hashes to the leaf hash its tile states, and is a leaf record whose seq is its index;
3. every hash tile is there and agrees with what the level below it, and so the entries, lead to;
4. the root recomputed from the entries is the root of the checkpoint;
5. an older checkpoint, if one is given, is a prefix of this log.

The report keeps two questions apart. *Integrity*: does everything that is there agree with the signed checkpoint?
*Completeness*: is everything there that the checkpoint implies? An entry that is missing while its leaf hash stands
breaks the second only. No key given means no signature checked, and so no integrity. With no cosignature of an outside
witness the log is self-contained: its operator could show another one to somebody else.

It checks the files that this checkpoint implies, not those left over from earlier ones, and not what acts mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from operator import eq

from audit.checkpoint import Checkpoint, Cosignature, open_checkpoint, parse_checkpoint
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import frozen
from audit.merkle import EMPTY_ROOT, Frontier, fold_right, leaf_hashes, root_of
from audit.note import Verifier, parse_note
from audit.record import check_leaf
from audit.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Read,
    Tile,
    TileReader,
    level_count,
    levels_of,
    read_tile,
    split_bundle,
)

CHECKPOINT_PATH = "checkpoint"
MAX_FINDINGS = 1000  # also what stops a walk through a log that claims to be larger than its files


class State(StrEnum):
    """What is wrong: a missing part breaks completeness, anything else integrity."""

    ALTERED = "altered"
    UNPROVEN = "unproven"
    MISSING = "missing"


@frozen
class Finding:
    """One thing that does not verify, with the entries `first` to `last` that it concerns, if it can name them."""

    state: State
    path: str
    message: str
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        if self.first is None:
            where = ""
        elif self.first == self.last:
            where = f"entry {self.first}: "
        else:
            where = f"entries {self.first} to {self.last}: "
        return f"{self.state}: {where}{self.message} ({self.path})"


@frozen
class Report:
    """The outcome of `check_log`; the checkpoint's fields are empty if there was none to read."""

    integrity: bool
    completeness: bool
    origin: str = ""
    size: int = 0
    root: bytes = b""
    witnesses: tuple[Cosignature, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything verified."""
        return self.integrity and self.completeness

    @property
    def witnessed(self) -> bool:
        """Whether a known witness outside the log cosigned the checkpoint."""
        return bool(self.witnesses)

    @property
    def self_contained(self) -> bool:
        """Whether only the log itself vouches for the checkpoint."""
        return not self.witnessed


def check_log(
    read: Read,
    verifiers: Sequence[Verifier] = (),
    *,
    old: Checkpoint | None = None,
    opaque: bool = False,
) -> Report:
    """Check everything that a published log's checkpoint implies, and report what does not verify.

    `verifiers` are the log's key and those of witnesses; `opaque` skips parsing entries as leaf records, for logs of
    another kind. Errors of `read` other than `FileNotFoundError` and `InvalidFormat` pass through.
    """
    findings: list[Finding] = []
    checkpoint, witnesses = _check_checkpoint(read, verifiers, findings.append)
    if checkpoint is None:
        return Report(integrity=False, completeness=False, findings=tuple(findings))
    complete = _Walk(read, checkpoint, opaque).run(findings)
    if old is not None:
        try:
            verify_growth(old, checkpoint, read)
        except AuditError as error:
            findings.append(Finding(State.ALTERED, CHECKPOINT_PATH, f"older checkpoint: {error}"))
    return Report(
        integrity=all(finding.state is State.MISSING for finding in findings),
        completeness=complete and all(finding.state is not State.MISSING for finding in findings),
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        witnesses=witnesses,
        findings=tuple(findings),
    )


def verify_growth(old: Checkpoint, new: Checkpoint, read: Read) -> None:
    """Verify from the newer log's tiles that it only appended to the older one.

    Raises:
        NotProven: it did not, is another log, is shorter, or a tile is missing.
        InvalidFormat: a tile is malformed.
    """
    if old.origin != new.origin:
        raise NotProven("expected two checkpoints of one log, got two origins")
    if old.size > new.size:
        raise NotProven(f"expected a log of at least {old.size} entries, got {new.size}")
    if old.size:
        TileReader(read, size=new.size, root=new.root).consistency_proof(size=old.size, root=old.root)
    elif old.root != EMPTY_ROOT:
        raise NotProven("expected the empty root for an empty log, got another")


def _check_checkpoint(
    read: Read, verifiers: Sequence[Verifier], found: Callable[[Finding], None]
) -> tuple[Checkpoint | None, tuple[Cosignature, ...]]:
    """Return the checkpoint if it can be read at all, and its witnesses if its signatures verify."""
    try:
        data = read(CHECKPOINT_PATH)
        checkpoint = parse_checkpoint(parse_note(data).text)
    except FileNotFoundError:
        found(Finding(State.MISSING, CHECKPOINT_PATH, "no checkpoint"))
        return None, ()
    except InvalidFormat as error:
        found(Finding(State.ALTERED, CHECKPOINT_PATH, str(error)))
        return None, ()
    if not verifiers:
        found(Finding(State.UNPROVEN, CHECKPOINT_PATH, "signature not checked, as no key was given"))
        return checkpoint, ()
    try:
        return checkpoint, open_checkpoint(data, verifiers, checkpoint.origin).witnesses
    except AuditError as error:
        found(Finding(State.ALTERED, CHECKPOINT_PATH, str(error)))
        return checkpoint, ()


class _TooManyFindings(Exception):
    pass


class _Walk:
    """One pass over all files, bottom-up, holding one tile of entries and the tile roots in memory."""

    def __init__(self, read: Read, checkpoint: Checkpoint, opaque: bool) -> None:
        self.read = read
        self.checkpoint = checkpoint
        self.opaque = opaque
        self.findings: list[Finding] = []
        self.disagreements: list[tuple[Tile, int, int]] = []

    def run(self, findings: list[Finding]) -> bool:
        """Check all, add what was found; return False if the walk had to stop early."""
        try:
            root = self._recompute_root()
        except _TooManyFindings:
            message = f"stopped after {MAX_FINDINGS} findings"
            findings += [*self._explained(None), *self.findings, Finding(State.UNPROVEN, "tile", message)]
            return False
        findings += [*self._explained(root), *self.findings]
        if root is None:
            findings.append(Finding(State.UNPROVEN, "tile", "the root cannot be recomputed from what is there"))
        elif root != self.checkpoint.root:
            message = "the root recomputed from the entries is not the one in the checkpoint"
            findings.append(Finding(State.ALTERED, CHECKPOINT_PATH, message))
        return True

    def _explained(self, root: bytes | None) -> Iterator[Finding]:
        """Say of each disagreement which side is wrong: the tiles, if the entries lead to the signed root."""
        entries_hold = root == self.checkpoint.root
        for tile, first, last in self.disagreements:
            if entries_hold:
                message = "the tile does not agree with the entries, which lead to the signed root"
            elif tile.level == 0:
                message = "the content does not match its leaf hash"
            else:
                message = "the content does not lead to the hash in the tile"
            at_fault = tile if entries_hold or tile.level else Tile(ENTRIES, tile.index, tile.width)
            yield Finding(State.ALTERED, at_fault.path, message, first, last)

    def _recompute_root(self) -> bytes | None:
        """Return the root that the entries lead to, with published hashes in place of missing entries."""
        edges: list[Sequence[bytes] | None] = []
        below: list[bytes | None] = []
        for level in levels_of(self.checkpoint.size):
            count = level_count(self.checkpoint.size, level)
            roots: list[bytes | None] = []
            edge: Sequence[bytes] | None = ()
            for at in range(0, count, TILE_WIDTH):
                tile = Tile(level, at // TILE_WIDTH, min(TILE_WIDTH, count - at))
                hashes = self._check_tile(tile, below[at : at + tile.width])
                if tile.width < TILE_WIDTH:
                    edge = hashes
                else:
                    roots.append(None if hashes is None else root_of(hashes))
            edges.append(edge)
            below = roots
        known = [Frontier().extend(edge).hashes for edge in reversed(edges) if edge is not None]
        return fold_right([value for part in known for value in part]) if len(known) == len(edges) else None

    def _check_tile(self, tile: Tile, below: Sequence[bytes | None]) -> list[bytes] | None:
        """Compare a tile with what the level below leads to; return its hashes, from there where it can."""
        published = self._published(tile)
        ours = below if tile.level else self._leaf_hashes(tile, published)
        if published is None:
            hashes = [value for value in ours if value is not None]
            return hashes if len(hashes) == tile.width else None
        if list(ours) == list(published):
            return list(published)
        pairs = list(zip(ours, published, strict=True))
        for first, last in _runs([i for i, (a, b) in enumerate(pairs) if a is not None and a != b]):
            self._count()
            start, width = tile.entry_range[0], 1 << (8 * tile.level)
            self.disagreements.append((tile, start + first * width, start + (last + 1) * width - 1))
        return [b if a is None else a for a, b in pairs]

    def _published(self, tile: Tile) -> tuple[bytes, ...] | None:
        try:
            return read_tile(self.read, tile)
        except FileNotFoundError:
            self._find(State.MISSING, tile, "no hash tile")
        except InvalidFormat as error:
            self._find(State.ALTERED, tile, str(error))
        return None

    def _leaf_hashes(self, tile: Tile, published: Sequence[bytes] | None) -> Sequence[bytes | None]:
        """Hash the entries below a tile; None stands for each that is not there."""
        bundle = Tile(ENTRIES, tile.index, tile.width)
        try:
            entries, whole = self._entries(bundle)
        except FileNotFoundError:
            self._find(State.MISSING, bundle, "no entry bundle")
            return [None] * tile.width
        except InvalidFormat as error:
            self._find(State.ALTERED, bundle, str(error))
            return [None] * tile.width
        hashes = leaf_hashes(entries)
        if not whole or len(entries) != tile.width:
            return self._realign(bundle, hashes, published, whole=whole)
        if not self.opaque:
            self._check_records(bundle, entries, [*map(eq, hashes, published or hashes)])
        return hashes

    def _check_records(self, bundle: Tile, entries: Sequence[bytes], matching: Sequence[bool]) -> None:
        """Check all records of a bundle at once, and one by one only if something is wrong with any."""
        start, end = bundle.entry_range
        try:
            if [*map(check_leaf, entries)] == [*range(start, end)]:
                return
        except InvalidFormat:
            pass
        for at, entry in enumerate(entries):
            if matching[at]:  # else it is reported as altered already
                self._check_record(bundle, at, entry)

    def _entries(self, bundle: Tile) -> tuple[tuple[bytes, ...], bool]:
        try:
            return split_bundle(self.read(bundle.path))
        except FileNotFoundError:
            if bundle.width == TILE_WIDTH:
                raise
            entries, whole = split_bundle(self.read(Tile(ENTRIES, bundle.index).path))
            return entries[: bundle.width], whole or len(entries) >= bundle.width

    def _realign(
        self, bundle: Tile, hashes: list[bytes], published: Sequence[bytes] | None, *, whole: bool
    ) -> Sequence[bytes | None]:
        """Name the entries that a bundle of the wrong shape no longer holds, by the leaf hashes it should have."""
        expected, have = published or (), set(hashes)
        lost = [i for i, value in enumerate(expected) if value not in have]
        only_removed = whole and lost and [value for value in expected if value in have] == hashes
        state = State.MISSING if only_removed else State.ALTERED
        message = f"the bundle should hold {bundle.width} entries and holds {len(hashes)} whole ones"
        for run in _runs(lost) or [(0, bundle.width - 1)]:
            self._find(state, bundle, message, run=run)
        return [value if value in have else None for value in expected] or [None] * bundle.width

    def _check_record(self, bundle: Tile, at: int, entry: bytes) -> None:
        index = bundle.entry_range[0] + at
        try:
            seq = check_leaf(entry)
        except InvalidFormat as error:
            self._find(State.ALTERED, bundle, str(error), run=(at, at))
            return
        if seq != index:
            self._find(State.ALTERED, bundle, f"the record says it is entry {seq}", run=(at, at))

    def _find(self, state: State, tile: Tile, message: str, *, run: tuple[int, int] | None = None) -> None:
        """Add a finding about a tile's entries, or about a run of the entries of a bundle."""
        self._count()
        start, end = tile.entry_range
        first, last = (start, end - 1) if run is None else (start + run[0], start + run[1])
        self.findings.append(Finding(state, tile.path, message, first, last))

    def _count(self) -> None:
        if len(self.findings) + len(self.disagreements) >= MAX_FINDINGS:
            raise _TooManyFindings


def _runs(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbouring indexes, which are sorted, into runs from first to last.

    >>> _runs([1, 2, 3, 7])
    [(1, 3), (7, 7)]
    """
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
