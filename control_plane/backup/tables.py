"""Rows as lines and lines as rows, by the types that the database itself says its columns have.

So a backup of one revision of the tables is read with that revision's columns, on either database.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, DateTime, Integer, LargeBinary, MetaData, Table, select, text

from edge_runtime.core.errors import InvalidDocument

__all__ = ["LEFT_OUT", "insert", "lines_of", "reflected", "set_sequences"]

LEFT_OUT = frozenset({"alembic_version", "request_claim", "session"})
"""Which revision it is stands in the index; requests under way and open sessions end with their server."""
_AT_ONCE = 500


def reflected(connection: Connection) -> list[Table]:
    """Return the tables that a backup holds, those first that others refer to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield each row as a line, in the order of its key."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(query).mappings():
        values = {column.name: _plain(row[column.name]) for column in table.columns}
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def insert(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert lines as rows, and return how many.

    Raises:
        InvalidDocument: a line is none, or has other columns.
    """
    count, rows = 0, (_row(table, line) for line in lines)
    while some := list(islice(rows, _AT_ONCE)):
        connection.execute(table.insert(), some)
        count += len(some)
    return count


def set_sequences(connection: Connection, tables: Iterable[Table]) -> None:
    """Let PostgreSQL go on numbering after the rows that are there; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        key = list(table.primary_key.columns)
        if len(key) != 1 or not isinstance(key[0].type, Integer):
            continue
        named = {"table": f'"{table.name}"', "column": key[0].name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar()
        last = connection.execute(select(key[0]).order_by(key[0].desc()).limit(1)).scalar()
        if sequence and last is not None and last > 0:
            connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return value


def _row(table: Table, line: bytes) -> dict[str, Any]:
    try:
        given: dict[str, Any] = json.loads(line)
        if given.keys() != {column.name for column in table.columns}:
            raise InvalidDocument(f"expected rows of the table {table.name}, got others")
        return {column.name: _value(column.type, given[column.name]) for column in table.columns}
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidDocument(f"expected rows of the table {table.name}, got something else") from error


def _value(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value, validate=True)
    return datetime.fromisoformat(value) if isinstance(kind, DateTime) else value
