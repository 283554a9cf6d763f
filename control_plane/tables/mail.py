"""The table of mail that is to be sent: to whom, of which kind, about what; never a text, nor an address in clear."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = ["MailRow"]


class MailRow(SQLModel, table=True):
    """A message to a person: its kind, the act and the entry it is about, the path of its link.

    `address` is one that they had before, encrypted under the text key `key`; "" for the one that they have when it is
    sent.
    """

    __tablename__ = "mail"
    __table_args__ = (Index("ix_mail_due", "state", "due"),)
    id: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    kind: str
    act: str
    path: str
    state: str
    tries: int = 0
    key: str = Field(default="", sa_column_kwargs={"server_default": ""})
    address: bytes = Field(default=b"", sa_column_kwargs={"server_default": text("''")})
    due: datetime = Field(sa_column=Column(UtcTime, nullable=False))
    at: datetime = Field(sa_column=Column(UtcTime, nullable=False))
