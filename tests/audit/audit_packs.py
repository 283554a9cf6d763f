"""Evidence packs for tests: of a log of valid records, made from material that a test may spoil first."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from audit.acts import Act, Auth, Outcome
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.merkle import Frontier, consistency_proof, leaf_hash
from audit.note import Signer
from audit.pack.container import Container, open_zip, write_zip
from audit.pack.make import NOTE, Material, Scope, pack_files, sign_pack, start_of, tiles_between
from audit.record import LeafActor, LeafObject, LeafRecord, encode_leaf
from audit.tiles import TileReader
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, publish, reader

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ACTS = (Act.PROPOSED, Act.CHECKED, Act.APPROVED, Act.RELEASED, Act.WITHDRAWN, Act.AUDIT_READ)


def record(seq: int) -> LeafRecord:
    """A valid record, an hour after the one before."""
    return LeafRecord(
        act=ACTS[seq % len(ACTS)],
        outcome=Outcome.DONE,
        actor=LeafActor(f"p-{seq % 7}", "approver", Auth.PASSPHRASE, "console"),
        object=LeafObject("prompt", f"opening-{seq % 5}", f"sha256:{seq:064x}", str(seq)),
        at=START + timedelta(hours=seq),
        seq=seq,
        manifest=f"sha256:{seq + 1:064x}",
        id=f"01990000-{seq >> 16 & 0xFFFF:04x}-7{seq & 0xFFF:03x}-8000-{seq:012x}",
        organisation="example",
        channel="production",
        prev=seq - 5 if seq >= 5 else -1,
    )


def entries(count: int) -> list[bytes]:
    """The entries of a log of this size."""
    return [encode_leaf(record(seq)) for seq in range(count)]


def signed(log: Sequence[bytes], size: int) -> bytes:
    """The log's signed checkpoint at a size."""
    root = Frontier().extend(leaf_hash(entry) for entry in log[:size]).root
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), [UNSAFE_LOG_SIGNER])


def hour(number: int) -> str:
    """The time of an entry, as a scope says it."""
    return f"{START + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"


def material(log: Sequence[bytes], *, size_a: int, first: int, last: int, nonce: str = "dice: 4 2 6") -> Material:
    """The material of a pack about a period of a log."""
    files = publish(log)
    hashes = [leaf_hash(entry) for entry in log]
    tiles = TileReader(reader(files), size=len(log), root=Frontier().extend(hashes).root)
    tiles.frontier()
    return Material(
        scope=Scope(ORIGIN, "period", first, last, since=hour(first), until=hour(last + 1)),
        checkpoint_a=signed(log, size_a) if size_a else b"",
        checkpoint_b=signed(log, len(log)),
        consistency=consistency_proof(hashes, size_a) if size_a else (),
        frontier_a=Frontier().extend(hashes[:size_a]),
        entries=log[start_of(size_a) :],
        tiles={tile: files[tile.path] for tile in tiles_between(size_a, len(log))},
        policy=f"log {UNSAFE_LOG_SIGNER.verifier.vkey}\nquorum none\n".encode(),
        nonce=nonce,
        extra={"report.html": b"<p>read me</p>\n"},
    )


def finished(made: Material, signer: Signer = UNSAFE_LOG_SIGNER) -> dict[str, bytes]:
    """All files of a pack."""
    files = pack_files(made)
    return {**files, NOTE: sign_pack(files, signer)}


def zipped(files: dict[str, bytes]) -> bytes:
    """The ZIP file of a pack."""
    stream = io.BytesIO()
    write_zip(stream, files)
    return stream.getvalue()


def opened(files: dict[str, bytes]) -> Container:
    """A pack, as it is read from a ZIP file."""
    return open_zip(zipped(files))


def spoilt(made: Material, index: int) -> Material:
    """The material after somebody rewrote one entry behind the log's back: still a valid record of that index."""
    at = index - start_of(made.frontier_a.size)
    forged = encode_leaf(replace(record(index), actor=replace(record(index).actor, id="p-somebody-else")))
    return replace(made, entries=[*made.entries[:at], forged, *made.entries[at + 1 :]])


def digest(data: bytes) -> str:
    """The digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
