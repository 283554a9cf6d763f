"""Dialects of SQLAlchemy that are made once for a process, so that its engines share the statements that they compile.

Each test opens a database of its own, and an engine by itself compiles every statement anew: a sixth of what a test of
the server takes. Nothing else is different from the dialects that the server runs with. `tests.conftest` says that
they are taken.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(5000)
"""More than all tests compile; its keys name the dialect."""


class _Once(type):
    """Makes one dialect for the same arguments."""

    def __init__(cls, *given: Any) -> None:
        super().__init__(*given)
        cls.made: dict[tuple[tuple[str, str], ...], Any] = {}

    def __call__(cls, **given: Any) -> Any:
        key = tuple(sorted((name, repr(value)) for name, value in given.items()))
        if key not in cls.made:
            cls.made[key] = super().__call__(**given)
        return cls.made[key]


class _Shared:
    """Gives each engine the statements that others compiled."""

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class SQLite(_Shared, SQLiteDialect_pysqlite, metaclass=_Once):
    """The dialect of SQLite."""

    supports_statement_cache = True


class PostgreSQL(_Shared, PGDialect_psycopg, metaclass=_Once):
    """The dialect of PostgreSQL."""

    supports_statement_cache = True
