"""Statements: one of each person for each proposal, not for each manifest.

Two proposals that only remove the same thing from the same release have one manifest; whoever approved the one that was
closed approves the other anew. Going back keeps the newest statement where there are several.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES

revision = "0011"
down_revision = "0010"

BEFORE = ["manifest", "person", "act", "channel", "previous"]
AFTER = ["proposal", *BEFORE]


def _change(old: list[str], new: list[str]) -> None:
    with op.batch_alter_table("statement", naming_convention=NAMES) as batch:
        batch.drop_constraint(f"statement_{'_'.join(old)}_key", type_="unique")
        batch.create_unique_constraint(f"statement_{'_'.join(new)}_key", new)


def upgrade() -> None:
    """Let the proposal tell statements apart."""
    _change(BEFORE, AFTER)


def downgrade() -> None:
    """Keep one statement of each person for each manifest."""
    same = ", ".join(BEFORE)
    op.execute(sa.text(f"DELETE FROM statement WHERE id NOT IN (SELECT max(id) FROM statement GROUP BY {same})"))  # noqa: S608
    _change(AFTER, BEFORE)
