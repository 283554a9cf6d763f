"""The tables of reviewing: drafts, who wrote what, threads, objections, requests, openings, who is waited for.

No text of a person is in them: titles of drafts are encrypted under their author's key, comments and reasons are texts
of the entries that the rows name. What proposals change and who is waited for follows from the revisions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = [
    "BaseTextRow",
    "ChangeRow",
    "CommentRow",
    "ContributorRow",
    "DraftGuestRow",
    "DraftRow",
    "DraftVersionRow",
    "ObjectionRow",
    "OpeningRow",
    "RequestRow",
    "ThreadRow",
    "WaitingRow",
    "WriterRow",
]


def _json() -> Column[Any]:
    return Column(JSON, nullable=False)


def _time() -> Column[datetime]:
    return Column(UtcTime, nullable=False)


class DraftRow(SQLModel, table=True):
    """What somebody works on before they propose it; `proposal` is what became of it, `ended` that it is over.

    The title is encrypted under the author's key `title_key`.
    """

    __tablename__ = "draft"
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    author: str = Field(foreign_key="person.id", index=True)
    revision: int
    title_key: str = Field(foreign_key="text_key.id")
    title: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    proposal: int | None = Field(default=None, foreign_key="proposal.number")
    ended: bool = False
    at: datetime = Field(sa_column=_time())
    saved_at: datetime = Field(sa_column=_time())


class DraftVersionRow(SQLModel, table=True):
    """One saved version of a draft: who saved it, on which live release, which files, which entries go."""

    __tablename__ = "draft_version"
    draft: int = Field(primary_key=True, foreign_key="draft.id")
    revision: int = Field(primary_key=True)
    editor: str = Field(foreign_key="person.id")
    base: str
    files: dict[str, str] = Field(sa_column=_json())
    removed: list[list[str]] = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())


class DraftGuestRow(SQLModel, table=True):
    """Somebody whom the author of a draft invited to see and edit it."""

    __tablename__ = "draft_guest"
    draft: int = Field(primary_key=True, foreign_key="draft.id")
    person: str = Field(primary_key=True, foreign_key="person.id", index=True)
    at: datetime = Field(sa_column=_time())


class ContributorRow(SQLModel, table=True):
    """Somebody who wrote a part of a proposal before it was one: in its draft, or in what it is a duplicate of."""

    __tablename__ = "contributor"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    person: str = Field(primary_key=True, foreign_key="person.id")


class WriterRow(SQLModel, table=True):
    """Somebody who proposed this very content, on whichever channel: they never approve it."""

    __tablename__ = "writer"
    digest: str = Field(primary_key=True)
    person: str = Field(primary_key=True, foreign_key="person.id")


class ChangeRow(SQLModel, table=True):
    """An entry that the present revision of a proposal changes; `digest` is "" for one that goes."""

    __tablename__ = "proposal_change"
    __table_args__ = (Index("ix_proposal_change_name", "name", "kind"),)
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    digest: str


class BaseTextRow(SQLModel, table=True):
    """The live text of a file when the present revision of a proposal took it over; None if there was none."""

    __tablename__ = "base_text"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    text: str | None = None


class ThreadRow(SQLModel, table=True):
    """A thread about a proposal, or about lines of one of its files; `quoted` are those lines as they were."""

    __tablename__ = "thread"
    id: int | None = Field(default=None, primary_key=True)
    proposal: int = Field(foreign_key="proposal.number", index=True)
    revision: int
    kind: str = ""
    name: str = ""
    first: int = 0
    last: int = 0
    quoted: list[str] = Field(sa_column=_json())
    by: str = Field(foreign_key="person.id")
    leaf: int = Field(unique=True)
    resolved: int | None = None
    resolved_by: str = ""
    at: datetime = Field(sa_column=_time())


class CommentRow(SQLModel, table=True):
    """A comment of a thread, by the entry of the log that holds its text."""

    __tablename__ = "comment"
    leaf: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    thread: int = Field(foreign_key="thread.id", index=True)
    person: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=_time())


class ObjectionRow(SQLModel, table=True):
    """An objection or a rejection: it blocks this content until `taken_back`, the entry that says so, is there."""

    __tablename__ = "objection"
    leaf: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    proposal: int = Field(foreign_key="proposal.number", index=True)
    act: str
    content: str = Field(index=True)
    manifest: str
    person: str = Field(foreign_key="person.id")
    role: str
    thread: int | None = Field(default=None, foreign_key="thread.id")
    taken_back: int | None = None
    at: datetime = Field(sa_column=_time())


class RequestRow(SQLModel, table=True):
    """That somebody, or anybody in a role, is asked to look at a proposal, until `ended`."""

    __tablename__ = "review_request"
    leaf: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    proposal: int = Field(foreign_key="proposal.number", index=True)
    person: str = ""
    role: str = ""
    by: str = Field(foreign_key="person.id")
    ended: int | None = None
    at: datetime = Field(sa_column=_time())


class OpeningRow(SQLModel, table=True):
    """That somebody was shown this very revision with all that it changes."""

    __tablename__ = "opening"
    person: str = Field(primary_key=True, foreign_key="person.id")
    manifest: str = Field(primary_key=True)
    proposal: int = Field(foreign_key="proposal.number")
    revision: int
    leaf: int = Field(unique=True)
    at: datetime = Field(sa_column=_time())


class WaitingRow(SQLModel, table=True):
    """What a proposal waits for, as of its last act: a check, an approval in a role, an edit, its release."""

    __tablename__ = "waiting"
    __table_args__ = (Index("ix_waiting_for", "what", "role"),)
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    what: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
