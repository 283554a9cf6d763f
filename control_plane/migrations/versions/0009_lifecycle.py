"""The lifecycle: when proposals are due, what they derive from, when trials end, which releases must be reviewed.

Nothing of it is there before. Going back loses the four tables; what the log says of them stays.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "schedule",
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), primary_key=True),
        sa.Column("manifest", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("held", sa.String(), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
    )
    op.create_table(
        "origin",
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), primary_key=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
    )
    op.create_table(
        "trial_window",
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), primary_key=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("then", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
    )
    op.create_table(
        "emergency_release",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["channel", "number"], ["release.channel", "release.number"]),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("emergency_release", "trial_window", "origin", "schedule"):
        op.drop_table(table)
