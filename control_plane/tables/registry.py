"""The tables. SQLite and PostgreSQL read the same definitions.

Rows never leave the use cases: they return frozen records. What a row repeats of signed bytes is an index for
searching; the bytes beside it are what counts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the stored time with its zone."""
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


def _json() -> Column[Any]:
    return Column(JSON, nullable=False)


def _bytes() -> Column[bytes]:
    return Column(LargeBinary, nullable=False)


def _time(*, index: bool = False) -> Column[datetime]:
    return Column(UtcTime, nullable=False, index=index)


class PersonRow(SQLModel, table=True):
    """A person: pseudonymous id, login, eligible roles, sealed signing key, wrong passphrases; names are elsewhere.

    `retired` is the entry of the log by which they left: the roles stay, since what they signed is judged by them.
    """

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    login: str = Field(unique=True)
    roles: list[str] = Field(sa_column=_json())
    custody: str
    public_key: bytes = Field(sa_column=_bytes())
    sealed_key: dict[str, Any] = Field(sa_column=_json())
    wrong: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=Column(UtcTime, nullable=True))
    retired: int | None = None
    at: datetime = Field(sa_column=_time())


class ClosureRow(SQLModel, table=True):
    """Frozen content by digest."""

    __tablename__ = "closure"
    digest: str = Field(primary_key=True)
    kind: str
    data: bytes = Field(sa_column=_bytes())


class SourceRow(SQLModel, table=True):
    """The live source of one thing that people write: YAML text, by channel, kind and name."""

    __tablename__ = "source"
    channel: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    path: str
    text: str


class ProposalRow(SQLModel, table=True):
    """A set of changes on its way; `revision` counts its edits; the title is the text of the entry that proposed it."""

    __tablename__ = "proposal"
    number: int | None = Field(default=None, primary_key=True)
    channel: str = Field(index=True)
    leaf: int = Field(index=True)
    state: str = Field(index=True)
    revision: int
    author: str = Field(foreign_key="person.id", index=True)
    expires_at: datetime = Field(sa_column=_time(index=True))
    at: datetime = Field(sa_column=_time())


class RevisionRow(SQLModel, table=True):
    """One revision of a proposal: its manifest, who made it, and the sources it changes or removes."""

    __tablename__ = "revision"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    revision: int = Field(primary_key=True)
    editor: str = Field(foreign_key="person.id")
    digest: str = Field(index=True)
    base: str
    manifest: bytes = Field(sa_column=_bytes())
    files: list[dict[str, str]] = Field(sa_column=_json())
    removed: list[list[str]] = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())


class CheckRow(SQLModel, table=True):
    """The result of one named check of one manifest: evidence, the check's version, digests of what it was given."""

    __tablename__ = "check_result"
    manifest: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    position: int
    status: str
    evidence: list[str] = Field(sa_column=_json())
    version: str
    inputs: dict[str, str] = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())


class StatementRow(SQLModel, table=True):
    """A signed statement: the envelope as JSON, and its entry of the log, which has the reason."""

    __tablename__ = "statement"
    __table_args__ = (UniqueConstraint("proposal", "manifest", "person", "act", "channel", "previous"),)
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    act: str = Field(index=True)
    manifest: str = Field(index=True)
    person: str = Field(foreign_key="person.id")
    role: str
    channel: str
    previous: str
    proposal: int | None = Field(default=None, foreign_key="proposal.number", index=True)
    envelope: dict[str, Any] = Field(sa_column=_json())
    leaf: int = Field(unique=True)
    at: datetime = Field(sa_column=_time())


class ReleaseRow(SQLModel, table=True):
    """A released manifest, by its channel's own line of numbers, and the ids of the statements that it carries."""

    __tablename__ = "release"
    channel: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    digest: str = Field(unique=True)
    manifest: bytes = Field(sa_column=_bytes())
    proposal: int = Field(foreign_key="proposal.number")
    person: str = Field(foreign_key="person.id")
    leaf: int = Field(foreign_key="leaf.seq")
    statements: list[int] = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())


class VersionRow(SQLModel, table=True):
    """One released version of an entry, by the channel whose `release` brought it first.

    Its epoch counts over all channels and never falls, also if the entry goes and comes back.
    """

    __tablename__ = "version"
    __table_args__ = (ForeignKeyConstraint(["channel", "release"], ["release.channel", "release.number"]),)
    channel: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    epoch: int = Field(primary_key=True)
    digest: str = Field(index=True)
    tier: str
    author: str = Field(foreign_key="person.id")
    release: int
    at: datetime = Field(sa_column=_time())


class LeafRow(SQLModel, table=True):
    """One entry of the audit log: its bytes, and what is searched by."""

    __tablename__ = "leaf"
    __table_args__ = (Index("ix_leaf_object", "kind", "name", "seq"),)
    seq: int = Field(primary_key=True)
    data: bytes = Field(sa_column=_bytes())
    act: str = Field(index=True)
    actor: str
    role: str
    kind: str
    name: str
    digest: str
    manifest: str = Field(index=True)
    channel: str
    subject: str = Field(index=True)
    at: datetime = Field(sa_column=_time(index=True))


class TextKeyRow(SQLModel, table=True):
    """A key of texts, wrapped, with the display name under it; destroyed by an entry of the log when that is set.

    `name` is the commitment to the display name that entries carry; it is "" if no name was known.
    """

    __tablename__ = "text_key"
    __table_args__ = (Index("ix_text_key_of", "person", "retention", "month"),)
    id: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id")
    retention: str
    month: str
    wrapped: bytes = Field(sa_column=_bytes())
    name: str
    name_data: bytes = Field(sa_column=_bytes())
    erased_by: int | None = None
    at: datetime = Field(sa_column=_time())


class TextRow(SQLModel, table=True):
    """The text behind a commitment of an entry, encrypted with its salt."""

    __tablename__ = "text"
    leaf: int = Field(primary_key=True)
    field: str = Field(primary_key=True)
    key: str = Field(foreign_key="text_key.id", index=True)
    data: bytes = Field(sa_column=_bytes())


class HoldRow(SQLModel, table=True):
    """A legal hold on a person's texts, or on everybody's if the person is ""; entries that placed and lifted it."""

    __tablename__ = "hold"
    id: str = Field(primary_key=True)
    person: str
    placed: int
    lifted: int | None = None
    at: datetime = Field(sa_column=_time())


class SettingRow(SQLModel, table=True):
    """A setting of the record that somebody changed, and the entry that says so."""

    __tablename__ = "setting"
    name: str = Field(primary_key=True)
    value: str
    leaf: int


class LogHeadRow(SQLModel, table=True):
    """The head of the log: the right edge of its tree. One row, held by every act."""

    __tablename__ = "log_head"
    id: int = Field(primary_key=True)
    frontier: bytes = Field(sa_column=_bytes())
