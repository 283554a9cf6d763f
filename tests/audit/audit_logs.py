"""Logs for the tests, built with the public functions of the package, and the folder of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.merkle import Frontier
from audit.note import Signer
from audit.record import Act, Auth, LeafActor, LeafObject, LeafRecord, LeafSignature, Outcome, encode_leaf
from audit.tiles import Read, grow

VECTORS = Path(__file__).parents[1] / "vectors"
ORIGIN = "log.example/mentorplane"
UNSAFE_LOG_SIGNER = Signer(ORIGIN, b"\x01" * 32)


def reader(files: Mapping[str, bytes]) -> Read:
    """Read from a mapping the way a folder is read."""

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return read


def record(seq: int) -> LeafRecord:
    """A valid record whose content depends on its index."""
    return LeafRecord(
        act=Act.APPROVED,
        outcome=Outcome.DONE,
        actor=LeafActor(f"p-{seq % 7}", "approver", Auth.PASSPHRASE, "console"),
        object=LeafObject("prompt", f"opening-{seq}", f"sha256:{seq:064x}"),
        at=datetime(2026, 3, 1, 9, 0, seq % 60, tzinfo=UTC),
        seq=seq,
        manifest=f"sha256:{seq + 1:064x}",
        signature=LeafSignature("approval"),
        id=f"0199{seq:08x}"[:8] + f"-{seq % 65536:04x}-7000-8000-{seq:012x}",
        organisation="example",
        channel="production",
        prev=seq - 1,
    )


def leaves(count: int) -> list[bytes]:
    """The encoded records of a log of this size."""
    return [encode_leaf(record(seq)) for seq in range(count)]


def publish(entries: Sequence[bytes], *, steps: Sequence[int] = ()) -> dict[str, bytes]:
    """The files of a published log that grew through these sizes and ended with all entries."""
    files: dict[str, bytes] = {}
    frontier = Frontier()
    for size in (*steps, len(entries)):
        growth = grow(frontier, entries[frontier.size : size], reader(files))
        frontier = growth.frontier
        files |= dict(growth.files)
    checkpoint = Checkpoint(ORIGIN, frontier.size, frontier.root)
    files["checkpoint"] = sign_checkpoint(checkpoint, [UNSAFE_LOG_SIGNER])
    return files
