"""After a restore from a backup: bringing back the entries that the database lacks, from the published log.

A database that is behind what was published refuses every act (`publish.require_current`), else the log would fork. The
published files hold every entry: they are verified against the newest checkpoint that the log signed, the database must
be a prefix of them, and then the rest is put back, byte for byte, in one transaction.

Promises: nothing changes unless all of it verifies; erasures among these entries are done again in that transaction,
before anybody reads; an entry says which range was brought back; what people's rows are lost is reported, line by line.
Does not: bring back what stands behind the entries (proposals, statements, releases, texts): that is in no published
file. A database in which acts were made after the restore is another history, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest

from sqlmodel import Session, col, select

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.merkle import Frontier, leaf_hash, parse_frontier
from audit.record import Act, Auth, LeafObject, LeafRecord, parse_leaf
from audit.tiles import Read, TileReader
from audit.verify import CHECKPOINT_PATH, check_log
from control_plane import checkpoints, db
from control_plane.errors import Conflict
from control_plane.index import keeping as index
from control_plane.keeping import erasing
from control_plane.ledger.acts import SYSTEM, Event, append
from control_plane.ledger.head import head
from control_plane.ledger.publish import publish_log, publishing
from control_plane.ledger.witnesses import ACT_WAIT_S, ask_witnesses
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from control_plane.verifying import rows
from edge_runtime.core.errors import Unavailable

__all__ = ["Restored", "restore"]

Replay = Callable[[Session, Iterable[LeafRecord]], int]
_HINT = "restore the backup once more and let nobody act before this command has run"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: entries `first` to `last`, said by entry `leaf`; keys destroyed again; what is lost."""

    first: int
    last: int
    leaf: int
    erased: int
    lost: tuple[str, ...]


def restore(plane: ControlPlane, *, replay: Replay = erasing.replay) -> Restored:
    """Bring back the entries that the published log has and the database lacks, and let the log go on.

    Raises:
        Conflict: the database lacks none.
        Unavailable: the published files do not verify, or the database holds another history.
    """
    with publishing(plane):
        newest = _newest(plane)
        read = _verified(plane, newest)
        with db.write(plane.engine) as session:
            start = parse_frontier(head(session).frontier).size
            if start >= newest.size:
                raise Conflict(f"expected a database that lacks published entries, got one with {start} of them")
            reader = TileReader(read, size=newest.size, root=newest.root)
            try:
                before = _require_prefix(session, reader, start)
                records = _bring_back(plane, session, reader.entries(start, newest.size))
            except AuditError as error:
                raise Unavailable("expected published files as they were just verified, got others") from error
            head(session).frontier = reader.frontier().encode()
            # Erased before anybody reads: the backup brought the keys back.
            erased = replay(session, records)
            leaf = append(plane, session, _event(start, before, newest))
            # Crash before the commit: the database is as the backup left it, and this command runs again.
    # Crash here: the entries are back; the next start publishes the one that says so.
    publish_log(plane)
    ask_witnesses(plane, timeout_s=ACT_WAIT_S)
    if erased:
        erasing.scrub(plane)
    with db.read(plane.engine) as session:
        return Restored(start, newest.size - 1, leaf, erased, rows.problems(plane, session))


def _newest(plane: ControlPlane) -> Checkpoint:
    """Return the largest checkpoint that the log ever signed, as far as the home knows."""
    known = [one for one in (checkpoints.newest(plane), checkpoints.published(plane)) if one is not None]
    if not known:
        raise Unavailable("expected a published log to restore from, got none")
    return max(known, key=lambda one: one.size)


def _verified(plane: ControlPlane, newest: Checkpoint) -> Read:
    """Return a reader of the published files, all of which verify against this checkpoint."""
    files = folder_reader(plane.site / "log")
    note = sign_checkpoint(newest, [plane.keys.log])  # the very bytes that were signed: Ed25519 has no randomness

    def read(path: str) -> bytes:
        return note if path == CHECKPOINT_PATH else files(path)

    report = check_log(read, [plane.keys.log.verifier])
    if not report.ok:
        raise Unavailable(
            f"expected published files that lead to the newest checkpoint, got: {report.findings[0]}",
            hint="restore the folder `site/edge/log` from where it was copied to",
        )
    return read


def _require_prefix(session: Session, reader: TileReader, size: int) -> Frontier:
    """Refuse a database whose entries are not the first ones published; return the right edge of the tree they make."""
    stored = session.exec(select(LeafRow.data).order_by(col(LeafRow.seq)).execution_options(yield_per=1000))
    tree = Frontier()
    for at, (ours, published) in enumerate(zip_longest(stored, reader.entries(0, size))):
        if ours != published or published is None:
            raise Unavailable(f"expected entry {at} of the database as it was published, got another", hint=_HINT)
        tree = tree.append(leaf_hash(published))
    if tree.encode() != head(session).frontier:
        raise Unavailable("expected entries that lead to the log head, got others", hint="see `audit verify`")
    return tree


def _bring_back(plane: ControlPlane, session: Session, entries: Iterable[bytes]) -> list[LeafRecord]:
    records = []
    for data in entries:
        record = parse_leaf(data)
        session.add(_row(record, data))
        session.flush()
        index.add(plane, session, record)
        records.append(record)
    return records


def _row(record: LeafRecord, data: bytes) -> LeafRow:
    target = record.object
    return LeafRow(
        seq=record.seq,
        data=data,
        act=str(record.act),
        actor=record.actor.id,
        role=record.actor.role,
        kind=target.kind,
        name=target.name,
        digest=target.digest,
        manifest=record.manifest,
        channel=record.channel,
        subject=record.subject,
        at=record.at,
    )


def _event(start: int, before: Frontier, newest: Checkpoint) -> Event:
    """Say which entries were brought back, and between which two roots."""
    return Event(
        Act.RECOVERED,
        actor=SYSTEM,
        role=SYSTEM,
        auth=Auth.SYSTEM,
        target=LeafObject("log", f"entries-{start}-{newest.size - 1}"),
        before=f"sha256:{before.root.hex()}",
        after=f"sha256:{newest.root.hex()}",
        code="restored-from-backup",
    )
