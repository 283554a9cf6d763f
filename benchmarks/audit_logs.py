"""A log of any size for the benchmarks, made by the writer itself without holding it in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from audit.disk import Disk
from audit.note import Signer
from audit.record import Act, Auth, LeafActor, LeafObject, LeafRecord, LeafSignature, Outcome, encode_leaf
from audit.writer import MAX_BATCH, open_log

ORIGIN = "log.example/benchmark"
UNSAFE_LOG_SIGNER = Signer(ORIGIN, b"\x01" * 32)
_MARK = 8_111_222_333_444


def record(seq: int) -> LeafRecord:
    """An approval: two digests, a signature, a time."""
    return LeafRecord(
        act=Act.APPROVED,
        outcome=Outcome.DONE,
        actor=LeafActor("p-f3a2", "learning-designer", Auth.PASSPHRASE, "console"),
        object=LeafObject("prompt", "opener", f"sha256:{seq:064d}"),
        at=datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC),
        seq=seq,
        id="01990000-0000-7000-8000-000000000000",
        organisation="example",
        channel="production",
        manifest=f"sha256:{seq:064d}",
        signature=LeafSignature("approval"),
        prev=seq - 1,
    )


def entries(count: int) -> Iterator[bytes]:
    """Yield records, written by filling in one that was encoded: a twentieth of the time."""
    whole = encode_leaf(record(_MARK))
    digest, seq, prev = f"{_MARK:064d}".encode(), b'"seq":%d' % _MARK, b'"prev":%d' % (_MARK - 1)
    form = whole.replace(b"%", b"%%").replace(digest, b"%(digest)064d")
    form = form.replace(seq, b'"seq":%(digest)d').replace(prev, b'"prev":%(prev)d')
    for index in range(count):
        yield form % {b"digest": index, b"prev": index - 1}


def write_log(folder: Path, count: int) -> None:
    """Write a log of this many records."""
    writer = open_log(Disk(folder), UNSAFE_LOG_SIGNER)
    source = entries(count)
    while batch := list(islice(source, MAX_BATCH)):
        writer.append_all(batch)
    writer.close()
