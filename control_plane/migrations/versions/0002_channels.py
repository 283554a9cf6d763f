"""Channels: sources, proposals, statements, releases and versions name theirs; each channel numbers its own releases.

What is there was on the one channel there was, `production`. Going back keeps the rows of that channel alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES

revision = "0002"
down_revision = "0001"

BEFORE = "production"
"""The channel that every installation had."""


def _channel() -> sa.Column[str]:
    return sa.Column("channel", sa.String(), nullable=False, server_default=BEFORE)


def _without_default(table: str) -> None:
    with op.batch_alter_table(table, naming_convention=NAMES) as batch:
        batch.alter_column("channel", server_default=None)


def upgrade() -> None:
    """Add the channel, to keys too where rows are told apart by it."""
    with op.batch_alter_table("version", naming_convention=NAMES) as batch:
        batch.drop_constraint("version_release_fkey", type_="foreignkey")
    _key_with_channel("source", ["kind", "name"])
    _key_with_channel("release", ["number"])
    _key_with_channel("version", ["kind", "name", "epoch"])
    with op.batch_alter_table("version", naming_convention=NAMES) as batch:
        batch.create_foreign_key(
            "version_channel_release_fkey", "release", ["channel", "release"], ["channel", "number"]
        )
    if op.get_bind().dialect.name == "postgresql":  # a key of one number had a sequence of its own
        op.execute("ALTER TABLE release ALTER COLUMN number DROP DEFAULT")
        op.execute("DROP SEQUENCE IF EXISTS release_number_seq")
    with op.batch_alter_table("proposal", naming_convention=NAMES) as batch:
        batch.add_column(_channel())
    _without_default("proposal")
    op.create_index("ix_proposal_channel", "proposal", ["channel"])
    with op.batch_alter_table("statement", naming_convention=NAMES) as batch:
        batch.add_column(_channel())
        batch.drop_constraint("statement_manifest_person_act_previous_key", type_="unique")
        batch.create_unique_constraint(
            "statement_manifest_person_act_channel_previous_key",
            ["manifest", "person", "act", "channel", "previous"],
        )
    _without_default("statement")


def _key_with_channel(table: str, key: list[str]) -> None:
    with op.batch_alter_table(table, naming_convention=NAMES) as batch:
        batch.add_column(_channel())
        batch.drop_constraint(f"{table}_pkey", type_="primary")
        batch.create_primary_key(f"{table}_pkey", ["channel", *key])
    _without_default(table)


def downgrade() -> None:
    """Remove the channel, and the rows of every channel but `production`."""
    for table in ("version", "release", "statement", "source"):
        op.execute(sa.text(f"DELETE FROM {table} WHERE channel <> :kept").bindparams(kept=BEFORE))  # noqa: S608
    with op.batch_alter_table("version", naming_convention=NAMES) as batch:
        batch.drop_constraint("version_channel_release_fkey", type_="foreignkey")
    for table, key in (("source", ["kind", "name"]), ("release", ["number"]), ("version", ["kind", "name", "epoch"])):
        with op.batch_alter_table(table, naming_convention=NAMES) as batch:
            batch.drop_constraint(f"{table}_pkey", type_="primary")
            batch.drop_column("channel")
            batch.create_primary_key(f"{table}_pkey", key)
    with op.batch_alter_table("version", naming_convention=NAMES) as batch:
        batch.create_foreign_key("version_release_fkey", "release", ["release"], ["number"])
    with op.batch_alter_table("statement", naming_convention=NAMES) as batch:
        batch.drop_constraint("statement_manifest_person_act_channel_previous_key", type_="unique")
        batch.drop_column("channel")
        batch.create_unique_constraint(
            "statement_manifest_person_act_previous_key", ["manifest", "person", "act", "previous"]
        )
    op.drop_index("ix_proposal_channel", "proposal")
    with op.batch_alter_table("proposal", naming_convention=NAMES) as batch:
        batch.drop_column("channel")
