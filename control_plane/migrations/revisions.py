"""Revisions: which there are, and which one a database has.

Promises: nothing here imports Alembic; the newest revision is read from the names of files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, exc, inspect, text

from edge_runtime.core.errors import Unavailable

__all__ = ["BASELINE", "FOLDER", "NAMES", "VERSION_TABLE", "newest", "numbers", "require_known", "revision_of", "stamp"]

FOLDER = Path(__file__).parent
BASELINE = "0001"
VERSION_TABLE = "alembic_version"
NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
}
"""The names that PostgreSQL gives to constraints, for those that SQLite leaves without one."""
_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.py")


def numbers(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the numbers of all revisions, oldest first."""
    found = (_FILE.fullmatch(path.name) for path in (folder / "versions").iterdir())
    return tuple(sorted(match[1] for match in found if match))


def newest(folder: Path = FOLDER) -> str:
    """Return the number of the newest revision."""
    return numbers(folder)[-1]


def revision_of(connection: Connection) -> str:
    """Return the revision of a database by one SELECT; "" if it has none."""
    try:
        return str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or "")  # noqa: S608
    except (exc.OperationalError, exc.ProgrammingError):  # no such table; the transaction is of no use any more
        return ""


def require_known(revision: str, folder: Path = FOLDER) -> None:
    """Refuse a database that code newer than this one has changed.

    Raises:
        Unavailable: there is no such revision here.
    """
    if revision not in numbers(folder):
        raise Unavailable(
            f"expected a database of revision {newest(folder)} or older, got {revision!a}: a newer Mentorplane used it",
            hint="install that version again, or restore a backup made before it; see `mentorplane database show`",
        )


def stamp(connection: Connection, revision: str) -> None:
    """Write down that a database has that revision."""
    if not inspect(connection).has_table(VERSION_TABLE):
        column = f"version_num VARCHAR(32) NOT NULL, CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)"
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} ({column})"))
    connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    values: dict[str, Any] = {"revision": revision}
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES (:revision)"), values)  # noqa: S608
