"""The log as files: the whole Tessera log byte for byte, growth, and proofs computed from tiles."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, InvalidFormat, NotProven
from audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from audit.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
)
from audit.note import Signer, parse_vkey
from audit.tiles import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    Tile,
    TileReader,
    changed_tiles,
    encode_bundle,
    grow,
    levels_of,
    parse_bundle,
    parse_path,
    parse_tile,
    split_bundle,
    tiles_for,
)
from tests.audit.audit_logs import VECTORS, publish, reader
from tests.conftest import examples

TESSERA = VECTORS / "tessera"
FACTS: dict[str, Any] = json.loads((TESSERA / "facts.json").read_bytes())


def entries(count: int) -> list[bytes]:
    """Short distinct entries."""
    return [b"entry %d" % seq for seq in range(count)]


def tile_reader(files: dict[str, bytes], log: list[bytes]) -> TileReader:
    """A reader of files for the log that holds these entries."""
    leaves = [leaf_hash(entry) for entry in log]
    return TileReader(reader(files), size=len(leaves), root=root_of(leaves))


def test_tessera_log_is_reproduced_byte_for_byte() -> None:
    """Appending the 15 words one at a time gives all 46 published files."""
    log = TESSERA / "log"
    skey: str = FACTS["skey"]
    signer = Signer(FACTS["origin"], base64.b64decode(skey.split("+", 4)[4])[1:])
    assert signer.verifier.vkey == FACTS["vkey"]
    files = {"checkpoint.0": sign_checkpoint(Checkpoint(signer.name, 0, Frontier().root), [signer])}
    frontier = Frontier()
    for word in FACTS["leaves_utf8"]:
        growth = grow(frontier, [word.encode()], reader(files))
        frontier = growth.frontier
        files |= dict(growth.files)
        checkpoint = Checkpoint(signer.name, frontier.size, frontier.root)
        files[f"checkpoint.{frontier.size}"] = sign_checkpoint(checkpoint, [signer])
    published = {file.relative_to(log).as_posix(): file.read_bytes() for file in log.rglob("*") if file.is_file()}
    assert published.pop("checkpoint") == files["checkpoint.15"]
    assert len(files) == 46
    assert files == published


def test_tessera_log_reads_back() -> None:
    """Every checkpoint opens, and its root is that of the entries, by proofs from the published tiles."""
    log = TESSERA / "log"
    words = [word.encode() for word in FACTS["leaves_utf8"]]

    def read(path: str) -> bytes:
        return (log / path).read_bytes()

    key = parse_vkey(FACTS["vkey"])
    for size in range(16):
        opened = open_checkpoint(read(f"checkpoint.{size}"), [key], key.name)
        tiles = TileReader(read, size=size, root=opened.checkpoint.root)
        assert opened.checkpoint.size == size
        assert list(tiles.entries(0, size)) == words[:size]
        assert tiles.frontier().root == opened.checkpoint.root


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**9, "x001/x000/x000/000")],
)
def test_index_is_written_in_groups_of_three(index: int, path: str) -> None:
    """Paths are those of the specification, and read back."""
    for tile in (Tile(0, index), Tile(63, index, 1), Tile(ENTRIES, index, 255)):
        assert path in tile.path
        assert parse_path(tile.path) == tile


@given(st.integers(-1, 63), st.integers(0, 2**55), st.integers(1, 256))
def test_path_round_trip(level: int, index: int, width: int) -> None:
    """Every tile has one path and that path names it."""
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/300",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/-1/000",
        "tile/entries/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x001/" * 20 + "000",
        "checkpoint",
        "",
    ],
)
def test_path_in_another_form_is_refused(path: str) -> None:
    """What is not the only path of a tile is no path."""
    with pytest.raises(InvalidFormat):
        parse_path(path)


@pytest.mark.parametrize(
    ("size", "full_and_partial"),
    [
        (255, [(0, 255)]),
        (256, [(1, 0), (0, 1)]),
        (257, [(1, 1), (0, 1)]),
        (65_536, [(256, 0), (1, 0), (0, 1)]),
        (65_792, [(257, 0), (1, 1), (0, 1)]),
        (70_000, [(273, 112), (1, 17), (0, 1)]),
    ],
)
def test_sizes_have_the_tiles_of_the_specification(size: int, full_and_partial: list[tuple[int, int]]) -> None:
    """The number of full tiles and the width of the partial one, per level, are as specified."""
    tiles = list(tiles_for(size))
    assert list(levels_of(size)) == list(range(len(full_and_partial)))
    for level, (full, partial) in enumerate(full_and_partial):
        widths = [tile.width for tile in tiles if tile.level == level]
        assert widths == [256] * full + [partial] * bool(partial)
    assert [tile.width for tile in tiles if tile.level == ENTRIES] == [tile.width for tile in tiles if tile.level == 0]


def test_log_beyond_the_largest_size_is_refused() -> None:
    """Sizes stay below 2^63, as checkpoints do."""
    with pytest.raises(ValueError, match="at most 2"):
        grow(Frontier(2**63 - 1, (b"\0" * 32,) * 63), [b"x"], reader({}))


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1"])
def test_attack_false_right_edge(path: str) -> None:
    """A frontier is returned only if it leads to the root."""
    log = entries(300)
    files = publish(log)
    assert tile_reader(files, log).frontier().size == 300
    with pytest.raises(NotProven):
        tile_reader(files | {path: bytes(len(files[path]))}, log).frontier()


def test_empty_log_has_no_tiles() -> None:
    """Nothing is served for an empty log but its checkpoint, and growing by nothing writes nothing."""
    assert list(tiles_for(0)) == []
    assert grow(Frontier(), [], reader({})).files == ()


@examples(25)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=4).map(sorted))
def test_growing_in_steps_gives_the_files_of_growing_at_once(sizes: list[int]) -> None:
    """Whatever the steps, each yields exactly the changed tiles, in the order to write them."""
    log = entries(sizes[-1])
    files: dict[str, bytes] = {}
    frontier = Frontier()
    for size in sizes:
        growth = grow(frontier, log[frontier.size : size], reader(files))
        names = [tile.path for tile in changed_tiles(frontier.size, size)]
        assert [path for path, _ in growth.files] == names
        files |= dict(growth.files)
        frontier = growth.frontier
    at_once = dict(grow(Frontier(), log, reader({})).files)
    assert {path: files[path] for path in at_once} == at_once
    assert frontier == Frontier().extend(leaf_hash(entry) for entry in log)


@pytest.mark.no_cover
def test_growth_across_the_second_level() -> None:
    """A log beyond 65,536 entries has a level 2 tile, grows from it, and its proofs verify."""
    log = entries(65_800)
    files = publish(log, steps=[65_000, 65_536])
    tiles = tile_reader(files, log)
    assert {tile.path for tile in tiles_for(65_800)} <= set(files)
    assert tiles.frontier() == Frontier().extend(leaf_hash(entry) for entry in log)
    leaves = [leaf_hash(entry) for entry in log]
    for index in (0, 255, 256, 40_000, 65_535, 65_536, 65_799):
        assert tiles.inclusion_proof(index) == inclusion_proof(leaves, index)
    for size in (1, 256, 257, 65_000, 65_536, 65_799, 65_800):
        proof = tiles.consistency_proof(size=size, root=root_of(leaves[:size]))
        assert proof == consistency_proof(leaves, size)


@examples(25)
@given(st.integers(1, 600), st.data())
def test_proofs_from_tiles_equal_proofs_from_leaves(size: int, data: st.DataObject) -> None:
    """Inclusion, consistency, leaves and entries read from tiles are those of the tree in memory."""
    log = entries(size)
    leaves = [leaf_hash(entry) for entry in log]
    tiles = tile_reader(publish(log), log)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    assert tiles.leaf(index) == leaves[index]
    assert tiles.inclusion_proof(index) == inclusion_proof(leaves, index)
    assert tiles.consistency_proof(size=old, root=root_of(leaves[:old])) == consistency_proof(leaves, old)
    assert list(tiles.entries(start, end)) == log[start:end]


def test_partial_file_that_is_gone_is_read_from_the_full_one() -> None:
    """An older checkpoint stays provable after its partial files were collected."""
    log = entries(300)
    files = publish(log)
    tiles = tile_reader(files, log[:200])
    assert list(tiles.entries(0, 200)) == log[:200]
    with pytest.raises(NotProven):
        tile_reader(files, log[:260]).inclusion_proof(259)


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_attack_flipped_byte_never_gets_through_the_reader(path: str) -> None:
    """With one byte of any file changed, reading all entries and the frontier raises instead of answering."""
    log = entries(300)
    files = publish(log)
    for at in range(0, len(files[path]), 37):
        changed = bytearray(files[path])
        changed[at] ^= 0x10
        tiles = tile_reader(files | {path: bytes(changed)}, log)
        with pytest.raises(AuditError):
            assert (list(tiles.entries(0, 300)), tiles.frontier()) is None


def test_attack_entry_and_leaf_tile_rewritten_together() -> None:
    """Entries and proofs are led back to the root, so agreeing with each other does not help the files."""
    log = entries(300)
    rewritten = publish([*log[:100], b"another", *log[101:]])
    together = {path: rewritten[path] for path in ("tile/entries/000", "tile/0/000")}
    asks: list[Callable[[TileReader], object]] = [
        lambda tiles: list(tiles.entries(100, 101)),
        lambda tiles: tiles.inclusion_proof(100),
        lambda tiles: tiles.leaf(100),
    ]
    for ask in asks:
        ask(tile_reader(publish(log), log))
        with pytest.raises(NotProven):
            ask(tile_reader(publish(log) | together, log))


def test_attack_consistency_with_a_rewritten_past() -> None:
    """A log that changed an old entry cannot give a consistency proof to whoever kept the old root."""
    log = entries(300)
    old_root = root_of([leaf_hash(entry) for entry in log[:280]])
    rewritten = [*log[:100], b"another", *log[101:]]
    tiles = tile_reader(publish(rewritten), rewritten)
    with pytest.raises(NotProven):
        tiles.consistency_proof(size=280, root=old_root)


@pytest.mark.parametrize("path", ["tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_attack_writer_does_not_build_on_altered_or_missing_files(path: str) -> None:
    """Growing checks each old file against the writer's own frontier, whoever changed it since."""
    log = entries(300)
    files = publish(log)
    frontier = Frontier().extend(leaf_hash(entry) for entry in log)
    more = [b"more"] * 300
    assert grow(frontier, more, reader(files)).frontier.size == 600
    altered = files | {path: files[path][:-1] + b"\xff"}
    missing = {name: data for name, data in files.items() if name != path}
    for bad in (altered, missing, files | {path: b""}):
        with pytest.raises(AuditError):
            grow(frontier, more, reader(bad))


