"""The published crash vectors, run the way another implementation would run them: from the file alone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from audit.disk import Disk
from audit.note import Signer, parse_vkey
from audit.verify import check_log
from audit.writer import open_log
from tests.audit.audit_logs import VECTORS

CASE = json.loads((VECTORS / "mentorplane" / "audit" / "crash" / "batch.json").read_bytes())
KEY = parse_vkey(CASE["vkey"])
SIGNER = Signer(KEY.name, bytes.fromhex(CASE["seed_hex"]))


def put(path: Path, data: bytes) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def apply(folder: Path, step: dict[str, str], *, part: int = 1) -> None:
    """Do a step, or the first half of a write."""
    path = folder / step["path"]
    if step["does"] == "write":
        data = base64.b64decode(step["data"])
        put(path, data[: len(data) // part])
    elif step["does"] == "replace":
        path.rename(folder / step["to"])
    elif step["does"] == "remove":
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("state", [one for one in CASE["states"] if one["how"] != "power"], ids=str)
def test_each_state_after_a_process_ended(tmp_path: Path, state: dict[str, Any]) -> None:
    """A reader sees a log that verifies, of the size and root stated; opening publishes what is stated, and tidies."""
    for path, data in CASE["start"].items():
        put(tmp_path / path, base64.b64decode(data))
    for step in CASE["steps"][: state["after"]]:
        apply(tmp_path, step)
    if state["how"] == "torn":
        apply(tmp_path, CASE["steps"][state["after"]], part=2)
    disk = Disk(tmp_path)
    for name in ("reader", "opened"):
        if name == "opened":
            open_log(disk, SIGNER).close()
        report = check_log(disk.read, [KEY], opaque=True)
        assert report.ok
        assert (report.size, base64.b64encode(report.root).decode()) == (state[name]["size"], state[name]["root"])
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} - {".lock"}
    assert sorted(there) == state["opened"]["files"]


def test_every_outcome_is_among_the_states() -> None:
    """Dropped, finished by opening, and published already: after a process ended, after power failed, half way."""
    seen = {(one["how"], one["reader"]["size"], one["opened"]["size"]) for one in CASE["states"]}
    before, after = CASE["entries_before"], CASE["entries_before"] + len(CASE["batch"])
    for how in ("process", "power"):
        assert {(how, before, before), (how, before, after), (how, after, after)} <= seen
    assert ("torn", before, before) in seen
    assert not [one for one in CASE["states"] if one["reader"]["size"] > one["opened"]["size"]]
