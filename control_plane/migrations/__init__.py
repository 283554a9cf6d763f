"""Migrations: how the tables of a database become those that this code reads and writes.

Alembic's own table `alembic_version` names the revision of a database; the newest revision is the highest number in
`versions/`, so that a start compares the two by one SELECT and imports Alembic only if they differ. A new database is
made from the models at once and takes the newest number.

How to add one:

1. Change the models in the `tables.py` of your package; a new `tables.py` is imported by `control_plane/db.py`.
2. Write `versions/NNNN_word.py` with the next number: `revision = "NNNN"`, `down_revision` = the number before,
   `upgrade()` and `downgrade()`. Use `op` and SQLAlchemy's types, never the models: they go on changing, and what was
   migrated once must be migrated the same way for ever.
3. To change a table that is there, use `with op.batch_alter_table("table", naming_convention=NAMES) as batch:`. SQLite
   then copies the table; PostgreSQL alters it. `NAMES` calls constraints as PostgreSQL does: `statement_leaf_key`,
   `release_pkey`, `version_author_fkey`. A primary key that gains a column is dropped and created in the same block.
4. A new column of rows that are there needs a value: add it with `server_default`, and take the default away again in
   a second block if the model has none.
5. `tests/server/test_migrations.py` takes every migration up and down with data, on both databases, and holds the
   migrated tables to the models. What it cannot know is whether values mean the same as before: test that beside it.

What downgrading loses (the rows of a table that goes) is said in the docstring of the migration.
Does not: change what is signed or logged. Bytes that were signed stay as they are, in every revision.
"""

from __future__ import annotations

from control_plane.migrations.opening import bring_up
from control_plane.migrations.revisions import NAMES, newest

__all__ = ["NAMES", "bring_up", "newest"]
