"""The writer of a log: nothing acknowledged is lost and no history forks, whatever step fails or ends the process."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from audit import AuditError, NotProven
from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.disk import Disk, Files
from audit.merkle import Frontier, leaf_hash
from audit.note import Algorithm, Signer, add_signatures
from audit.tiles import parse_path
from audit.writer import MAX_BATCH, NEXT_PATH, open_log
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.crash_child import SIZES
from tests.audit.disks import Choose, Fault, Faulty, Lossy, keep, lose
from tests.audit.writing import ALL, STEPS, append_until_broken, held, opened, require_sound, start
from tests.conftest import places

ROOT = Path(__file__).parents[2]


def test_honest_log_grows_one_by_one_and_in_batches(tmp_path: Path) -> None:
    """Single entries, a batch that fills tiles and one beyond the largest give one log, which verifies."""
    writer = start(Disk(tmp_path / "log"))
    entries = [b"%d" % index for index in range(MAX_BATCH + 700)]
    assert [writer.append(entry) for entry in entries[:3]] == [0, 1, 2]
    assert writer.append_all(entries[3:300]) == 3
    assert writer.append_all(entries[300:]) == 300
    assert (writer.size, writer.checkpoint) == (len(entries), writer.disk.read("checkpoint"))
    assert held(writer.disk.read) == entries
    root = Frontier().extend(leaf_hash(entry) for entry in entries).root
    assert opened(writer.checkpoint) == Checkpoint(ORIGIN, len(entries), root)
    writer.close()


def test_empty_log_is_published_at_once(tmp_path: Path) -> None:
    """A new log has a checkpoint of nothing, so that a witness can know it from the start."""
    writer = start(Disk(tmp_path / "log"))
    assert held(writer.disk.read) == []
    writer.close()
    again = start(Disk(tmp_path / "log"))
    assert again.size == 0


def test_appends_of_many_threads_share_batches(tmp_path: Path) -> None:
    """Every thread gets an index of its own where its entry stands, with far fewer checkpoints than entries."""
    disk = Disk(tmp_path / "log")
    counted = Faulty(disk)
    writer = start(counted)
    ready = threading.Barrier(16)

    def act(number: int) -> list[int]:
        ready.wait()
        return [writer.append(b"%d of thread %d" % (at, number)) for at in range(5)]

    with ThreadPoolExecutor(16) as pool:
        indexes = list(pool.map(act, range(16)))
    entries = held(disk.read)
    assert [[entries[at] for at in own] for own in indexes] == [
        [b"%d of thread %d" % (at, number) for at in range(5)] for number in range(16)
    ]
    assert all(own == sorted(own) for own in indexes)
    alone = Faulty(Lossy())
    each = start(alone)
    for entry in entries:
        each.append(entry)
    assert counted.steps < alone.steps / 2
    writer.close()


def test_partial_files_go_only_when_the_full_one_is_published() -> None:
    """At every visible checkpoint the files it implies are there, and nothing partial is left of a full tile."""
    disk = Lossy()
    writer = start(disk)
    for index in range(300):
        writer.append(b"%d" % index)
        assert held(disk.read)
    assert disk.names("tile/0") == ["000", "001.p"]
    assert disk.names("tile/entries") == ["000", "001.p"]


@pytest.mark.sampled
@pytest.mark.parametrize("survives", [lose, keep, "some"])
@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.PERSISTS, Fault.HALF])
def test_every_step_that_fails_leaves_a_sound_log(fault: Fault, survives: Choose | str) -> None:
    """Step k fails, or fails half way, or was done and reports a failure; then power goes: for every k."""
    for step in places(STEPS, about=24):
        disk = Lossy()
        acknowledged = append_until_broken(Faulty(disk, step, fault))
        chance = random.Random(step)
        left = disk.crash(partial(chance.randint, 0) if isinstance(survives, str) else survives)
        require_sound(left, acknowledged, left.seen)


@pytest.mark.sampled
@pytest.mark.parametrize("first", ["power fails", "the process ends"])
def test_a_crash_while_reopening_after_a_crash_leaves_a_sound_log(first: str) -> None:
    """What opening does to finish or drop a batch can itself be cut short at any step, by power, after either."""
    for step in places(STEPS, about=14):
        again = 0
        while True:
            left = Lossy()
            acknowledged = append_until_broken(Faulty(left, step, Fault.PERSISTS))
            left.close()
            if first == "power fails":
                left = left.crash(partial(random.Random(again).randint, 0))
            second = Faulty(left, again, Fault.FAILS)
            with suppress(OSError):
                start(second)
            require_sound(left.crash(lose), acknowledged, left.seen)
            if second.steps <= again:
                break
            again += 1


def test_a_writer_stops_at_an_error_and_says_so() -> None:
    """After a step failed nothing is appended until the log is opened again, as nothing is known of the disk."""
    disk = Lossy()
    faulty = Faulty(disk)
    writer = start(faulty)
    writer.append(b"one")
    faulty.at = faulty.steps
    with pytest.raises(OSError, match="the step failed"):
        writer.append(b"two")
    with pytest.raises(OSError, match="open it again"):
        writer.append(b"three")
    assert held(disk.read) == [b"one"]
    writer.close()
    assert start(disk).append(b"three") == 1


def test_every_waiting_thread_hears_of_a_failure() -> None:
    """A batch that fails fails for all that were in it; none is told that its entry is durable."""
    faulty = Faulty(Lossy())
    writer = start(faulty)
    faulty.at = faulty.steps + 2
    ready = threading.Barrier(8)

    def act(number: int) -> bool:
        ready.wait()
        try:
            writer.append(b"%d" % number)
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(act, range(8)))
    assert held(faulty.read) == []


@pytest.mark.parametrize("fault", [Fault.KILL, Fault.KILL_HALF])
def test_a_process_killed_at_any_step_leaves_a_sound_log(tmp_path: Path, fault: Fault) -> None:
    """Real children on a real disk, ended by SIGKILL before each step or half way through a write."""
    command = [sys.executable, "-m", "tests.audit.crash_child", str(tmp_path), fault.value]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    killed = [int(step) for step in done.stdout.split()]
    assert killed == list(range(STEPS)) if fault is Fault.KILL else len(killed) > 2 * len(SIZES)
    for step in killed:
        home = tmp_path / f"{step:03d}"
        acknowledged = [line.partition(b" ")[2] for line in lines(home / "acknowledged")]
        # The last one noted may not have become visible; if it did, opening must have gone on from it.
        visible = lines(home / "seen")
        require_sound(Disk(home / "log"), acknowledged, visible if read(home / "log") in visible else visible[:-1])


def read(folder: Path) -> bytes:
    """The visible checkpoint, if there is one."""
    path = folder / "checkpoint"
    return path.read_bytes() if path.exists() else b""


def lines(path: Path) -> list[bytes]:
    """What a child noted; nothing if it came to nothing."""
    return [base64.b64decode(line) for line in path.read_bytes().split()] if path.exists() else []


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """While a log is open, nobody else opens it, in this process or in another; afterwards they may."""
    folder = tmp_path / "log"
    writer = start(Disk(folder))
    with pytest.raises(BlockingIOError):
        start(Disk(folder))
    script = "import sys; from pathlib import Path; from audit.disk import Disk; Disk(Path(sys.argv[1])).lock()"
    other = [sys.executable, "-c", script, str(folder)]
    assert b"BlockingIOError" in subprocess.run(other, cwd=ROOT, capture_output=True, check=False).stderr
    writer.close()
    assert subprocess.run(other, cwd=ROOT, check=False).returncode == 0
    start(Disk(folder)).close()


def test_attack_another_history_published_meanwhile(tmp_path: Path) -> None:
    """Whoever replaces the published checkpoint behind the lock stops the writer: it does not write over it."""
    writer = start(Disk(tmp_path / "log"))
    writer.append(b"one")
    forged = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(b"another")), [UNSAFE_LOG_SIGNER])
    (tmp_path / "log" / "checkpoint").write_bytes(forged)
    with pytest.raises(NotProven, match="published last"):
        writer.append(b"two")
    assert (tmp_path / "log" / "checkpoint").read_bytes() == forged
    assert not (tmp_path / "log" / NEXT_PATH).exists()


def test_signatures_of_witnesses_may_be_added_meanwhile(tmp_path: Path) -> None:
    """Lines of witnesses added to the published checkpoint are no other history."""
    writer = start(Disk(tmp_path / "log"))
    writer.append(b"one")
    witness = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
    line = cosign(writer.checkpoint, witness, time_s=1_800_000_000)
    (tmp_path / "log" / "checkpoint").write_bytes(add_signatures(writer.checkpoint, line))
    assert writer.append(b"two") == 1
    writer.close()


def grown(disk: Files, count: int) -> None:
    """Write a log of this size and close it."""
    writer = start(disk)
    writer.append_all([b"%d" % index for index in range(count)])
    writer.close()


def test_attack_checkpoint_brought_back_from_a_backup() -> None:
    """An older checkpoint beside the tiles of a newer one is refused once its partial files are gone: no fork."""
    disk = Lossy()
    grown(disk, 200)
    old = disk.read("checkpoint")
    writer = start(disk)
    writer.append_all([b"more"] * 100)
    writer.close()
    disk.write("checkpoint", old)
    with pytest.raises(NotProven, match="older checkpoint"):
        start(disk)


def test_attack_checkpoint_taken_away() -> None:
    """Tiles without a checkpoint are no empty log: a new one there would be a second history under the key."""
    disk = Lossy()
    grown(disk, 3)
    disk.remove("checkpoint")
    with pytest.raises(NotProven, match="expected a checkpoint beside the tiles"):
        start(disk)


def test_attack_files_changed_while_closed() -> None:
    """Opening re-hashes the right edge always, and everything when asked."""
    disk = Lossy()
    grown(disk, 300)
    edge = {"tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"}
    for path in (*edge, "tile/entries/000", "tile/0/000"):
        good = disk.read(path)
        disk.write(path, bytes([good[5] ^ 1]).join([good[:5], good[6:]]))
        for full in {True, path not in edge}:
            with pytest.raises(AuditError):
                start(disk, full=full)
        disk.write(path, good)
    start(disk, full=True).close()


def test_attack_next_checkpoint_of_another_history() -> None:
    """A signed next checkpoint that the published one is no prefix of is not published."""
    disk, other = Lossy(), Lossy()
    grown(disk, 3)
    writer = start(other)
    writer.append_all([b"another history"] * 5)
    disk.write(NEXT_PATH, other.read("checkpoint"))
    before = disk.read("checkpoint")
    with pytest.raises(NotProven):
        start(disk)
    assert disk.read("checkpoint") == before


def test_another_key_cannot_go_on_with_the_log() -> None:
    """A writer with another key of the same name is refused."""
    disk = Lossy()
    grown(disk, 3)
    with pytest.raises(NotProven):
        open_log(disk, Signer(ORIGIN, b"\x09" * 32))
    start(disk).close()


def test_files_of_a_dropped_batch_are_removed() -> None:
    """After a crash before its checkpoint, nothing of a batch lies beside the log, at any level and any width."""
    disk = Lossy()
    grown(disk, 255)
    before = everything(disk)
    faulty = Faulty(disk)
    writer = start(faulty)
    faulty.at = faulty.steps + 60
    with pytest.raises(OSError, match="the step failed"):
        writer.append_all([b"lost"] * 4000)
    writer.close()
    assert everything(disk) != before
    start(disk).close()
    assert everything(disk) == before


def everything(disk: Files, folder: str = "") -> set[str]:
    """The paths of all tiles and bundles on a disk."""
    found: set[str] = set()
    for name in disk.names(folder or "tile"):
        path = f"{folder or 'tile'}/{name}"
        below = everything(disk, path)
        found |= below
        if not below:
            try:
                disk.read(path)
                found.add(parse_path(path).path)
            except FileNotFoundError:
                pass
    return found


@pytest.mark.parametrize("entries", [[], [b"x" * 65_536]])
def test_what_no_log_can_hold_is_refused(entries: list[bytes]) -> None:
    """No entry, or one too long, is a mistake of the caller's; the writer goes on."""
    writer = start(Lossy())
    with pytest.raises(ValueError, match="expected entries"):
        writer.append_all(entries)
    assert writer.append(b"fine") == 0


def test_a_real_disk_refuses_paths_that_lead_out(tmp_path: Path) -> None:
    """Neither an absolute path nor one through the parent folder is written."""
    disk = Disk(tmp_path / "log")
    for path in ("../out", "/out", "tile/../../out"):
        with pytest.raises(ValueError, match="below the log's folder"):
            disk.write(path, b"")
    assert not list(tmp_path.iterdir())


def test_the_scenario_crosses_a_full_tile() -> None:
    """The scenario that is broken at every step makes a tile full and starts the next."""
    assert (sum(SIZES[:2]), len(ALL)) == (255, 259)
