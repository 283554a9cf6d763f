"""The library's index: one card for each closure. Closures that were stored before are read when they are listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of cards."""
    op.create_table(
        "library_card",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["closure.digest"]),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """Drop the table of cards: it follows from the closures."""
    op.drop_table("library_card")
