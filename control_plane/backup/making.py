"""Making a backup while the server runs: one read transaction sees one state, however long it takes.

SQLite: a reader of the write-ahead log; PostgreSQL: REPEATABLE READ. Nobody who writes waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from audit.merkle import parse_frontier
from control_plane.backup.archive import KEYS, Index, Writer, seal_keys
from control_plane.backup.tables import lines_of, reflected
from control_plane.errors import Conflict
from control_plane.migrations.revisions import revision_of
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["Made", "make"]

MIN_PASSPHRASE = 12
_FILES = (
    *("checkpoints.log", "witness-policy", "trust"),
    *("site/edge/metadata", "site/edge/targets", "site/edge/log/checkpoint"),
)
"""Small files that must not go backwards, or that nobody could make again."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: where, of how many entries of the log that lead to which root, and whether the keys are in it."""

    path: str
    entries: int
    root: str
    rows: int
    keys: bool


def make(plane: ControlPlane, target: Path, *, passphrase: str = "") -> Made:
    """Write a backup to a file that is not there, or into a folder; with a passphrase the keys are in it too.

    Raises:
        Conflict: the file is there already.
        InvalidDocument: the passphrase is short.
        Unavailable: it could not be written.
    """
    if passphrase and len(passphrase) < MIN_PASSPHRASE:
        raise InvalidDocument(f"expected a passphrase of at least {MIN_PASSPHRASE} characters for the keys")
    path = target / f"mentorplane-{plane.now():%Y%m%dT%H%M%SZ}.backup" if target.is_dir() else target
    if path.exists():
        raise Conflict("expected a file that is not there yet, got one that is")
    try:
        writer = Writer(path)
    except OSError as error:
        raise Unavailable("expected a place to write the backup to, got an error") from error
    try:
        return _write(plane, writer, path, passphrase=passphrase)
    except OSError as error:
        raise Unavailable("expected to write the backup, got an error") from error
    finally:
        writer.abandon()


def _write(plane: ControlPlane, writer: Writer, path: Path, *, passphrase: str) -> Made:
    home = plane.settings.home
    for name, file in _files(home):  # before the database: what they say is never ahead of it by accident of order
        writer.add(f"files/{name}", [file.read_bytes()])
    with _snapshot(plane) as connection:
        frontier = parse_frontier(connection.execute(text("SELECT frontier FROM log_head WHERE id = 1")).scalar_one())
        tables = reflected(connection)
        rows = {table.name: writer.add(f"tables/{table.name}.jsonl", lines_of(connection, table)) for table in tables}
        revision = revision_of(connection)
    if passphrase:
        keys = {file.name: file.read_bytes() for file in sorted((home / "keys").iterdir()) if file.is_file()}
        writer.add(KEYS, [seal_keys(keys, passphrase, plane.settings.argon2)])
    root = frontier.root.hex()
    at = plane.now().isoformat()
    writer.finish(Index(at, plane.organisation, revision, frontier.size, root, rows, writer.members))
    return Made(str(path), frontier.size, root, sum(rows.values()), bool(passphrase))


@contextmanager
def _snapshot(plane: ControlPlane) -> Iterator[Connection]:
    engine = plane.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection, connection.begin():
        yield connection


def _files(home: Path) -> Iterable[tuple[str, Path]]:
    for name in _FILES:
        place = home / name
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in found:
            if not file.name.startswith(".") and file.is_file() and not file.is_symlink():  # hidden: half written
                yield file.relative_to(home).as_posix(), file