def test_bundle_round_trip_and_limits() -> None:
    """Entries of 0 to 65,535 bytes round-trip; longer ones are never written."""
    parts = [b"", b"one", b"\xff" * MAX_ENTRY_BYTES]
    assert parse_bundle(encode_bundle(parts), 3) == tuple(parts)
    with pytest.raises(ValueError, match="at most 65535 bytes"):
        encode_bundle([b"\0" * (MAX_ENTRY_BYTES + 1)])


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_cut_off_bundle_is_refused(parts: list[bytes]) -> None:
    """Every truncation, an extension and a wrong count are refused; the whole entries before a cut are known."""
    data = encode_bundle(parts)
    for cut in range(len(data)):
        with pytest.raises(InvalidFormat):
            parse_bundle(data[:cut], len(parts))
        assert list(split_bundle(data[:cut])[0]) == parts[: len(split_bundle(data[:cut])[0])]
    for changed, width in ((data + b"\0", len(parts)), (data, len(parts) + 1)):
        with pytest.raises(InvalidFormat):
            parse_bundle(changed, width)


def test_tile_of_another_length_is_refused() -> None:
    """A tile holds exactly the hashes its path says."""
    assert parse_tile(b"\0" * 64, 2) == (b"\0" * 32, b"\0" * 32)
    for data in (b"", b"\0" * 63, b"\0" * 65, b"\0" * 96):
        with pytest.raises(InvalidFormat):
            parse_tile(data, 2)


def test_index_beyond_the_log_is_misuse() -> None:
    """Asking for what the checkpoint does not cover is an error of the caller, not of the files."""
    log = entries(3)
    tiles = tile_reader(publish(log), log)
    for ask in (
        lambda: tiles.inclusion_proof(3),
        lambda: tiles.leaf(-1),
        lambda: list(tiles.entries(0, 4)),
        lambda: list(tiles.entries(2, 1)),
        lambda: tiles.consistency_proof(size=0, root=Frontier().root),
        lambda: tiles.consistency_proof(size=4, root=Frontier().root),
    ):
        with pytest.raises(ValueError, match="expected"):
            ask()


def test_tile_reader_proofs_satisfy_the_verifier() -> None:
    """A proof from tiles is accepted by the verifier that a third party runs."""
    log = entries(700)
    leaves = [leaf_hash(entry) for entry in log]
    tiles = tile_reader(publish(log), log)
    old = root_of(leaves[:513])
    proof = tiles.consistency_proof(size=513, root=old)
    verify_consistency(size1=513, root1=old, size2=700, root2=root_of(leaves), proof=proof)
