"""The table of mail that is to be sent: to whom, of which kind, about what; never an address or a text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from control_plane.registry.tables import UtcTime

__all__ = ["MailRow"]


class MailRow(SQLModel, table=True):
    """A message to a person: its kind, the act and the entry it is about, the path of its link."""

    __tablename__ = "mail"
    __table_args__ = (Index("ix_mail_due", "state", "due"),)
    id: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    kind: str
    act: str
    path: str
    state: str
    tries: int = 0
    due: datetime = Field(sa_column=Column(UtcTime, nullable=False))
    at: datetime = Field(sa_column=Column(UtcTime, nullable=False))
