"""Checking a published log: every altered byte and missing file is noticed, and the entry named."""

from __future__ import annotations

import pytest

from audit import InvalidFormat, NotProven
from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.merkle import EMPTY_ROOT, leaf_hash, root_of
from audit.note import Algorithm, Signer, add_signatures, parse_vkey
from audit.record import encode_leaf
from audit.tiles import encode_bundle, parse_bundle
from audit.verify import MAX_FINDINGS, Finding, Report, State, check_log, verify_growth
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS, leaves, publish, reader, record
from tests.conftest import places

KEYS = [UNSAFE_LOG_SIGNER.verifier]
UNSAFE_WITNESS = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
LOG = leaves(300)
FILES = publish(LOG)


def check(files: dict[str, bytes]) -> Report:
    """The report on these files, under the log's key."""
    return check_log(reader(files), KEYS)


def flip(data: bytes, at: int) -> bytes:
    """The data with one byte changed."""
    return data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :]


def signed(log: list[bytes]) -> Checkpoint:
    """The checkpoint of a log with these entries."""
    return Checkpoint(ORIGIN, len(log), root_of([leaf_hash(entry) for entry in log]))


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 300])
def test_honest_log_verifies(size: int) -> None:
    """A published log of any shape verifies, and the report carries what its checkpoint says."""
    report = check(publish(LOG[:size], steps=[size // 3, size // 2]))
    assert report.findings == ()
    assert (report.ok, report.integrity, report.completeness) == (True, True, True)
    assert (report.origin, report.size, report.root) == (ORIGIN, size, signed(LOG[:size]).root)
    assert (report.witnessed, report.self_contained) == (False, True)


@pytest.mark.sampled
@pytest.mark.attack("single-byte flip")
def test_every_flipped_byte_of_a_small_log_is_detected() -> None:
    """No byte of any tile, bundle or checkpoint can change unnoticed, and flipped entries are named."""
    files = publish(LOG[:9])
    for path, data in files.items():
        for at in places(len(data), about=250):
            report = check(files | {path: flip(data, at)})
            assert not report.integrity
            assert report.findings


def test_flipped_bytes_of_a_log_of_several_tiles_are_detected() -> None:
    """The same over two tile levels, at a sample of places in every file."""
    for path, data in FILES.items():
        for at in {0, 1, len(data) // 2, len(data) - 1}:
            assert not check(FILES | {path: flip(data, at)}).integrity


@pytest.mark.parametrize("index", [0, 137, 255, 256, 299])
def test_attack_altered_entry_is_named(index: int) -> None:
    """An entry replaced by another valid record is named by its index, and everything is still there."""
    path = "tile/entries/000" if index < 256 else "tile/entries/001.p/44"
    base = 0 if index < 256 else 256
    entries = list(parse_bundle(FILES[path], 256 if index < 256 else 44))
    entries[index - base] = encode_leaf(record(index)).replace(b"approved", b"rejected")
    report = check(FILES | {path: encode_bundle(entries)})
    assert (report.integrity, report.completeness) == (False, True)
    assert report.findings[0].path == path
    assert (report.findings[0].first, report.findings[0].last) == (index, index)


@pytest.mark.parametrize("lost", [[0], [137], [3, 4, 200]])
def test_attack_removed_entry_is_named_as_missing(lost: list[int]) -> None:
    """Entries taken out of a bundle are named; what is left is intact, and the log incomplete."""
    kept = [entry for index, entry in enumerate(LOG[:256]) if index not in lost]
    report = check(FILES | {"tile/entries/000": encode_bundle(kept)})
    assert (report.integrity, report.completeness) == (True, False)
    named = [index for one in report.findings for index in range(one.first or 0, (one.last or 0) + 1)]
    assert named == lost
    assert {one.state for one in report.findings} == {State.MISSING}


@pytest.mark.parametrize("path", sorted(set(FILES) - {"checkpoint"}))
def test_missing_file_breaks_completeness_only(path: str) -> None:
    """With one file gone the rest still leads to the signed root, and the file is named."""
    report = check({name: data for name, data in FILES.items() if name != path})
    assert (report.integrity, report.completeness) == (True, False)
    assert [(one.state, one.path) for one in report.findings] == [(State.MISSING, path)]


def test_missing_entries_and_tile_leave_the_root_unproven() -> None:
    """With a bundle and its tile both gone nothing leads to the root, and integrity is not claimed."""
    report = check({name: data for name, data in FILES.items() if not name.endswith("001.p/44")})
    assert (report.integrity, report.completeness) == (False, False)
    assert State.UNPROVEN in {one.state for one in report.findings}


def test_full_tile_and_bundle_can_be_replaced_from_the_level_above() -> None:
    """A lost full tile and bundle are known by their hash one level up: incomplete, yet intact."""
    files = {name: data for name, data in FILES.items() if not name.endswith("/000")}
    report = check(files)
    assert (report.integrity, report.completeness) == (True, False)
    assert [(one.first, one.last) for one in report.findings] == [(0, 255), (0, 255)]


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_tile_of_another_length_is_reported_as_altered(path: str) -> None:
    """A tile that is cut off is named, though the entries still lead to the root."""
    report = check(FILES | {path: FILES[path][:-1]})
    assert (report.integrity, report.completeness) == (False, True)
    assert [(one.state, one.path) for one in report.findings] == [(State.ALTERED, path)]


def test_bundle_that_the_reader_refuses_is_reported_as_altered() -> None:
    """A file that a reader will not hand over as malformed, such as one too large, is a finding."""

    def read(path: str) -> bytes:
        if path.startswith("tile/entries/001"):
            raise InvalidFormat("expected less")
        return FILES[path]

    report = check_log(read, KEYS)
    assert not report.integrity
    assert (report.findings[0].first, report.findings[0].last) == (256, 299)


def test_older_checkpoint_verifies_after_its_partial_files_were_collected() -> None:
    """Full files stand in for the partial ones of an older checkpoint, and are cut to its size."""
    older = publish(LOG[:200])["checkpoint"]
    full = {name: data for name, data in FILES.items() if name.endswith("/000")}
    assert check(full | {"checkpoint": older}).ok
    altered = flip(full["tile/entries/000"], 20)
    assert not check(full | {"checkpoint": older, "tile/entries/000": altered}).integrity


@pytest.mark.parametrize("change", ["cut", "extended", "reordered", "inserted", "doubled"])
def test_attack_reshaped_bundle(change: str) -> None:
    """Bundles that are cut off, extended, reordered or hold more than they should break integrity."""
    entries = LOG[:256]
    data = {
        "cut": FILES["tile/entries/000"][:-3],
        "extended": FILES["tile/entries/000"] + b"\0",
        "reordered": encode_bundle([entries[1], entries[0], *entries[2:]]),
        "inserted": encode_bundle([*entries[:9], b"{}", *entries[9:]]),
        "doubled": encode_bundle([*entries, entries[-1]]),
    }[change]
    report = check(FILES | {"tile/entries/000": data})
    assert not report.integrity
    first, last = report.findings[0].first, report.findings[0].last
    assert (first, last) == {"cut": (255, 255), "reordered": (0, 1)}.get(change, (0, 255))


def test_altered_tile_is_told_from_altered_entries() -> None:
    """If the entries lead to the signed root, it is the tile that is named as altered."""
    path = "tile/0/000"
    report = check(FILES | {path: flip(FILES[path], 32 * 137)})
    assert not report.integrity
    assert [(one.path, one.first, one.last) for one in report.findings] == [(path, 137, 137)]


def test_attack_entry_and_tile_altered_together() -> None:
    """Entries and their tile rewritten alike no longer lead to the hash above, which names their range."""
    rewritten = publish([*LOG[:137], encode_leaf(record(137)).replace(b"approved", b"rejected"), *LOG[138:]])
    partly = {name: rewritten[name] for name in ("tile/0/000", "tile/entries/000")}
    report = check(FILES | partly)
    assert not report.integrity
    assert (report.findings[0].path, report.findings[0].first, report.findings[0].last) == (
        "tile/1/000.p/1",
        0,
        255,
    )


def test_attack_whole_log_rewritten_without_the_key() -> None:
    """Entries and all tiles rewritten consistently do not lead to the root that was signed."""
    rewritten = publish([*LOG[:137], encode_leaf(record(137)).replace(b"approved", b"rejected"), *LOG[138:]])
    report = check(rewritten | {"checkpoint": FILES["checkpoint"]})
    assert (report.integrity, report.completeness) == (False, True)
    assert [one.path for one in report.findings] == ["checkpoint"]


def test_attack_checkpoint_signed_by_another_key() -> None:
    """A log rewritten and signed with a key of the attacker's does not verify under the log's key."""
    forger = Signer(ORIGIN, b"\x09" * 32)
    rewritten = LOG[:20]
    files = publish(rewritten) | {"checkpoint": sign_checkpoint(signed(rewritten), [forger])}
    assert check_log(reader(files), [forger.verifier]).ok
    report = check(files)
    assert not report.integrity
    assert report.findings[0].path == "checkpoint"


def test_without_a_key_nothing_is_claimed() -> None:
    """With no key the signature is not checked, and the report says so instead of passing."""
    report = check_log(reader(FILES))
    assert not report.ok
    assert [(one.state, one.path) for one in report.findings] == [(State.UNPROVEN, "checkpoint")]


@pytest.mark.parametrize("data", [b"", b"no note", None])
def test_unreadable_or_missing_checkpoint_is_reported(data: bytes | None) -> None:
    """Without a readable checkpoint nothing verifies, and nothing raises."""
    files = dict(FILES)
    files.pop("checkpoint")
    report = check(files if data is None else files | {"checkpoint": data})
    assert (report.integrity, report.completeness, report.size) == (False, False, 0)
    assert len(report.findings) == 1


def test_witnessed_log_says_so() -> None:
    """A cosignature by a known outside key makes the log witnessed; an unknown one does not."""
    line = cosign(FILES["checkpoint"], UNSAFE_WITNESS, time_s=1_800_000_000)
    files = FILES | {"checkpoint": add_signatures(FILES["checkpoint"], line)}
    report = check_log(reader(files), [*KEYS, UNSAFE_WITNESS.verifier])
    assert (report.ok, report.witnessed, report.self_contained) == (True, True, False)
    assert [(one.name, one.time_s) for one in report.witnesses] == [("witness.example", 1_800_000_000)]
    assert check(files).self_contained


def test_record_out_of_place_is_found_though_signed() -> None:
    """A log whose operator signed a record under the wrong index, or no record at all, does not verify."""
    for wrong in (encode_leaf(record(7)), b"not a record"):
        files = publish([*LOG[:5], wrong])
        report = check(files)
        assert not report.integrity
        assert (report.findings[0].first, report.findings[0].last) == (5, 5)
        assert check_log(reader(files), KEYS, opaque=True).ok


def test_checkpoint_that_claims_more_than_there_is_ends_the_walk() -> None:
    """A checkpoint of an absurd size costs a bounded number of reads, and is reported as unproven."""
    reads: list[str] = []
    huge = Checkpoint(ORIGIN, 2**62, b"\0" * 32)
    files = {"checkpoint": sign_checkpoint(huge, [UNSAFE_LOG_SIGNER])}

    def read(path: str) -> bytes:
        reads.append(path)
        return reader(files)(path)

    report = check_log(read, KEYS)
    assert (report.integrity, report.completeness) == (False, False)
    assert len(report.findings) == MAX_FINDINGS + 1
    assert len(reads) < 3 * MAX_FINDINGS


def test_foreign_log_verifies_as_opaque() -> None:
    """The published Tessera log verifies under its own key."""
    log = VECTORS / "tessera" / "log"
    key = parse_vkey("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
    report = check_log(lambda path: (log / path).read_bytes(), [key], opaque=True)
    assert (report.ok, report.size) == (True, 15)


def test_growth_between_two_checkpoints_is_verified() -> None:
    """An honest older checkpoint of any size, the empty one included, is a prefix of the newer log."""
    new = signed(LOG)
    for size in (0, 1, 255, 256, 299, 300):
        verify_growth(signed(LOG[:size]), new, reader(FILES))
        assert check_log(reader(FILES), KEYS, old=signed(LOG[:size])).ok


@pytest.mark.parametrize(
    "old",
    [
        signed([*LOG[:99], b"rewritten since"]),
        Checkpoint("log.example/other", 100, signed(LOG[:100]).root),
        Checkpoint(ORIGIN, 301, signed(LOG).root),
        Checkpoint(ORIGIN, 300, EMPTY_ROOT),
        Checkpoint(ORIGIN, 0, signed(LOG).root),
    ],
    ids=["rewritten", "another log", "rolled back", "same size", "false empty root"],
)
def test_attack_history_that_is_not_extended(old: Checkpoint) -> None:
    """A rewritten past, another log and a rollback are refused, and break the integrity of a report."""
    with pytest.raises(NotProven):
        verify_growth(old, signed(LOG), reader(FILES))
    report = check_log(reader(FILES), KEYS, old=old)
    assert (report.integrity, report.completeness) == (False, True)


def test_finding_reads_as_a_sentence() -> None:
    """A finding names its entries in words."""
    assert str(Finding(State.ALTERED, "p", "m", 5, 5)) == "altered: entry 5: m (p)"
    assert str(Finding(State.MISSING, "p", "m", 5, 7)) == "missing: entries 5 to 7: m (p)"
    assert str(Finding(State.UNPROVEN, "p", "m")) == "unproven: m (p)"
