"""Verifying the log: the published files from themselves, and the database by them.

Does not: publish or change anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from sqlmodel import col, select

from audit import merkle
from audit.folder import folder_reader
from audit.tiles import TileReader
from audit.verify import check_log
from control_plane import checkpoints, db
from control_plane.census import held
from control_plane.index import keeping as index
from control_plane.ledger import witnesses
from control_plane.ledger.head import head
from control_plane.plane import ControlPlane
from control_plane.registry import cards
from control_plane.tables.registry import LeafRow
from control_plane.verifying import rows

__all__ = ["LedgerReport", "verify"]

_LOOKS = 3


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `verify` found; `root` is the tree's, in hex."""

    ok: bool
    size: int
    self_contained: bool
    problems: tuple[str, ...]
    root: str


def verify(plane: ControlPlane) -> LedgerReport:
    """Verify the published log from its files alone, that it extends all it ever published, and the database by it.

    Every row that repeats what an entry, a statement or a manifest says is compared with those bytes (see `rows`).
    Changes nothing: it does not publish what is not published yet, but counts it. It reads without holding anybody up,
    so it looks again if the log moved meanwhile.
    """
    for _ in range(_LOOKS - 1):
        before = _position(plane)
        report = _verify_once(plane)
        if report.ok or before == _position(plane):
            return report
    return _verify_once(plane)


def _position(plane: ControlPlane) -> tuple[object, ...]:
    with db.read(plane.engine) as session:
        top = head(session)
        return top.frontier, checkpoints.published(plane)


def _verify_once(plane: ControlPlane) -> LedgerReport:
    read = folder_reader(plane.site / "log")
    published, remembered = checkpoints.published(plane), checkpoints.lines(plane)  # before the database: never ahead
    report = check_log(read, witnesses.verifiers(plane))
    found = [str(finding) for finding in report.findings]
    unmet = witnesses.problems(plane)
    found += unmet
    with db.read(plane.engine) as session:
        wanted = head(session).frontier
        read_rows = session.exec(select(LeafRow.data).order_by(col(LeafRow.seq)))
        stored = [data if isinstance(data, bytes) else b"" for data in read_rows]  # SQLite lets a text stand there
        by_rows = (
            *rows.problems(plane, session),
            *cards.problems(session),
            *index.problems(plane, session),
            *held.problems(session),
        )
    hashes = [merkle.leaf_hash(data) for data in stored]
    if merkle.Frontier().extend(hashes).encode() != wanted:
        found.append("the database's entries do not lead to its log head")
    if report.ok:
        files = TileReader(read, size=report.size, root=report.root).entries(0, report.size)
        pairs = zip_longest(files, stored[: report.size])
        found += [f"entry {at} differs between files and database" for at, (a, b) in enumerate(pairs) if a != b]
        if report.size < len(stored):
            found.append(f"{len(stored) - report.size} entries are not published yet")
    if remembered is None and published is not None:
        found.append("checkpoints.log is gone: earlier checkpoints cannot be compared")
    else:
        found += checkpoints.problems(plane, remembered or (), hashes, last=published)
    found += by_rows
    # Witnesses short of the quorum that the policy asks for vouch for nothing.
    contained = report.self_contained or bool(unmet)
    return LedgerReport(not found, report.size, contained, tuple(found), report.root.hex())
