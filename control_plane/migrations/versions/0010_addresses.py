"""Addresses: encrypted under the text key of whose it is, with who entered it.

Nothing could set one before, so the table is made anew, and anew without addresses on the way back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _table(*columns: sa.Column[str] | sa.Column[bytes]) -> None:
    op.drop_table("contact")
    op.create_table(
        "contact",
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), primary_key=True),
        *columns,
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def upgrade() -> None:
    """Keep what is encrypted in place of what stands in clear."""
    _table(
        sa.Column("key", sa.String(), sa.ForeignKey("text_key.id"), nullable=False, index=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(), sa.ForeignKey("person.id"), nullable=False),
    )


def downgrade() -> None:
    """Go back to a column of addresses."""
    _table(sa.Column("email", sa.String(), nullable=False, unique=True))
