"""Reviewing: drafts, threads, objections, requests, openings, the end of proposals, and what lists look up.

Of proposals that are there, what they change and who wrote it follows from their manifests, and a rejection that was
signed is an objection; they end as the approval rules in force say, from when they were made or last edited. Going back
keeps proposals, revisions and statements, and loses the rest.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from control_plane.migrations.revisions import NAMES
from control_plane.tables.registry import UtcTime

revision = "0008"
down_revision = "0007"

EXPIRES_DAYS = 30
INDEXES = ("leaf", "state", "author", "expires_at")
TABLES = (
    "waiting",
    "opening",
    "review_request",
    "objection",
    "comment",
    "thread",
    "base_text",
    "proposal_change",
    "writer",
    "contributor",
    "draft_guest",
    "draft_version",
    "draft",
)
Changes = dict[tuple[str, str], str]


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), primary_key=key, nullable=null, autoincrement=False)


def _identity() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer(), primary_key=True, nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, UtcTime(), nullable=False)


def _ref(column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target])


def upgrade() -> None:
    """Make the tables, the end of proposals, and what follows from the manifests that are there."""
    with op.batch_alter_table("proposal", naming_convention=NAMES) as batch:
        batch.add_column(sa.Column("expires_at", UtcTime(), nullable=True))
    _drafts()
    _contents()
    _talk()
    _objections()
    _openings()
    bind = op.get_bind()
    live = _live(bind)
    for number, channel, made in bind.execute(_LATEST).all():
        days = _days(bind, live.get(channel, ("", b""))[1])
        ends = made + timedelta(days=days)
        bind.execute(sa.update(_PROPOSAL).where(_PROPOSAL.c.number == number).values(expires_at=ends))
    with op.batch_alter_table("proposal", naming_convention=NAMES) as batch:
        batch.alter_column("expires_at", nullable=False)
    for name in INDEXES:
        op.create_index(f"ix_proposal_{name}", "proposal", [name])
    _fill(bind)


def _drafts() -> None:
    op.create_table(
        "draft",
        _identity(),
        _text("channel"),
        _text("author"),
        _number("revision"),
        _text("title_key"),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        _number("proposal", null=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        _time("at"),
        _time("saved_at"),
        _ref("author", "person.id"),
        _ref("title_key", "text_key.id"),
        _ref("proposal", "proposal.number"),
    )
    op.create_index("ix_draft_author", "draft", ["author"])
    op.create_table(
        "draft_version",
        _number("draft", key=True),
        _number("revision", key=True),
        _text("editor"),
        _text("base"),
        _json("files"),
        _json("removed"),
        _time("at"),
        _ref("draft", "draft.id"),
        _ref("editor", "person.id"),
    )
    op.create_table(
        "draft_guest",
        _number("draft", key=True),
        _text("person", key=True),
        _time("at"),
        _ref("draft", "draft.id"),
        _ref("person", "person.id"),
    )
    op.create_index("ix_draft_guest_person", "draft_guest", ["person"])


def _contents() -> None:
    to_proposal, to_person = _ref("proposal", "proposal.number"), _ref("person", "person.id")
    op.create_table("contributor", _number("proposal", key=True), _text("person", key=True), to_proposal, to_person)
    op.create_table("writer", _text("digest", key=True), _text("person", key=True), _ref("person", "person.id"))
    key = (_text("kind", key=True), _text("name", key=True))
    op.create_table(
        "proposal_change", _number("proposal", key=True), *key, _text("digest"), _ref("proposal", "proposal.number")
    )
    op.create_index("ix_proposal_change_name", "proposal_change", ["name", "kind"])
    key = (_text("kind", key=True), _text("name", key=True))
    op.create_table(
        "base_text",
        _number("proposal", key=True),
        *key,
        _text("text", null=True),
        _ref("proposal", "proposal.number"),
    )
    key = (_text("what", key=True), _text("role", key=True))
    op.create_table("waiting", _number("proposal", key=True), *key, _ref("proposal", "proposal.number"))
    op.create_index("ix_waiting_for", "waiting", ["what", "role"])


def _talk() -> None:
    op.create_table(
        "thread",
        _identity(),
        _number("proposal"),
        _number("revision"),
        _text("kind"),
        _text("name"),
        _number("first"),
        _number("last"),
        _json("quoted"),
        _text("by"),
        _number("leaf"),
        _number("resolved", null=True),
        _text("resolved_by"),
        _time("at"),
        _ref("proposal", "proposal.number"),
        _ref("by", "person.id"),
        sa.UniqueConstraint("leaf"),
    )
    op.create_table(
        "comment",
        _number("leaf", key=True),
        _number("thread"),
        _text("person"),
        _time("at"),
        _ref("thread", "thread.id"),
        _ref("person", "person.id"),
    )
    op.create_index("ix_thread_proposal", "thread", ["proposal"])
    op.create_index("ix_comment_thread", "comment", ["thread"])


def _objections() -> None:
    op.create_table(
        "objection",
        _number("leaf", key=True),
        _number("proposal"),
        _text("act"),
        _text("content"),
        _text("manifest"),
        _text("person"),
        _text("role"),
        _number("thread", null=True),
        _number("taken_back", null=True),
        _time("at"),
        _ref("proposal", "proposal.number"),
        _ref("person", "person.id"),
        _ref("thread", "thread.id"),
    )
    op.create_table(
        "review_request",
        _number("leaf", key=True),
        _number("proposal"),
        _text("person"),
        _text("role"),
        _text("by"),
        _number("ended", null=True),
        _time("at"),
        _ref("proposal", "proposal.number"),
        _ref("by", "person.id"),
    )
    for table, column in (("objection", "proposal"), ("objection", "content"), ("review_request", "proposal")):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _openings() -> None:
    op.create_table(
        "opening",
        _text("person", key=True),
        _text("manifest", key=True),
        _number("proposal"),
        _number("revision"),
        _number("leaf"),
        _time("at"),
        _ref("person", "person.id"),
        _ref("proposal", "proposal.number"),
        sa.UniqueConstraint("leaf"),
    )


_PROPOSAL = sa.table("proposal", sa.column("number"), sa.column("expires_at", UtcTime()))
_LATEST = sa.text(
    "SELECT v.proposal, p.channel, v.at FROM revision v"
    " JOIN proposal p ON p.number = v.proposal AND p.revision = v.revision"
).columns(sa.column("proposal", sa.Integer()), sa.column("channel", sa.String()), sa.column("at", UtcTime()))
_REVISIONS = sa.text(
    "SELECT v.proposal, v.revision, p.revision AS newest, p.state, p.channel, v.editor, v.digest, v.base, v.manifest,"
    " v.files, v.removed"
    " FROM revision v JOIN proposal p ON p.number = v.proposal ORDER BY v.proposal, v.revision"
)


def _live(bind: sa.Connection) -> dict[str, tuple[str, bytes]]:
    """Return digest and manifest of the live release of each channel."""
    found = bind.execute(sa.text("SELECT channel, digest, manifest FROM release ORDER BY channel, number")).all()
    return {channel: (digest, bytes(manifest)) for channel, digest, manifest in found}


def _days(bind: sa.Connection, manifest: bytes) -> int:
    """Return after how many days proposals end, by the approval rules of a release."""
    rules = [one["digest"] for one in _entries(manifest) if one["kind"] == "approval-rules"]
    closures = sa.text("SELECT data FROM closure WHERE digest = :digest")
    found = [json.loads(bind.execute(closures, {"digest": digest}).scalar() or b"{}") for digest in rules]
    return min((one.get("proposal_expires_days", EXPIRES_DAYS) for one in found), default=EXPIRES_DAYS)


def _entries(manifest: bytes) -> list[dict[str, Any]]:
    """Return the entries of a manifest written out: on its one line, or on those after its head."""
    return [one for line in manifest.splitlines() for one in json.loads(line).get("entries", ())]


def _fill(bind: sa.Connection) -> None:
    live = _live(bind)
    writers: set[tuple[str, str]] = set()
    bases = {row.digest: row.manifest for row in bind.execute(sa.text("SELECT digest, manifest FROM release"))}
    contents: dict[tuple[int, str], str] = {}
    for row in bind.execute(_REVISIONS.columns(files=sa.JSON(), removed=sa.JSON())).mappings().all():
        changes = _changes(row["manifest"], bases.get(row["base"]))
        contents[row["proposal"], row["digest"]] = _digest(changes)
        mine = {one["digest"] for one in _entries(row["manifest"]) if one["author"] == row["editor"]}
        writers |= {(digest, row["editor"]) for digest in changes.values() if digest in mine}
        if row["revision"] == row["newest"]:
            for (kind, name), digest in changes.items():
                _insert(bind, "proposal_change", proposal=row["proposal"], kind=kind, name=name, digest=digest)
            if row["state"] == "open":
                _insert(bind, "waiting", proposal=row["proposal"], what="check", role="")
            if row["state"] != "released" and row["base"] == live.get(row["channel"], ("",))[0]:
                _fill_bases(bind, row)
    for digest, person in sorted(writers):
        _insert(bind, "writer", digest=digest, person=person)
    rejected = sa.text("SELECT leaf, proposal, manifest, person, role, at FROM statement WHERE act = 'reject'")
    for found in bind.execute(rejected.columns(at=UtcTime())).mappings().all():
        content = contents.get((found["proposal"], found["manifest"]))
        if content is not None:
            _insert(bind, "objection", **found, act="reject", content=content)


def _fill_bases(bind: sa.Connection, row: Any) -> None:
    """Keep the live texts under the files of a proposal that is on the live release."""
    keys = {(one["kind"], one["name"]) for one in row["files"]} | {(kind, name) for kind, name in row["removed"]}
    live = sa.text("SELECT kind, name, text FROM source WHERE channel = :channel")
    texts = {(kind, name): text for kind, name, text in bind.execute(live, {"channel": row["channel"]})}
    for kind, name in sorted(keys):
        _insert(bind, "base_text", proposal=row["proposal"], kind=kind, name=name, text=texts.get((kind, name)))


def _changes(manifest: bytes, base: bytes | None) -> Changes:
    new = {(one["kind"], one["name"]): one for one in _entries(manifest)}
    old = {(one["kind"], one["name"]): one for one in _entries(base or b"")}
    gone = dict.fromkeys(old.keys() - new.keys(), "")
    return gone | {key: one["digest"] for key, one in new.items() if old.get(key) != one}


def _digest(changes: Changes) -> str:
    listed = [[kind, name, digest] for (kind, name), digest in sorted(changes.items())]
    data = json.dumps({"changes": listed}, separators=(",", ":"), sort_keys=True).encode()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _insert(bind: sa.Connection, table: str, **values: object) -> None:
    columns = [sa.column(name, UtcTime()) if name == "at" else sa.column(name) for name in values]
    bind.execute(sa.insert(sa.table(table, *columns)).values(**values))


def downgrade() -> None:
    """Drop the tables and the end of proposals."""
    for table in TABLES:
        op.drop_table(table)
    for name in INDEXES:
        op.drop_index(f"ix_proposal_{name}", "proposal")
    op.execute("UPDATE proposal SET state = 'rejected' WHERE state IN ('expired', 'closed')")
    with op.batch_alter_table("proposal", naming_convention=NAMES) as batch:
        batch.drop_column("expires_at")
