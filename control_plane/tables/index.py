"""The tables of the search index: nothing in them but what `index.rebuild` writes anew."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary
from sqlmodel import Field, SQLModel

__all__ = ["PostingRow", "SpanRow"]


class PostingRow(SQLModel, table=True):
    """Which entries of one block of the log have one term; see `postings` for the form of `bits`."""

    __tablename__ = "audit_posting"
    __table_args__ = {"sqlite_with_rowid": False}
    term: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    block: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    bits: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SpanRow(SQLModel, table=True):
    """The earliest and the latest time of `width` entries, from `number` times as many on, in POSIX seconds.

    Nobody may rely on times that rise: clocks are set back.
    """

    __tablename__ = "audit_span"
    width: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    earliest: int = Field(sa_column=Column(BigInteger, nullable=False))
    latest: int = Field(sa_column=Column(BigInteger, nullable=False))
