"""Migrations: every one up and down with data, the models as they end, and what a crash or a newer database does.

The data are those of a database that was made before there were migrations (`registry-2.db.gz`: two releases, with a
withdrawal), and of a seeded home as it is made today.
"""

from __future__ import annotations

import gzip
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, event, inspect, select, text
from sqlmodel import SQLModel
from typer.testing import CliRunner

from control_plane import db
from control_plane.cli import app
from control_plane.migrations import newest
from control_plane.migrations.opening import WRITING, bring_down, bring_up
from control_plane.migrations.revisions import BASELINE, FOLDER, numbers, stamp
from control_plane.migrations.running import differences, run
from control_plane.plane import ControlPlane
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.conftest import database

Rows = dict[str, list[dict[str, Any]]]
OLD = Path(__file__).with_name("registry-2.db.gz")
NEXT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "9999", "{head}"
def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE person SET login = login || '-later'")
    {then}
def downgrade():
    op.drop_table("later")
"""
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def settings_of_old(server: str, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a home with a database from before migrations."""
    (tmp_path / "old").mkdir()
    path = tmp_path / "old" / "registry.db"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    with database(server) as url:
        settings = Settings(home=tmp_path / "old", database_url=url)
        if url:
            copy_into(path, db.connect(settings))
        yield settings


@pytest.fixture
def old(settings_of_old: Settings) -> Iterator[Engine]:
    """A database from before migrations, as nobody has opened it since."""
    engine = db.connect(settings_of_old)
    yield engine
    engine.dispose()


def copy_into(path: Path, engine: Engine) -> None:
    """Make the tables of before migrations on another database, with the rows of a SQLite file."""
    given, metadata = create_engine(f"sqlite:///{path}"), MetaData()
    metadata.reflect(given)
    with given.connect() as source, engine.begin() as target:
        run(target, BASELINE, FOLDER)
        target.execute(text("DROP TABLE alembic_version"))
        target.execute(text("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)"))
        there = MetaData()
        there.reflect(target)
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in source.execute(select(table)).mappings()]
            if rows:
                target.execute(there.tables[table.name].insert(), [in_utc(row) for row in rows])
    given.dispose()


def in_utc(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose times have a zone."""
    return {k: v.replace(tzinfo=UTC) if isinstance(v, datetime) and v.tzinfo is None else v for k, v in row.items()}


def rows_of(engine: Engine) -> Rows:
    """Return every row of every table, as the database holds them."""
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version", "schema_version"}
        return {
            name: sorted(map(dict, connection.execute(text(f"SELECT * FROM {name}")).mappings()), key=repr)
            for name in sorted(tables)
        }


def require_kept(before: Rows, after: Rows) -> None:
    """Require that tables in both have the same rows, in the columns in both."""
    for name in before.keys() & after.keys():
        assert len(before[name]) == len(after[name]), name
        if before[name]:
            shared = before[name][0].keys() & after[name][0].keys()
            assert shared, name
            kept = [
                sorted(({k: row[k] for k in sorted(shared)} for row in one[name]), key=repr) for one in (before, after)
            ]
            assert kept[0] == kept[1], name


def folder_with(tmp_path: Path, then: str) -> Path:
    """Return a copy of the migrations, with one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER / "versions", folder / "versions")
    (folder / "versions" / "9999_later.py").write_text(NEXT.format(head=newest(), then=then))
    return folder


def go(engine: Engine, revision: str) -> None:
    """Take a database to a revision, one way or the other, as opening it does."""
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            run(connection, revision, FOLDER)
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
    engine.dispose()


def test_the_numbers_are_in_one_line() -> None:
    """Each number is used once and follows the one before, without a gap; each name of a file says its revision."""
    found = numbers()
    assert found == tuple(f"{number:04}" for number in range(1, len(found) + 1))
    for path in (FOLDER / "versions").glob("0*.py"):
        before = f'"{int(path.name[:4]) - 1:04}"' if path.name[:4] != BASELINE else "None"
        source = path.read_text("utf-8")
        assert f'revision = "{path.name[:4]}"\n' in source, path.name
        assert f"down_revision = {before}\n" in source, path.name


