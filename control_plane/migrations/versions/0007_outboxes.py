"""Webhooks and mail: subscriptions, and what is to be sent. Going back forgets both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TIME = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        _text("url"),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        _text("state"),
        _number("leaf"),
        _time("at"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("webhook", sa.String(), sa.ForeignKey("webhook.id"), nullable=False),
        _text("event"),
        _number("leaf"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _text("state"),
        _number("tries"),
        _text("said"),
        _time("due"),
        _time("at"),
    )
    op.create_index("ix_webhook_delivery_webhook", "webhook_delivery", ["webhook"])
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "due"])
    _mail()


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _text("kind"),
        _text("act"),
        _text("path"),
        _text("state"),
        _number("tries"),
        _time("due"),
        _time("at"),
    )
    op.create_index("ix_mail_person", "mail", ["person"])
    op.create_index("ix_mail_due", "mail", ["state", "due"])


def downgrade() -> None:
    """Remove the tables."""
    for table in ("mail", "webhook_delivery", "webhook"):
        op.drop_table(table)
