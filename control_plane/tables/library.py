"""The index of the library: what lists and searches show of each closure, and what it relies on.

A row is made of the closure of its digest alone, in the transaction that stores the closure, and never changes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

__all__ = ["CardRow"]


class CardRow(SQLModel, table=True):
    """A closure's card: `card` holds what is listed, `words` the words of its texts, sorted, separated by blanks."""

    __tablename__ = "library_card"
    digest: str = Field(primary_key=True, foreign_key="closure.digest")
    card: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    words: str