@pytest.mark.databases
def test_the_migrated_tables_are_those_of_the_models(empty: ControlPlane, server: str, tmp_path: Path) -> None:
    """All migrations, one after the other, end where the models are; so does a new database made from them."""
    with empty.engine.connect() as connection:
        assert differences(connection, SQLModel.metadata) == []
    (tmp_path / "migrated").mkdir()
    with database(server) as url:
        engine = db.connect(Settings(home=tmp_path / "migrated", database_url=url))
        go(engine, newest())
        with engine.connect() as connection:
            assert differences(connection, SQLModel.metadata) == []
        assert columns(engine) == columns(empty.engine)
        engine.dispose()


def columns(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return what the database says of every column, but for the order of columns and names of constraints."""
    seen = inspect(engine)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)},
            "key": seen.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(sorted(one["column_names"]) for one in seen.get_unique_constraints(table)),
            "foreign": sorted(
                str(one["constrained_columns"]) + one["referred_table"] for one in seen.get_foreign_keys(table)
            ),
            "indexes": sorted((one["name"] or "", tuple(one["column_names"])) for one in seen.get_indexes(table)),
        }
        for table in seen.get_table_names()
    }


@pytest.mark.databases
def test_every_migration_keeps_the_rows_up_and_down(old: Engine) -> None:
    """From the first revision to the newest and back, step by step: rows stay, and so does what they say."""
    before = rows_of(old)
    assert len(before["leaf"]) > 20
    with old.begin() as connection:
        connection.execute(text("DROP TABLE schema_version"))
        stamp(connection, BASELINE)
    states = [before]
    for revision in numbers()[1:]:
        go(old, revision)
        states.append(rows_of(old))
        require_kept(states[-2], states[-1])
    for revision, expected in zip(reversed(numbers()[:-1]), reversed(states[:-1]), strict=True):
        go(old, revision)
        require_kept(expected, rows_of(old))
    assert rows_of(old) == before


@pytest.mark.databases
def test_a_home_of_today_goes_down_and_up_again(plane: ControlPlane) -> None:
    """What older tables can hold of today's rows stays, on the way back to each revision and forward again."""
    engine, before = plane.engine, rows_of(plane.engine)
    for revision in reversed(numbers()[:-1]):
        go(engine, revision)
        oldest = rows_of(engine)
        require_kept(before, oldest)
    go(engine, newest())
    require_kept(oldest, rows_of(engine))


@pytest.mark.databases
def test_a_database_from_before_migrations_goes_on(old: Engine, settings_of_old: Settings) -> None:
    """It is taken for the first revision and brought to the newest; nothing of it is lost, a copy stands beside it."""
    before = rows_of(old)
    engine = db.open_engine(settings_of_old)
    require_kept(before, rows_of(engine))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
        assert not inspect(connection).has_table("schema_version")
        assert differences(connection, SQLModel.metadata) == []
    copy = settings_of_old.home / f"registry.db.before-{newest()}"
    if engine.dialect.name == "sqlite" and newest() != BASELINE:
        assert copy.stat().st_mode & 0o777 == 0o600
        given = create_engine(f"sqlite:///{copy}")
        assert rows_of(given) == before
        given.dispose()
        assert db.scrub(engine)
        assert not copy.exists(), "what is erased later would stay in it"
    engine.dispose()


@pytest.mark.databases
def test_a_killed_migration_leaves_the_old_database(old: Engine, settings_of_old: Settings, tmp_path: Path) -> None:
    """`kill -9` between a migration's statements: the database is as it was, and the next start migrates it."""
    db.open_engine(settings_of_old).dispose()
    before = rows_of(old)
    folder = folder_with(tmp_path, KILL)
    command = [sys.executable, "-m", "tests.server.kill_migration", str(settings_of_old.home)]
    killed = subprocess.run([*command, settings_of_old.database_url, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert rows_of(old) == before
    with old.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
    (folder / "versions" / "9999_later.py").write_text(NEXT.format(head=newest(), then=""))
    assert bring_up(old, db.make_tables, folder=folder) == newest()
    assert {row["login"].rpartition("-")[2] for row in rows_of(old)["person"]} == {"later"}


@pytest.mark.databases
def test_a_migration_that_fails_leaves_the_old_database(old: Engine, settings_of_old: Settings, tmp_path: Path) -> None:
    """An error in the middle, or a row that refers to none, and nothing has happened."""
    db.open_engine(settings_of_old).dispose()
    before = rows_of(old)
    folder = folder_with(tmp_path, "op.execute('SELECT nothing FROM nowhere')")
    with pytest.raises(Exception, match="nowhere"):
        bring_up(old, db.make_tables, folder=folder)
    assert rows_of(old) == before
    (folder / "versions" / "9999_later.py").write_text(
        NEXT.format(head=newest(), then='op.execute("DELETE FROM person")')
    )
    with pytest.raises(Exception, match=r"refer to rows that are there|violates foreign key"):
        bring_up(old, db.make_tables, folder=folder)
    assert rows_of(old) == before


@pytest.mark.databases
def test_two_who_open_an_old_database_at_once_migrate_it_once(old: Engine, settings_of_old: Settings) -> None:
    """One migrates, the other waits and finds it done."""
    had: list[str] = []

    def opened() -> None:
        engine = db.connect(settings_of_old)
        had.append(bring_up(engine, db.make_tables))
        engine.dispose()

    threads = [Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(had) == 4
    assert min(had) == BASELINE
    with old.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


@pytest.mark.databases
def test_attack_a_newer_database_under_older_code(plane: ControlPlane) -> None:
    """Code that does not know a database's revision says so in one line and leaves it alone."""
    with plane.engine.begin() as connection:
        stamp(connection, "9999")
    before = rows_of(plane.engine)
    for attempt in (
        lambda: db.open_engine(plane.settings),
        lambda: bring_down(plane.engine, BASELINE),
    ):
        with pytest.raises(Unavailable, match="or older, got '9999': a newer Mentorplane used it"):
            attempt()
    assert rows_of(plane.engine) == before


def test_tables_of_a_version_nobody_knows_are_refused(tmp_path: Path) -> None:
    """A version from before migrations, other than the one that the first revision is made of, is not touched."""
    path = tmp_path / "registry.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO schema_version VALUES (1)")
        connection.commit()
    with pytest.raises(Unavailable, match="expected tables of version 2, got version 1"):
        db.open_engine(Settings(home=tmp_path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("schema_version",)]


def test_a_start_that_migrates_nothing_asks_once_and_imports_no_alembic(plane: ControlPlane) -> None:
    """One SELECT decides; Alembic, a third of a second of imports, stays out."""
    engine, asked = db.connect(plane.settings), []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert bring_up(engine, db.make_tables) == newest()
    engine.dispose()
    assert [one for one in asked if not one.startswith("BEGIN")] == ["SELECT version_num FROM alembic_version"]
    code = "import sys; from pathlib import Path; from control_plane.plane import open_plane; "
    code += "from control_plane.settings import Settings; open_plane(Settings(home=Path(sys.argv[1]))); "
    code += "sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(plane.settings.home / "new")], check=True)


def test_the_commands_show_and_change_the_revision(settings: Settings) -> None:
    """`database show` changes nothing; `downgrade` goes back with a copy kept; `upgrade` comes forward again."""
    home = ["--home", str(settings.home)]

    def said(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["database", *arguments, *home])
        assert done.exit_code == code, done.output
        return done.output

    assert f"revision {newest()}, the newest" in said("show")
    assert "expected one of the revisions" in said("downgrade", "--to", "0000", code=3)
    said("downgrade", "--to", BASELINE)
    assert f"revision {BASELINE}" in said("show")
    assert (settings.home / f"registry.db.before-{BASELINE}").exists() == (newest() != BASELINE)
    said("upgrade")
    assert f"revision {newest()}, the newest" in said("show")


def test_going_back_to_where_it_never_was_is_refused(plane: ControlPlane) -> None:
    """A revision after the present one is not an older one."""
    before = rows_of(plane.engine)
    with pytest.raises(InvalidDocument, match="expected one of the revisions"):
        bring_down(plane.engine, "9999")
    assert rows_of(plane.engine) == before
