"""What a run leaves behind, whichever way it goes: nothing outside of the home, and no word of a text anywhere."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_runtime.receipts import Receipts
from tests.edge import quiet_child
from tests.edge.conftest import published_in
from tests.edge.quiet_child import CANARIES
from tests.recording_cloud import Cloud

FREE = ("tmp", "user", "work")


@dataclass
class Left:
    """What one process did, and what it left: its report, its last words, and the folders that it could write."""

    outcomes: list[str]
    written: list[str]
    said: list[str]
    dump: str
    folder: Path
    home: Path
    report: Path


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Let a process go every way, and crash it in the middle of a run."""
    folder = tmp_path_factory.mktemp("quiet")
    published, cloud = published_in(folder), Cloud()
    good = '{"summary": ["You will write to [EMAIL_1]."]}'
    cloud.answers = [good, f"no json, but {quiet_child.NAME}", '{"summary": 3}', "500", good]
    for name in FREE:
        (folder / name).mkdir()
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(Path.cwd()),
        "MENTORPLANE_READER": "none",
    }
    environment |= {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "user"), "XDG_CACHE_HOME": str(folder / "user")}
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        words = [published.trust, published.folder, cloud.base_url, _address(hanging), folder / "report"]
        child = subprocess.Popen(
            [sys.executable, quiet_child.__file__, str(folder / "home"), *map(str, words)],
            cwd=folder / "work",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        hanging.settimeout(60)
        try:
            connection, _ = hanging.accept()
        except TimeoutError:
            child.kill()
            pytest.fail(child.communicate()[0])
        with connection:
            connection.recv(1)  # the run waits for an answer now
            child.send_signal(signal.SIGABRT)
            dump = child.communicate()[0]
    cloud.close()
    report = json.loads((folder / "report").read_text("utf-8"))
    return Left(**report, dump=dump, folder=folder, home=folder / "home", report=folder / "report")


def _address(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def test_every_way_was_gone(left: Left) -> None:
    """What follows is about each outcome: filled, answered, refused twice, failed once, handed off, gone on with."""
    first, failed_once, then = left.outcomes[:3], left.outcomes[3], left.outcomes[4:]
    assert failed_once in {"redacted filled", "redacted answered"}
    assert first + then == [
        "device filled",
        "redacted answered",
        "redacted fallback",
        "hand-off handed-off",
        "device filled",
        "redacted answered",
    ]


def test_nothing_is_written_outside_of_the_home(left: Left) -> None:
    """No file, folder or temporary file but in the home; the user's own folders and the working folder stay empty."""
    outside = {path for path in left.written if not Path(path).is_relative_to(left.home)} - {"", os.devnull}
    assert outside <= {str(left.report)}
    assert left.written
    for name in FREE:
        assert list((left.folder / name).rglob("*")) == []


def test_no_word_of_a_text_lies_in_the_home(left: Left) -> None:
    """Whatever ran, its files hold none; nor the key of the cloud's server."""
    for path in left.home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert [word for word in (*CANARIES, "key-canary") if word.encode() in data] == [], path.name


def test_no_word_of_a_text_in_logs_errors_and_representations(left: Left) -> None:
    """Attack: to read logs at their loudest, tracebacks with all errors behind an error, the repr of each object."""
    assert len(left.said) > 100
    for line in left.said:
        assert [word for word in (*CANARIES, "key-canary") if word in line] == [], line[:300]


def test_a_crash_in_the_middle_of_a_run_dumps_no_text(left: Left) -> None:
    """Attack: to read the dump of a process that died while a model was asked. It shows where, and no word of what."""
    assert "Fatal Python error: Aborted" in left.dump
    assert "edge_runtime" in left.dump
    assert [word for word in CANARIES if word in left.dump] == []


def test_receipts_of_every_way_are_sealed(left: Left) -> None:
    """Each run left one receipt, a hand-off none; one that went on opens for nobody, the others for their owner."""
    receipts = Receipts(left.home)
    kept = list(receipts.all())
    assert [f"{one.route} {one.outcome}" for one in kept] == [one for one in left.outcomes if "hand" not in one]
    assert (left.home / "hand-offs").read_bytes() == b"."
    places = [{place for place, _ in one.commitments} for one in kept]
    own = {"input/notes", "output"}
    sent = own | {"disclosure"}
    twice = sent | ({"disclosure/2"} & places[3])  # a model that failed may have been asked once more
    assert places == [own, sent, sent, twice, {"output"}, sent]
