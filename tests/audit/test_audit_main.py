"""The command, run from a copy of the folder alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import audit
from audit.__main__ import DONE, FAILED, INVALID_INPUT, NOT_VERIFIED, main
from audit.checkpoint import cosign, parse_checkpoint
from audit.folder import folder_reader
from audit.note import Algorithm, Signer, add_signatures, parse_note
from audit.proof import prove_entry
from audit.tiles import MAX_BUNDLE_BYTES, TileReader
from audit.verify import CHECKPOINT_PATH
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, leaves, publish, reader

VKEY = UNSAFE_LOG_SIGNER.verifier.vkey
FILES = publish(leaves(20))
FOLDER = Path(audit.__file__).parent


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files of a log below a folder."""
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A published log of 20 records."""
    return write(tmp_path / "log", FILES)


def run(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command in this process."""
    code = main(argv)
    output = capsys.readouterr()
    return code, output.out, output.err


def test_verified_log_exits_0_and_says_self_contained(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A good log without witnesses verifies, and its lack of witnesses is said plainly."""
    code, out, err = run(["verify", str(log), "--vkey", VKEY], capsys)
    assert (code, err) == (DONE, "")
    assert "integrity     verified\n" in out
    assert "completeness  verified\n" in out
    assert "self-contained: no outside witness signed" in out


def test_witness_is_named(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A known witness's name and time are shown."""
    witness = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
    line = cosign(FILES["checkpoint"], witness, time_s=1_800_000_000)
    (log / "checkpoint").write_bytes(add_signatures(FILES["checkpoint"], line))
    code, out, _ = run(["verify", str(log), "--vkey", VKEY, "--vkey", witness.verifier.vkey], capsys)
    assert code == DONE
    assert "witness.example at 2027-01-15 08:00:00 UTC" in out
    assert "self-contained" not in out


def test_altered_log_exits_2_and_names_the_entry_in_json(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed entry is answered with 2, and the report names its index."""
    bundle = log / "tile/entries/000.p/20"
    bundle.write_bytes(bundle.read_bytes().replace(b"opening-13", b"opening-31"))
    code, out, _ = run(["verify", str(log), "--vkey", VKEY, "--json"], capsys)
    report = json.loads(out)
    assert code == NOT_VERIFIED
    assert (report["integrity"], report["completeness"], report["self_contained"]) == (False, True, True)
    assert (report["origin"], report["size"]) == (ORIGIN, 20)
    assert (report["findings"][0]["first"], report["findings"][0]["last"]) == (13, 13)


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """The proof file of entry 7 of that log, with the entry beside it."""
    note = FILES[CHECKPOINT_PATH]
    stated = parse_checkpoint(parse_note(note).text)
    tiles = TileReader(reader(FILES), size=stated.size, root=stated.root)
    file = tmp_path / "7.tlog-proof"
    file.write_bytes(prove_entry(tiles, 7, note).encode())
    file.with_suffix(".json").write_bytes(leaves(20)[7])
    return file


def test_an_entry_verifies_by_its_proof_file(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the log's key the place of the entry is shown; with no key, or another entry, nothing is."""
    code, out, _ = run(["verify", str(proof), "--vkey", VKEY], capsys)
    assert (code, "entry         7 of 20" in out, "proof         verified" in out) == (DONE, True, True)
    assert "self-contained" in out
    assert run(["verify", str(proof)], capsys)[0] == NOT_VERIFIED
    entry = proof.with_suffix(".json")
    entry.write_bytes(leaves(20)[8])
    code, out, _ = run(["verify", str(proof), "--vkey", VKEY, "--json"], capsys)
    assert (code, json.loads(out)["ok"], json.loads(out)["index"]) == (NOT_VERIFIED, False, 7)
    entry.unlink()
    code, _, err = run(["verify", str(proof), "--vkey", VKEY], capsys)
    assert (code, "7.json" in err) == (INVALID_INPUT, True)


def test_every_flip_of_a_proof_file_is_seen(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No byte of a proof file can change unseen."""
    good = proof.read_bytes()
    for at in range(len(good)):
        proof.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert run(["verify", str(proof), "--vkey", VKEY], capsys)[0] == NOT_VERIFIED, at


def test_no_key_exits_2(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key the command does not claim anything."""
    code, out, _ = run(["verify", str(log)], capsys)
    assert code == NOT_VERIFIED
    assert "signature not checked" in out


def test_older_checkpoint_is_compared(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An older checkpoint that the log extends passes; one of a rewritten past does not."""
    for entries, expected in ((leaves(7), DONE), ([b"x"] * 7, NOT_VERIFIED)):
        old = tmp_path / "old"
        old.write_bytes(publish(entries)["checkpoint"])
        code, _, _ = run(["verify", str(log), "--vkey", VKEY, "--old", str(old)], capsys)
        assert code == expected


def test_invalid_input_exits_3(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad arguments, keys, folders and files are told apart from a log that does not verify."""
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"garbage")
    for argv in (
        [],
        ["verify"],
        ["verify", str(tmp_path / "absent")],
        ["verify", str(garbage)],
        ["verify", str(log), "--vkey", "not a key"],
        ["verify", str(log), "--old", str(garbage)],
        ["verify", str(log), "--old", str(tmp_path / "absent")],
        ["verify", str(log), "--unknown"],
    ):
        code, out, err = run(argv, capsys)
        assert (code, out) == (INVALID_INPUT, "")
        assert err.startswith("invalid input: ")
        assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_failing_file_system_exits_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read says nothing about the log, neither good nor bad."""
    (log / "checkpoint").unlink()
    (log / "checkpoint").symlink_to("/proc/self/mem")
    code, out, err = run(["verify", str(log), "--vkey", VKEY], capsys)
    assert (code, out) == (FAILED, "")
    assert err.startswith("failed: ")


def test_terminal_control_in_an_origin_is_escaped(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An origin is whatever the file says, so nothing of it reaches a terminal unescaped."""
    text = (log / "checkpoint").read_text(encoding="utf-8")
    (log / "checkpoint").write_text(text.replace(ORIGIN, "log\u009b2J\u202e"), encoding="utf-8")
    code, out, _ = run(["verify", str(log), "--vkey", VKEY], capsys)
    assert code == NOT_VERIFIED
    assert out.isascii()


def test_folder_reader_refuses_what_is_no_file_or_too_large(tmp_path: Path) -> None:
    """A folder in place of a file is absence; a file beyond any bundle's size is not read."""
    (tmp_path / "tile").mkdir()
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(MAX_BUNDLE_BYTES + 1)
    read = folder_reader(tmp_path)
    for path in ("absent", "tile", "large/below"):
        with pytest.raises(FileNotFoundError):
            read(path)
    with pytest.raises(audit.InvalidFormat):
        read("large")


def test_a_copy_of_the_folder_alone_runs_offline(log: Path, tmp_path: Path) -> None:
    """Handed over as one folder, the command verifies with no other module of ours and no socket."""
    copy = tmp_path / "copy"
    shutil.copytree(FOLDER, copy / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    script = (
        "import runpy, socket, sys\n"
        "def refuse(*_): raise RuntimeError('network')\n"
        "socket.socket.connect = refuse\n"
        "sys.argv = ['audit', 'verify', *sys.argv[1:]]\n"
        "try:\n"
        "    runpy.run_module('audit', run_name='__main__')\n"
        "finally:\n"
        "    ours = {'control_plane', 'edge_runtime', 'rfc8785', 'tuf', 'typer'} & set(sys.modules)\n"
        "    assert not ours, ours\n"
        f"    assert sys.modules['audit'].__file__.startswith({str(copy)!r})\n"
    )
    command = [sys.executable, "-c", script, str(log), "--vkey", VKEY, "--json"]
    good = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (DONE, "")
    assert json.loads(good.stdout)["integrity"] is True
    (log / "tile/0/000.p/20").unlink()
    bad = subprocess.run(
        [sys.executable, "-m", "audit", "verify", str(log), "--vkey", VKEY],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bad.returncode == NOT_VERIFIED
    assert "missing: entries 0 to 19: no hash tile (tile/0/000.p/20)" in bad.stdout
