"""People leave: the entry of the log that says so stands beside them. Going back forgets it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nobody has left so far."""
    with op.batch_alter_table("person", naming_convention=NAMES) as batch:
        batch.add_column(sa.Column("retired", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Go back to people who stay."""
    with op.batch_alter_table("person", naming_convention=NAMES) as batch:
        batch.drop_column("retired")
