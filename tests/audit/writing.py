"""A log over a disk that may fail: opened, filled until a step breaks, and required to be sound afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.disk import Files
from audit.tiles import Read, TileReader
from audit.verify import check_log, verify_growth
from audit.writer import LogWriter, open_log
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.crash_child import batches
from tests.audit.disks import Faulty, Lossy

__all__ = ["ALL", "STEPS", "append_until_broken", "held", "opened", "require_sound", "start"]

KEYS = [UNSAFE_LOG_SIGNER.verifier]
ALL = [entry for batch in batches() for entry in batch]


def start(disk: Files, *, full: bool = False) -> LogWriter:
    """Open the log of a disk."""
    return open_log(disk, UNSAFE_LOG_SIGNER, full=full)


def held(read: Read) -> list[bytes]:
    """The entries that the published checkpoint covers, after checking everything."""
    report = check_log(read, KEYS, opaque=True)
    assert report.ok, report.findings
    return list(TileReader(read, size=report.size, root=report.root).entries(0, report.size))


def opened(note: bytes) -> Checkpoint:
    """The checkpoint in a note of the log's."""
    return open_checkpoint(note, KEYS, ORIGIN).checkpoint


def require_sound(disk: Files, acknowledged: Sequence[bytes], seen: Iterable[bytes]) -> None:
    """After a crash: the log opens, holds what was acknowledged, and goes on from every checkpoint that was visible."""
    writer = start(disk, full=True)
    entries = held(disk.read)
    assert entries[: len(acknowledged)] == list(acknowledged)
    assert entries == ALL[: len(entries)]
    writer.append_all([b"after the crash", b"and once more"])
    entries = held(disk.read)
    assert entries[-2:] == [b"after the crash", b"and once more"]
    now = opened(disk.read("checkpoint"))
    for note in seen:
        verify_growth(opened(note), now, disk.read)
    writer.close()


def append_until_broken(disk: Files) -> list[bytes]:
    """Open, append the batches until a step fails, and return what was acknowledged."""
    acknowledged: list[bytes] = []
    try:
        writer = start(disk)
        for batch in batches():
            assert writer.append_all(batch) == len(acknowledged)
            acknowledged += batch
    except OSError:
        pass
    return acknowledged


def count_steps() -> int:
    """How many steps the whole scenario takes."""
    disk = Faulty(Lossy())
    assert append_until_broken(disk) == ALL
    return disk.steps


STEPS = count_steps()
