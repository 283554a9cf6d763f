"""Bringing a database to a revision: one transaction, in which nobody else writes.

Promises: a crash at any instruction leaves the old database or the new one; of a SQLite file a copy of the state before
stands beside it (`registry.db.before-NNNN`, NNNN being the revision that it was brought to) until something is erased
or the next migration; a database of a newer revision is refused and not touched.
Does not: know what a migration does (see `versions`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from control_plane.migrations.revisions import BASELINE, FOLDER, newest, numbers, require_known, revision_of, stamp
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["WRITING", "alone", "bring_down", "bring_up", "forget_copies"]

WRITING = "mentorplane_write"
"""The execution option of a connection whose transaction writes from its first statement."""
_LOCK = 0x6D656E746F72706C  # "mentorpl": advisory locks of PostgreSQL are numbers
_BEFORE_MIGRATIONS = 2
"""The version of the tables, kept in a table of its own, that the baseline is made of."""
Make = Callable[[Connection], None]


def bring_up(engine: Engine, make: Make, *, folder: Path = FOLDER) -> str:
    """Bring a database to the newest revision, or `make` a new one; return the revision it had, "" if it is new.

    Raises:
        Unavailable: a newer Mentorplane used it, or a version from before migrations that is not known.
    """
    head = newest(folder)
    with engine.connect() as connection:
        found = revision_of(connection)
    if found == head:
        return found
    with alone(engine) as connection:
        found = _revision(connection)  # another process may have migrated it while we waited
        if not found:
            make(connection)
            stamp(connection, head)
        elif found != head:
            require_known(found, folder)
            _copy(connection, head)
            _run(connection, head, folder)
    return found


def bring_down(engine: Engine, revision: str, *, folder: Path = FOLDER) -> str:
    """Bring a database back to an older revision, before older code is installed; return the one it had.

    Raises:
        InvalidDocument: there is no such older revision.
        Unavailable: a newer Mentorplane used it.
    """
    with alone(engine) as connection:
        found = _revision(connection)
        require_known(found, folder)
        if revision not in numbers(folder) or revision > found:
            raise InvalidDocument(f"expected one of the revisions {BASELINE} to {found}, got another")
        if revision < found:
            _copy(connection, revision)
            _run(connection, revision, folder)
    return found


def forget_copies(engine: Engine) -> None:
    """Remove the copies beside a SQLite file: they hold what was erased since."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path:
        for copy in Path(path).parent.glob(f"{Path(path).name}.before-*"):
            copy.unlink(missing_ok=True)


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose transaction keeps every other writer out; it commits at the end."""
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
            return
        raw = connection.connection.dbapi_connection
        assert raw is not None
        # Outside a transaction, where alone it works: a table that others refer to is copied and then dropped.
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise Unavailable(
                        "expected rows that refer to rows that are there, got others; nothing was changed"
                    )
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _revision(connection: Connection) -> str:
    tables = set(inspect(connection).get_table_names())
    if "schema_version" in tables:
        version = connection.execute(text("SELECT version FROM schema_version")).scalar()
        if version != _BEFORE_MIGRATIONS:
            raise Unavailable(f"expected tables of version {_BEFORE_MIGRATIONS}, got version {version!a}")
        connection.execute(text("DROP TABLE schema_version"))
        stamp(connection, BASELINE)
        return BASELINE
    return revision_of(connection) if "alembic_version" in tables else ""


def _copy(connection: Connection, revision: str) -> None:
    """Copy a SQLite file as it was committed last: this transaction, which keeps writers out, has nothing in it yet."""
    path = connection.engine.url.database
    if connection.dialect.name != "sqlite" or not path:
        return
    forget_copies(connection.engine)
    copy = Path(f"{path}.before-{revision}")
    partial = copy.with_name(copy.name + ".partial")
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    # Crash here: a partial copy, which the next attempt writes anew.
    partial.replace(copy)


def _run(connection: Connection, revision: str, folder: Path) -> None:
    from control_plane.migrations.running import run  # Alembic, and what it imports

    run(connection, revision, folder)
