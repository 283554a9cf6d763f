"""Running migrations: the one module that imports Alembic.

Does not: begin or end a transaction; the caller's is used for all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

__all__ = ["differences", "run"]


def run(connection: Connection, revision: str, folder: Path) -> None:
    """Take the database, in its caller's transaction, up or down to a revision; "base" is before the first one."""
    script = ScriptDirectory(str(folder))

    def steps(current: Any, _context: MigrationContext) -> Any:
        found = current[0] if isinstance(current, tuple) and current else current
        if found and (revision == "base" or revision < found):
            return script._downgrade_revs(revision, current)  # noqa: SLF001 - as Alembic's own commands do
        return script._upgrade_revs(revision, current)  # noqa: SLF001

    with EnvironmentContext(Config(), script, fn=steps, destination_rev=revision) as environment:
        environment.configure(connection=connection, transaction_per_migration=False)
        environment.run_migrations()


def differences(connection: Connection, metadata: Any) -> list[Any]:
    """Return what Alembic finds to differ between a database and the models."""
    from alembic.autogenerate import compare_metadata

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))
