"""`mentorplane database`: the revision of the tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, exit_codes
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["app"]

app = typer.Typer(help="The revision of the database's tables.", no_args_is_help=True)


@contextmanager
def _engine(home: Home, *, as_json: bool) -> Iterator[Engine]:
    with exit_codes(as_json=as_json):
        from control_plane import db
        from control_plane.settings import load_settings

        if not (home / "keys").is_dir():
            raise InvalidDocument(
                f"expected the home of a server at {home}, got a folder without one", hint="mentorplane seed makes one"
            )
        engine = db.connect(load_settings(home, os.environ))
        try:
            yield engine
        finally:
            engine.dispose()


@app.command("show")
def show(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say which revision the tables have, and which one this version of Mentorplane works with.

    Runs on the server's machine.
    """
    with _engine(home, as_json=as_json) as engine:
        from control_plane.migrations.revisions import newest, revision_of

        with engine.connect() as connection:
            found = revision_of(connection)
        kind = "the newest" if found == newest() else f"where {newest()} is the newest"
        text = f"revision {found}, {kind} ({engine.dialect.name})" if found else "no tables, or from before migrations"
        answer({"revision": found, "newest": newest(), "database": engine.dialect.name}, as_json=as_json, text=text)


@app.command("upgrade")
def upgrade(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bring the tables to the newest revision, as every start does. Runs on the server's machine."""
    with _engine(home, as_json=as_json) as engine:
        from control_plane import db
        from control_plane.migrations import bring_up, newest

        before = bring_up(engine, db.make_tables)
        text = f"revision {newest()}" + (", as before" if before == newest() else f", before: {before or 'none'}")
        answer({"before": before, "revision": newest()}, as_json=as_json, text=text)


@app.command("downgrade")
def downgrade(
    *,
    to: Annotated[str, typer.Option("--to", help="The revision that the older version works with, such as 0001.")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Bring the tables back to an older revision, before an older version of Mentorplane is installed.

    Runs on the server's machine.
    """
    with _engine(home, as_json=as_json) as engine:
        from control_plane.migrations.opening import bring_down

        before = bring_down(engine, to)
        text = f"revision {to}, before: {before}. Start nothing of this version now: it would migrate them again."
        answer({"before": before, "revision": to}, as_json=as_json, text=text)
