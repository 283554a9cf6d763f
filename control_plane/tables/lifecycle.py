"""The tables of the lifecycle. What they say is in entries of the log too, whose indexes they hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = ["EmergencyRow", "OriginRow", "ScheduleRow", "WindowRow"]


def _time() -> Column[datetime]:
    return Column(UtcTime, nullable=False, index=True)


class ScheduleRow(SQLModel, table=True):
    """When a proposal is to be released, as which manifest, by whom; `held` says why it was suspended instead.

    `leaf` is the entry that scheduled it, or that suspended it.
    """

    __tablename__ = "schedule"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    manifest: str
    at: datetime = Field(sa_column=_time())
    person: str = Field(foreign_key="person.id")
    held: str = ""
    leaf: int


class OriginRow(SQLModel, table=True):
    """What the content of a proposal derives from: `act` is promotion, rollback or return, `spec` says of what."""

    __tablename__ = "origin"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    act: str
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class WindowRow(SQLModel, table=True):
    """The end of a trial that a proposal begins, and what happens then: keep, or return to what the usual channel has.

    `outcome` is "" until it ended; `leaf` is the entry that stated the window, or that ended it.
    """

    __tablename__ = "trial_window"
    proposal: int = Field(primary_key=True, foreign_key="proposal.number")
    ends_at: datetime = Field(sa_column=_time())
    then: str
    outcome: str = ""
    leaf: int


class EmergencyRow(SQLModel, table=True):
    """A break-glass release, the day its review is due, and the entry that closed it: a review or a rollback."""

    __tablename__ = "emergency_release"
    __table_args__ = (ForeignKeyConstraint(["channel", "number"], ["release.channel", "release.number"]),)
    channel: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    due: datetime = Field(sa_column=_time())
    leaf: int
    closed: int | None = None
