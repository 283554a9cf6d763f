"""Evidence packs: what verifies, what does not, and that no byte of one is free."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import cosign, sign_checkpoint
from audit.errors import InvalidFormat
from audit.merkle import Frontier, leaf_hash
from audit.note import Algorithm, Signer, add_signatures
from audit.pack.check import check_files, check_pack
from audit.pack.container import open_folder, open_zip
from audit.pack.make import NOTE, Scope, pack_files, parse_listing, sign_pack
from audit.policy import parse_policy
from audit.tiles import ENTRIES, Tile, encode_bundle
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.audit_packs import digest, entries, finished, hour, material, opened, record, signed, spoilt, zipped
from tests.conftest import places

KEYS = [UNSAFE_LOG_SIGNER.verifier]
LOG = entries(12)
MADE = material(LOG, size_a=3, first=4, last=9)
FILES = finished(MADE)
SHAPES = [(12, 0, 0, 11), (12, 3, 4, 9), (257, 255, 256, 256), (600, 256, 257, 598), (700, 300, 310, 690)]


def refinished(files: dict[str, bytes]) -> dict[str, bytes]:
    """The pack that the log itself would sign for these files."""
    plain = {path: data for path, data in files.items() if path != NOTE}
    return {**plain, NOTE: sign_pack(plain, UNSAFE_LOG_SIGNER)}


def said(files: dict[str, bytes], **options: object) -> list[str]:
    """The findings about a pack."""
    return [str(finding) for finding in check_pack(opened(files), KEYS, **options).findings]  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "size_a", "first", "last"), SHAPES)
def test_a_sound_pack_verifies_and_names_its_sample(count: int, size_a: int, first: int, last: int) -> None:
    """Whatever tile boundaries a stretch crosses: integrity, completeness, the root, and the entries drawn."""
    log = entries(count)
    report = check_pack(opened(finished(material(log, size_a=size_a, first=first, last=last))), KEYS)
    assert (report.integrity, report.completeness, report.findings) == (True, True, ())
    assert report.verified == count - size_a
    assert report.newer is not None
    assert report.newer.root == Frontier().extend(map(leaf_hash, log)).root
    assert set(report.drawn) <= set(range(first, last + 1))
    assert len(report.drawn) == min(25, report.population)


@pytest.mark.parametrize(("count", "size_a", "first", "last"), SHAPES)
def test_a_pack_from_a_rewritten_entry_names_the_index(count: int, size_a: int, first: int, last: int) -> None:
    """The log's own key signs the pack, every digest is right, and still the altered entry is named: only it."""
    for index in {first, last, (first + last) // 2}:
        made = spoilt(material(entries(count), size_a=size_a, first=first, last=last), index)
        report = check_pack(opened(finished(made)), KEYS)
        assert not report.integrity
        assert [(finding.first, finding.last) for finding in report.findings] == [(index, index)]
        assert "does not match its leaf hash" in report.findings[0].message


def test_a_pack_with_a_removed_entry_names_the_index_and_is_incomplete() -> None:
    """An entry taken out of its bundle is missing at its index; integrity of the rest is a question of its own."""
    bundle = Tile(ENTRIES, 0, 12).path
    files = refinished({**FILES, bundle: encode_bundle([*LOG[:6], *LOG[7:]])})
    report = check_pack(opened(files), KEYS)
    assert (report.integrity, report.completeness) == (True, False)
    assert [(one.state.value, one.first) for one in report.findings] == [("missing", 6)]


def test_forging_tiles_and_entries_together_fails_at_the_root() -> None:
    """Whoever rewrites entry and leaf hash alike cannot reach the signed root."""
    made = spoilt(MADE, 5)
    tile = Tile(0, 0, 12)
    forged = replace(made, tiles={**made.tiles, tile: b"".join(leaf_hash(entry) for entry in made.entries)})
    report = check_pack(opened(finished(forged)), KEYS)
    assert (report.integrity, report.completeness) == (False, False)
    assert any("do not lead to the root" in finding.message for finding in report.findings)


def test_an_altered_tile_is_told_from_an_altered_entry() -> None:
    """If the entries lead to the signed root, the tile is at fault and no entry."""
    tile = Tile(0, 0, 12)
    data = bytearray(MADE.tiles[tile])
    data[32 * 5] ^= 1
    report = check_pack(opened(finished(replace(MADE, tiles={tile: bytes(data)}))), KEYS)
    assert [(one.path, one.first) for one in report.findings] == [(tile.path, 5)]
    assert "the tile does not agree with the entries" in report.findings[0].message


def test_hashes_left_of_the_stretch_are_checked_by_the_frontier() -> None:
    """Tiles reach back before the older checkpoint, and no hash there is free either."""
    made = material(entries(700), size_a=300, first=310, last=690)
    for tile, at in ((Tile(0, 1), 3), (Tile(1, 0, 2), 0)):
        data = bytearray(made.tiles[tile])
        data[32 * at] ^= 1
        files = finished(replace(made, tiles={**made.tiles, tile: bytes(data)}))
        assert any(tile.path in line and "older checkpoint" in line for line in said(files))


def test_views_are_compared_byte_for_byte_and_the_row_is_named() -> None:
    """A table or an event that says something else than its entry is found, and which it is."""
    for path, before, after in (
        ("entries.csv", b"opening-1", b"opening-9"),
        ("entries.ocsf.jsonl", b'"opening-2"', b'"opening-8"'),
    ):
        files = refinished({**FILES, path: FILES[path].replace(before, after)})
        [line] = said(files)
        assert path in line
        assert "entry 6" in line or "entry 7" in line
    [line] = said(refinished({**FILES, "entries.csv": FILES["entries.csv"] + b"12,\r\n"}))
    assert "goes on after the last entry" in line


def test_unlisted_and_lost_files_are_found() -> None:
    """A file more and a file less than the note lists: both are said, also if the log signs a file nobody checks."""
    extra = {**FILES, "letter.txt": b"trust us"}
    assert any("does not list this file" in line for line in said(extra))
    assert any("no pack of these entries has such a file" in line for line in said(refinished(extra)))
    lost = {path: data for path, data in FILES.items() if path != "entries.csv"}
    assert any("entries.csv" in line and "not there" in line for line in said(lost))
    assert any("entries.csv" in line for line in said(refinished(lost)))


def test_no_key_verifies_nothing() -> None:
    """Without a key of the auditor's own there is no integrity; a stranger's key refuses everything."""
    report = check_pack(opened(FILES))
    assert not report.integrity
    assert any("no key was given" in finding.message for finding in report.findings)
    stranger = Signer(ORIGIN, b"\x09" * 32).verifier
    assert not check_pack(opened(FILES), [stranger]).integrity


def test_a_pack_signed_by_somebody_else_is_refused() -> None:
    """A note under another name, or under a witness's key, makes no pack of this log."""
    plain = pack_files(MADE)
    other = Signer("log.example/other", b"\x07" * 32)
    files = {**plain, NOTE: sign_pack(plain, other)}
    found = check_pack(opened(files), [*KEYS, other.verifier]).findings
    assert any("signed by the log of the checkpoint" in finding.message for finding in found)


def test_a_stretch_that_leaves_out_entries_of_its_period_is_incomplete() -> None:
    """The period is compared with the entries beside it: none may be left out, none of another time taken in."""
    scope = replace(MADE.scope, first=5, since=hour(4))
    assert any(
        "entry 4: the entry belongs to the period" in line for line in said(finished(replace(MADE, scope=scope)))
    )
    scope = replace(MADE.scope, last=10)
    assert any("must belong to the period" in line for line in said(finished(replace(MADE, scope=scope))))
    ends = replace(MADE.scope, last=11, until=hour(13))
    assert any("may go on" in one for one in check_pack(opened(finished(replace(MADE, scope=ends))), KEYS).remarks)


def test_the_sample_is_drawn_again() -> None:
    """A sample that favours entries is found; an auditor's own nonce draws another."""
    made = material(entries(400), size_a=0, first=0, last=398, nonce="ours")
    files = finished(made)
    own = check_pack(opened(files), KEYS, nonce="theirs")
    assert own.ok
    assert own.drawn != check_pack(opened(files), KEYS).drawn
    favoured = json.loads(files["sample.json"])
    favoured["drawn"] = sorted(favoured["drawn"])
    data = json.dumps(favoured, sort_keys=True, separators=(",", ":")).encode()
    assert any("give another sample" in line for line in said(refinished({**files, "sample.json": data})))


def test_witnesses_and_the_auditors_own_policy() -> None:
    """A cosignature makes it witnessed; a policy that wants one refuses the pack without."""
    witness = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
    text = f"log {UNSAFE_LOG_SIGNER.verifier.vkey}\nwitness w {witness.verifier.vkey}\nquorum w\n"
    policy = parse_policy(text.encode())
    bare = check_pack(opened(FILES), policy=policy)
    assert (bare.integrity, bare.witnessed) == (False, False)
    cosigned = add_signatures(MADE.checkpoint_b, cosign(MADE.checkpoint_b, witness, time_s=1_800_000_000))
    report = check_pack(opened(finished(replace(MADE, checkpoint_b=cosigned))), policy=policy)
    assert (report.ok, report.witnessed) == (True, True)
    assert report.drawn == check_pack(opened(FILES), KEYS).drawn, "a cosignature does not change the sample"


def test_two_logs_do_not_mix() -> None:
    """An older checkpoint of another history, though signed, is refused."""
    other = [LOG[1], *LOG[1:]]
    made = replace(MADE, checkpoint_a=sign_checkpoint(_checkpoint(other, 3), [UNSAFE_LOG_SIGNER]))
    assert any("frontier of the older checkpoint" in line for line in said(finished(made)))
    longer = replace(MADE, checkpoint_a=signed(LOG, 2))
    assert any("frontier of the older checkpoint" in line for line in said(finished(longer)))


def _checkpoint(log: list[bytes], size: int):  # type: ignore[no-untyped-def]
    from audit.checkpoint import Checkpoint

    return Checkpoint(ORIGIN, size, Frontier().extend(map(leaf_hash, log[:size])).root)


def test_the_scope_is_canonical_and_within_the_checkpoints() -> None:
    """A scope outside of the two checkpoints, or in another spelling, is refused."""
    for scope in (Scope(ORIGIN, "period", 2, 9), Scope(ORIGIN, "period", 4, 12)):
        files = refinished({**FILES, "pack.json": scope.encode()})
        assert any("between the two checkpoints" in line for line in said(files))
    files = refinished({**FILES, "pack.json": b" " + FILES["pack.json"]})
    assert any("canonical" in line for line in said(files))


def test_every_file_is_listed_with_its_digest() -> None:
    """The note is a plain list that any tool can check."""
    text = FILES[NOTE].decode().split("\n\n")[0] + "\n"
    listed = parse_listing(text)
    assert set(listed) == set(FILES) - {NOTE}
    assert all(digest(FILES[path]) == f"sha256:{one[0]}" and len(FILES[path]) == one[1] for path, one in listed.items())


def _zip_flips() -> list[int]:
    """Return the positions in the ZIP file at which a flipped byte went unseen."""
    data = bytearray(zipped(FILES))
    unseen = []
    for at in places(len(data), about=1_000):
        data[at] ^= 1 << at % 8
        try:
            sound = not list(check_files(open_zip(bytes(data)), KEYS))
        except InvalidFormat:
            sound = False
        data[at] ^= 1 << at % 8
        unseen += [at] if sound else []
    return unseen


@pytest.mark.sampled
def test_every_one_byte_flip_of_the_zip_file_is_detected() -> None:
    """No byte of the container is free, be it of content, of a head, of the directory or of its end."""
    assert _zip_flips() == []


def _file_flips(path: str) -> list[tuple[str, int]]:
    """Return the positions in a file at which a flipped byte went unseen, reading the pack as a folder is read."""
    from audit.pack.container import Container

    data = bytearray(FILES[path])
    unseen = []
    sizes = {name: len(content) for name, content in FILES.items()}

    class Folder(Container):
        def read(self, wanted: str) -> bytes:
            return bytes(data) if wanted == path else FILES[wanted]

    for at in places(len(data), about=60):
        data[at] ^= 1 << at % 8
        if not any(one.path in {path, NOTE} for one in check_files(Folder(sizes, b""), KEYS)):
            unseen.append((path, at))
        data[at] ^= 1 << at % 8
    return unseen


@pytest.mark.sampled
def test_every_one_byte_flip_of_every_file_in_the_folder_is_detected() -> None:
    """The same in the form of a folder: the file at fault, or the note itself, is named."""
    assert [one for path in sorted(FILES) for one in _file_flips(path)] == []


def test_flips_fail_the_whole_check_too() -> None:
    """What the check of the files finds is in the report of the whole, sampled over the pack."""
    data = bytearray(zipped(FILES))
    for at in range(0, len(data), 997):
        data[at] ^= 0x20
        with suppress(InvalidFormat):
            assert not check_pack(open_zip(bytes(data)), KEYS).ok
        data[at] ^= 0x20


def test_a_folder_verifies_like_the_zip_file_and_hides_nothing(tmp_path: Path) -> None:
    """The folder form is the same pack; a link in it is refused."""
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert check_pack(open_folder(tmp_path), KEYS) == check_pack(opened(FILES), KEYS)
    (tmp_path / "link").symlink_to(tmp_path / NOTE)
    with pytest.raises(InvalidFormat):
        open_folder(tmp_path)


def test_the_command_runs_from_a_copy_of_the_audit_folder_alone(tmp_path: Path) -> None:
    """An auditor needs this folder and `cryptography`: verify and sample answer, and a damaged pack exits 2."""
    import shutil

    import audit

    shutil.copytree(Path(audit.__file__).parent, tmp_path / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    pack = tmp_path / "march.pack"
    pack.write_bytes(zipped(FILES))

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_RUN}", *argv]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    vkey = UNSAFE_LOG_SIGNER.verifier.vkey
    good = run("verify", str(pack), "--vkey", vkey, "--json")
    assert (good.returncode, json.loads(good.stdout)["ok"]) == (0, True)
    drawn = run("sample", str(pack), "--vkey", vkey, "--nonce", "mine")
    assert (drawn.returncode, drawn.stdout.split()) == (0, ["4", "9"])
    pack.write_bytes(zipped(finished(spoilt(MADE, 7))))
    bad = run("verify", str(pack), "--vkey", vkey)
    assert bad.returncode == 2
    assert "altered: entry 7" in bad.stdout
    pack.write_bytes(zipped(FILES)[:-1])
    assert run("verify", str(pack), "--vkey", vkey).returncode == 2


_RUN = """
from audit.__main__ import main
loaded = [n for n in ("control_plane", "edge_runtime", "fastapi", "sqlmodel", "typer") if n in sys.modules]
sys.exit(main(sys.argv[1:]) if not loaded else 9)
"""


def test_records_in_the_table_lead_back_to_their_entries() -> None:
    """Every row names its index and leaf hash, which the tile of the pack holds."""
    from audit.pack.table import parse_rows

    tile = MADE.tiles[Tile(0, 0, 12)]
    for row in parse_rows(FILES["entries.csv"]):
        index = int(row["index"])
        assert bytes.fromhex(row["leaf_hash"]) == tile[32 * index : 32 * index + 32] == leaf_hash(LOG[index])
        assert row["id"] == record(index).id


def test_the_golden_pack_verifies_and_is_the_folder_beside_it() -> None:
    """What docs/formats.md describes, byte for byte: whoever writes a verifier of their own can start here."""
    from tests.vectors.generate import FOLDER, UNSAFE_LOG, UNSAFE_WITNESS

    pack, keys = FOLDER / "example.pack", [UNSAFE_LOG.verifier, UNSAFE_WITNESS.verifier]
    report = check_pack(open_zip(pack.read_bytes()), keys)
    assert (report.ok, report.witnessed, report.drawn) == (True, True, (3,))
    assert report == check_pack(open_folder(FOLDER / "pack"), keys)
