"""Reports: each result of a check states the check's version, and the digests of what it was given.

Results that are there state neither: a report with them is not fresh, so checks are run again before anybody approves
or releases. Going back loses both.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the version and the inputs, both empty for results that are there."""
    with op.batch_alter_table("check_result", naming_convention=NAMES) as batch:
        batch.add_column(sa.Column("version", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("inputs", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("check_result", naming_convention=NAMES) as batch:
        batch.alter_column("version", server_default=None)
        batch.alter_column("inputs", server_default=None)


def downgrade() -> None:
    """Take both away."""
    with op.batch_alter_table("check_result", naming_convention=NAMES) as batch:
        batch.drop_column("inputs")
        batch.drop_column("version")
