"""The database: how it is opened, and the one way to write to it.

Promises: `write` holds the log-head row from its first statement (PostgreSQL: `SELECT … FOR UPDATE`; SQLite:
`BEGIN IMMEDIATE`), so that acts happen one after the other and each appends its audit leaf where it belongs; an
exception rolls everything back. SQLite runs with WAL, synchronous=FULL and foreign keys on, and overwrites what is
deleted; `scrub` empties its write-ahead log of it too. Tables of an older revision are migrated when it is opened.
Does not: know what the rows mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, TableClause, event, exc, text
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel, create_engine

from audit.merkle import Frontier
from control_plane.errors import Conflict
from control_plane.migrations.opening import WRITING, bring_up, forget_copies
from control_plane.settings import Settings
from control_plane.tables.registry import LogHeadRow
from control_plane.turns import Line
from edge_runtime.core.errors import Unavailable

__all__ = ["RESTORING", "connect", "make_tables", "once", "open_engine", "read", "scrub", "scrub_again", "write"]

BUSY_TIMEOUT_MS = 10_000
RESTORING = "restoring"
"""The file in a home that is being restored: nothing opens it."""
CACHE_KIB = 16_384
_T = TypeVar("_T")
_KNOWN, _WRITES = "known", "writes"
WRITERS_WAIT_S, MOST_WRITERS = 30.0, 1000
_TURNS: WeakKeyDictionary[Engine, Line] = WeakKeyDictionary()
"""One for each SQLite database that is open in this process."""


def open_engine(settings: Settings) -> Engine:
    """Return an engine over the database of `settings`, with its tables made, or migrated, if they are not as here.

    Raises:
        Unavailable: it cannot be opened, or a newer Mentorplane used it.
    """
    if (settings.home / RESTORING).exists():
        raise Unavailable(
            "expected a home whose restore was finished, got one where it was cut off",
            hint="run `mentorplane restore` again",
        )
    engine = connect(settings)
    try:
        bring_up(engine, make_tables)
    except exc.OperationalError as error:
        raise Unavailable("expected a database that can be opened, got an error of its driver") from error
    return engine


def connect(settings: Settings) -> Engine:
    """Return an engine over the database of `settings`, whatever is in it."""
    url = settings.database_url or f"sqlite:///{settings.home / 'registry.db'}"
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.partition("://")[2]
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        _TURNS[engine] = Line(at_once=1, waiting=MOST_WRITERS, wait_s=WRITERS_WAIT_S, what="writers")
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would otherwise begin transactions by its own rules
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"cache_size=-{CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def make_tables(connection: Connection) -> None:
    """Make all tables of an empty database, and the head of its empty log."""
    SQLModel.metadata.create_all(connection)
    with Session(connection) as session:
        session.add(LogHeadRow(id=1, frontier=Frontier().encode()))
        session.flush()


@contextmanager
def read(engine: Engine) -> Iterator[Session]:
    """Read in one transaction: one state of the database, not several."""
    with Session(engine) as session:
        session.info[_KNOWN] = {}
        yield session


def once(session: Session, key: Hashable, make: Callable[[], _T], *, of: Collection[type[SQLModel]] = ()) -> _T:
    """Return what `make` gives, and within one transaction what it gave for the same key before.

    A reading sees one state. A transaction that writes holds up all others, so it sees one too, but for what it writes
    itself: there something is remembered until the session writes to a table of `of`, which must name every one that
    `make` reads; if none are named, it is asked each time.
    """
    known: dict[Hashable, tuple[Any, Collection[type[SQLModel]]]] | None = session.info.get(_KNOWN)
    if known is None or (session.info.get(_WRITES) and not of):
        return make()
    session.flush()  # what is not written yet is forgotten here, as it would be by the question itself
    if key not in known:
        known[key] = make(), of
    found: _T = known[key][0]
    return found


def _forget(session: Session, written: Callable[[type[SQLModel]], bool]) -> None:
    """Forget what depends on a table that is written."""
    known = session.info[_KNOWN]
    for key in [key for key, (_, of) in known.items() if any(map(written, of))]:
        del known[key]


def _forget_flushed(session: Session, _context: object) -> None:
    changed = {type(row) for row in (*session.new, *session.dirty, *session.deleted)}
    _forget(session, changed.__contains__)


def _forget_executed(session: Session, state: ORMExecuteState) -> None:
    if not state.is_select:
        table = getattr(state.statement, "table", None)
        name = table.name if isinstance(table, TableClause) else None  # written as text, it may be about any
        _forget(session, lambda one: name is None or one.__tablename__ == name)


@contextmanager
def _turn(engine: Engine, *, next_one: bool) -> Iterator[None]:
    """Let the writing threads of one process wait in line, first come, first served.

    SQLite itself lets them ask again and again, and forgets who came first.
    """
    line = _TURNS.get(engine)
    with line.turn(next_one=next_one) if line is not None else nullcontext():
        yield


@contextmanager
def write(engine: Engine, *, next_one: bool = False) -> Iterator[Session]:
    """Write in one transaction that holds the log-head row; commit at the end, roll back on an exception.

    `next_one` is for short writes of those whom others wait for: they go before whoever waits to write.

    Raises:
        Conflict: a row that must be unique exists already.
        Unavailable: another writer held the database for too long.
    """
    try:
        with (
            _turn(engine, next_one=next_one),
            Session(engine.execution_options(**{WRITING: True})) as session,
            session.begin(),
        ):
            session.info.update({_KNOWN: {}, _WRITES: True})
            event.listen(session, "after_flush", _forget_flushed)
            event.listen(session, "do_orm_execute", partial(_forget_executed, session))
            if engine.dialect.name == "postgresql":
                session.connection().execute(text("SELECT id FROM log_head WHERE id = 1 FOR UPDATE"))
            yield session
    except exc.IntegrityError as error:
        raise Conflict("expected something new, got what is there already") from error
    except exc.OperationalError as error:
        raise Unavailable("expected to write to the database, got an error of its driver") from error


def scrub(engine: Engine) -> bool:
    """Let what was erased go from the database's files, outside any transaction; return whether all of it went.

    SQLite: the write-ahead log is carried over and cut to nothing; a reader that still looks at an older state stands
    in the way. PostgreSQL: dead rows are removed; what its own write-ahead log and its backups keep is the operator's.
    """
    forget_copies(engine)
    if engine.dialect.name == "sqlite":
        return _empty_log(engine, wait_ms=BUSY_TIMEOUT_MS)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM"))
        return True


def scrub_again(engine: Engine) -> None:
    """Do what is left of `scrub` if a crash or a reader stood in its way; holds nobody up.

    PostgreSQL does this by itself, by its autovacuum.
    """
    if engine.dialect.name == "sqlite":
        _empty_log(engine, wait_ms=0)


def _empty_log(engine: Engine, *, wait_ms: int) -> bool:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute(f"PRAGMA busy_timeout={wait_ms}")
        try:
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not busy
