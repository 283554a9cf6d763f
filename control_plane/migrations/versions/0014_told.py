"""Mail to the address that somebody had before, encrypted beside the message. Going back forgets it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Every message so far goes to the address that its person has."""
    with op.batch_alter_table("mail") as batch:
        batch.add_column(sa.Column("key", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("address", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Messages to an address from before are not sent."""
    op.execute("DELETE FROM mail WHERE key <> ''")
    with op.batch_alter_table("mail") as batch:
        batch.drop_column("address")
        batch.drop_column("key")
