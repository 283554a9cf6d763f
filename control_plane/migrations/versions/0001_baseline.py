"""The tables as they were when migrations began: version 2 of the table `schema_version`, without that table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _key(name: str) -> sa.Column[int]:
    """A number that the caller gives, never the database."""
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _at() -> sa.Column[object]:
    return sa.Column("at", TIME, nullable=False)


def upgrade() -> None:
    """Make all tables, those first that others refer to."""
    _people()
    _entries()
    _texts()
    _work()
    _statements()
    _index()


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("login", sa.String(), nullable=False, unique=True),
        _json("roles"),
        _text("custody"),
        _bytes("public_key"),
        _json("sealed_key"),
        _number("wrong"),
        sa.Column("locked_until", TIME, nullable=True),
        _at(),
    )
    op.create_table(
        "token",
        sa.Column("hash", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _at(),
    )


def _entries() -> None:
    words = [
        _text(name) for name in ("act", "actor", "role", "kind", "name", "digest", "manifest", "channel", "subject")
    ]
    op.create_table("leaf", sa.Column("seq", sa.Integer(), primary_key=True), _bytes("data"), *words, _at())
    for column in ("act", "manifest", "subject", "at"):
        op.create_index(f"ix_leaf_{column}", "leaf", [column])
    op.create_index("ix_leaf_object", "leaf", ["kind", "name", "seq"])
    op.create_table("log_head", sa.Column("id", sa.Integer(), primary_key=True), _bytes("frontier"))


def _texts() -> None:
    op.create_table(
        "text_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _text("retention"),
        _text("month"),
        _bytes("wrapped"),
        _text("name"),
        _bytes("name_data"),
        _number("erased_by", null=True),
        _at(),
    )
    op.create_index("ix_text_key_of", "text_key", ["person", "retention", "month"])
    op.create_table(
        "text",
        _key("leaf"),
        sa.Column("field", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), sa.ForeignKey("text_key.id"), nullable=False),
        _bytes("data"),
    )
    op.create_index("ix_text_key", "text", ["key"])
    op.create_table(
        "hold",
        sa.Column("id", sa.String(), primary_key=True),
        _text("person"),
        _number("placed"),
        _number("lifted", null=True),
        _at(),
    )
    op.create_table("setting", sa.Column("name", sa.String(), primary_key=True), _text("value"), _number("leaf"))


def _work() -> None:
    op.create_table("closure", sa.Column("digest", sa.String(), primary_key=True), _text("kind"), _bytes("data"))
    op.create_table(
        "source",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        _text("path"),
        _text("text"),
    )
    op.create_table(
        "proposal",
        sa.Column("number", sa.Integer(), primary_key=True),
        _number("leaf"),
        _text("state"),
        _number("revision"),
        sa.Column("author", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _at(),
    )
    op.create_table(
        "revision",
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), primary_key=True),
        _key("revision"),
        sa.Column("editor", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _text("digest"),
        _text("base"),
        _bytes("manifest"),
        _json("files"),
        _json("removed"),
        _at(),
    )
    op.create_index("ix_revision_digest", "revision", ["digest"])
    op.create_table(
        "check_result",
        sa.Column("manifest", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        _number("position"),
        _text("status"),
        _json("evidence"),
        _at(),
    )


def _statements() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        _text("act"),
        _text("manifest"),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        _text("role"),
        _text("previous"),
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), nullable=True),
        _json("envelope"),
        sa.Column("leaf", sa.Integer(), nullable=False, unique=True),
        _at(),
        sa.UniqueConstraint("manifest", "person", "act", "previous"),
    )
    for column in ("act", "manifest", "proposal"):
        op.create_index(f"ix_statement_{column}", "statement", [column])
    _releases()


def _releases() -> None:
    op.create_table(
        "release",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        _bytes("manifest"),
        sa.Column("proposal", sa.Integer(), sa.ForeignKey("proposal.number"), nullable=False),
        sa.Column("person", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("leaf", sa.Integer(), sa.ForeignKey("leaf.seq"), nullable=False),
        _json("statements"),
        _at(),
    )
    op.create_table(
        "version",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        _key("epoch"),
        _text("digest"),
        _text("tier"),
        sa.Column("author", sa.String(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("release", sa.Integer(), sa.ForeignKey("release.number"), nullable=False),
        _at(),
    )
    op.create_index("ix_version_digest", "version", ["digest"])


def _index() -> None:
    op.create_table(
        "audit_posting",
        sa.Column("term", sa.LargeBinary(), primary_key=True),
        _key("block"),
        _bytes("bits"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_span",
        _key("width"),
        _key("number"),
        sa.Column("earliest", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Remove all tables, and all that is in them; for tests, as no command goes below the first revision."""
    tables = ("audit_span", "audit_posting", "version", "release", "statement", "check_result", "revision", "proposal")
    for table in (*tables, "source", "closure", "setting", "hold", "text", "text_key", "log_head", "leaf", "token"):
        op.drop_table(table)
    op.drop_table("person")
