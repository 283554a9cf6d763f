"""The tables of the census: how often an answer was given to a question, on a channel, on a day.

The questions are counted apart from each other, so that no row says which answers came from one device; rows lie in the
order of their keys, not of their coming. And the roots that devices tell of their receipts.
"""

from __future__ import annotations

from sqlmodel import Field, SQLModel

__all__ = ["CensusRow", "RollupRow"]


class CensusRow(SQLModel, table=True):
    """How many devices gave an answer."""

    __tablename__ = "census"
    __table_args__ = {"sqlite_with_rowid": False}
    day: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    question: str = Field(primary_key=True)
    answer: str = Field(primary_key=True)
    devices: int


class RollupRow(SQLModel, table=True):
    """A root that a device told of its receipts of a day, or that was drawn: nothing says which.

    `value` is in lower-case hex; rows lie in the order of their values.
    """

    __tablename__ = "rollup"
    __table_args__ = {"sqlite_with_rowid": False}
    channel: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
