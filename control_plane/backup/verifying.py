"""Verifying a backup by itself: every member, and the log in it from the first entry to the root that it says.

Does not: prove that it is the newest; a checkpoint that somebody else kept does, if it is given.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import AuditError
from audit.merkle import Frontier, leaf_hash
from audit.note import Verifier
from audit.record import parse_leaf
from control_plane.backup.archive import KEYS, Reader
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Verified", "verify"]

_LEAVES = "tables/leaf.jsonl"


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that is whole; `behind` is by how many entries the checkpoint that was given is newer, else 0."""

    at: str
    organisation: str
    revision: str
    entries: int
    root: str
    rows: int
    keys: bool
    behind: int = 0


def verify(reader: Reader, *, seen: bytes = b"", log: Verifier | None = None) -> Verified:
    """Return what a backup is of, if all of it is as it was written and its log is whole.

    Args:
        reader: of the backup.
        seen: a signed checkpoint that a witness, a device or an auditor kept.
        log: the log's key, to open it with.

    Raises:
        InvalidDocument: something is not as the index says, or the checkpoint is of another history.
    """
    index = reader.index
    for name in reader.names(""):
        count = sum(1 for _ in reader.lines(name))
        table = name.removeprefix("tables/").removesuffix(".jsonl")
        if name.startswith("tables/") and index.rows.get(table) != count:
            raise InvalidDocument(f"expected the rows of {table} that the backup's index says, got others")
    checkpoint = _opened(seen, log) if seen else None
    root_then = _follow(reader, checkpoint.size if checkpoint else -1)
    behind = 0
    if checkpoint is not None:
        behind = max(0, checkpoint.size - index.size)
        if not behind and root_then != checkpoint.root:
            raise InvalidDocument("expected a log that leads to the checkpoint that was seen, got another history")
    rows = sum(index.rows.values())
    keys = KEYS in index.members
    return Verified(index.at, index.organisation, index.revision, index.size, index.root, rows, keys, behind)


def _follow(reader: Reader, at: int) -> bytes:
    """Follow the log to its end and return the root that it had after so many entries."""
    tree, then = Frontier(), Frontier().root if at == 0 else b""
    try:
        for line in reader.lines(_LEAVES):
            row = json.loads(line)
            data = base64.b64decode(row["data"], validate=True)
            if row["seq"] != tree.size or parse_leaf(data).seq != tree.size:
                raise InvalidDocument(f"expected entry {tree.size} of the log, got another")
            tree = tree.append(leaf_hash(data))
            then = tree.root if tree.size == at else then
        [head] = [json.loads(line) for line in reader.lines("tables/log_head.jsonl")]
        frontier = base64.b64decode(head["frontier"], validate=True)
    except (AuditError, ValueError, KeyError, TypeError) as error:
        raise InvalidDocument("expected a whole log, got something else") from error
    if (tree.size, tree.root.hex()) != (reader.index.size, reader.index.root) or tree.encode() != frontier:
        raise InvalidDocument("expected entries that lead to the root that the backup's index says, got others")
    return then


def _opened(seen: bytes, log: Verifier | None) -> Checkpoint:
    if log is None:
        raise InvalidDocument("expected the log's key to open a checkpoint with, got none")
    try:
        return open_checkpoint(seen, [log], log.name).checkpoint
    except AuditError as error:
        raise InvalidDocument("expected a checkpoint that the log signed, got another") from error
