"""Accounts: tokens with scopes and an end; sessions, further keys, identities, contacts, invitations, grants.

Tokens that are there keep every scope and end 90 days after they were issued. Who was enrolled with a role in which
people approve holds it for 56 days from then, as whoever is enrolled with a new home does; two people grant it anew.
Going back loses all but the tokens that people still use.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True)
SCOPES = ["admin", "approve", "audit", "check", "comment", "propose", "read", "records", "release", "withdraw"]
APPROVING = {
    "community-host",
    "compliance",
    "employee-representative",
    "facilitator",
    "learning-designer",
    "safety-owner",
}
TOKEN = sa.table(
    "token",
    sa.column("hash", sa.String),
    sa.column("id", sa.String),
    sa.column("scopes", sa.JSON),
    sa.column("at", TIME),
    sa.column("expires_at", TIME),
    sa.column("used_at", TIME),
)
PERSON = sa.table("person", sa.column("id", sa.String), sa.column("roles", sa.JSON), sa.column("at", TIME))
LEAF = sa.table("leaf", *(sa.column(name) for name in ("seq", "act", "kind", "name")))


def upgrade() -> None:
    """Make the tables, give tokens their scopes and end, and approvers the grants of their enrolment."""
    _make_tokens()
    _make_people()
    _make_ways_in()
    grant = op.create_table(
        "role_grant",
        sa.Column("id", sa.String(), nullable=False),
        _person(),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("role", "behalf", "previous")),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("envelope", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("granted", "handed_over", "ended")),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_role_grant_person", "role_grant", ["person"])
    op.create_index("ix_role_grant_role", "role_grant", ["role"])
    enrolled = sa.select(LEAF.c.name, LEAF.c.seq).where(LEAF.c.act == "person-enrolled", LEAF.c.kind == "person")
    seqs = {str(name): int(seq) for name, seq in op.get_bind().execute(enrolled)}
    for person, roles, at in op.get_bind().execute(sa.select(PERSON)).all():
        for role in sorted(APPROVING & set(roles)):
            op.execute(sa.insert(grant).values(**_first(person, role, at), granted=seqs.get(person)))


def _first(person: str, role: str, at: datetime) -> dict[str, object]:
    none = {"behalf": "", "previous": "", "digest": "", "envelope": {}}
    until = at + timedelta(days=56)
    return {"id": f"{person}.{role}", "person": person, "role": role, "since": at, "until": until, "at": at, **none}


def _make_tokens() -> None:
    with op.batch_alter_table("token", naming_convention=NAMES) as batch:
        for name in ("id", "machine", "name", "key"):
            batch.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("scopes", sa.JSON(), nullable=False, server_default="[]"))
        for name in ("expires_at", "used_at"):
            batch.add_column(sa.Column(name, TIME, nullable=False, server_default="2026-01-01 00:00:00"))
        batch.add_column(sa.Column("revoked_at", TIME, nullable=True))
    bind = op.get_bind()
    for key, at in bind.execute(sa.select(TOKEN.c.hash, TOKEN.c.at)).all():
        values = {"id": f"t-{key[:12]}", "scopes": SCOPES, "expires_at": at + timedelta(days=90), "used_at": at}
        bind.execute(sa.update(TOKEN).where(TOKEN.c.hash == key).values(**values))
    with op.batch_alter_table("token", naming_convention=NAMES) as batch:
        for name in ("id", "machine", "name", "key", "scopes", "expires_at", "used_at"):
            batch.alter_column(name, server_default=None)
        batch.create_unique_constraint("token_id_key", ["id"])
    op.create_index("ix_token_person", "token", ["person"])


def _person() -> sa.Column[str]:
    return sa.Column("person", sa.String(), nullable=False)


def _of_person() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["person"], ["person.id"])


def _make_people() -> None:
    op.create_table(
        "session",
        sa.Column("hash", sa.String(), nullable=False),
        _person(),
        *(sa.Column(name, TIME, nullable=False) for name in ("seen_at", "expires_at", "at")),
        _of_person(),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "person_key",
        sa.Column("id", sa.String(), nullable=False),
        _person(),
        sa.Column("custody", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.JSON(), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Integer(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        _of_person(),
        sa.PrimaryKeyConstraint("id"),
    )
    for table in ("session", "person_key"):
        op.create_index(f"ix_{table}_person", table, ["person"])


def _make_ways_in() -> None:
    op.create_table(
        "identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        _person(),
        sa.Column("at", TIME, nullable=False),
        _of_person(),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_table(
        "contact",
        _person(),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        _of_person(),
        sa.PrimaryKeyConstraint("person"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "invitation",
        sa.Column("hash", sa.String(), nullable=False),
        _person(),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        _of_person(),
        sa.PrimaryKeyConstraint("hash"),
    )
    for table in ("identity", "invitation"):
        op.create_index(f"ix_{table}_person", table, ["person"])


def downgrade() -> None:
    """Drop the tables; tokens that had ended or were revoked go, so that they do not come back to life."""
    for table in ("role_grant", "invitation", "contact", "identity", "person_key", "session"):
        op.drop_table(table)
    op.execute("DELETE FROM token WHERE revoked_at IS NOT NULL OR machine <> ''")
    op.drop_index("ix_token_person", "token")
    with op.batch_alter_table("token", naming_convention=NAMES) as batch:
        batch.drop_constraint("token_id_key", type_="unique")
        for name in ("id", "machine", "name", "key", "scopes", "expires_at", "used_at", "revoked_at"):
            batch.drop_column(name)
