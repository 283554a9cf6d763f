"""`mentorplane demo` as a newcomer runs it: the real server, the real device, one whole journey."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from control_plane.demo.parties import Server
from edge_runtime.core.errors import Unavailable

MEMBERS = [
    "prompt",
    "version",
    "release",
    "approvals",
    "manifest_sha256",
    "route",
    "findings",
    "left_device_bytes",
    "cloud_route",
    "cloud_bytes",
    "cloud_leaks",
    "receipt",
    "audit_size",
    "audit_root",
    "tamper_refused",
    "seconds",
]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "edge_runtime", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_journey_ends_as_promised() -> None:
    """The built-in note: read and answered on the device, only covered text in the cloud, a forged release refused."""
    done = demo("--json")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    facts = json.loads(lines[-1])
    assert list(facts) == MEMBERS
    assert (facts["route"], facts["left_device_bytes"]) == ("device", 0)
    assert (facts["cloud_route"], facts["cloud_leaks"]) == ("redacted", [])
    assert facts["cloud_bytes"] > 0
    assert {finding["type"] for finding in facts["findings"]} == {"PERSON", "PHONE", "EMAIL"}
    assert (facts["release"], facts["tamper_refused"]) == (2, True)
    assert len({approval["person"] for approval in facts["approvals"]}) == 2
    sent = "\n".join(line for line in lines if line.startswith("  >"))
    assert "[PERSON_1]" in sent
    assert [word for word in ("Priya", "Lindqvist", "7946", "mara.lindqvist") if word in sent] == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\x80"])
def test_a_note_that_cannot_be_read_is_refused_at_once(tmp_path: Path, content: bytes | None) -> None:
    """Missing or not text: exit code 3 and one line that names the file, before anything starts."""
    note = tmp_path / "note.txt"
    if content is not None:
        note.write_bytes(content)

    done = demo("--note", str(note))

    assert (done.returncode, done.stdout) == (3, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: expected a ")
    assert str(note) in line


def test_a_server_that_does_not_start_says_why_and_is_gone(tmp_path: Path) -> None:
    """The last line of its log is in the message: its folder goes with the journey."""
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match=r"got: .+"):
        Server(home)
