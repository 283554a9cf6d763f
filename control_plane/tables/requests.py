"""The table of requests with an idempotency key.

Whoever reads it learns neither keys nor bodies nor answers: `id` and `request` are keyed digests, and the answer is
encrypted under a key that only the caller's token or cookie, together with the idempotency key, leads to.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = ["ClaimRow"]


class ClaimRow(SQLModel, table=True):
    """One request: who carries it out, the first entry of the log that it made, its answer once there is one."""

    __tablename__ = "request_claim"
    id: str = Field(primary_key=True)
    request: str
    owner: str
    leaf: int | None = None
    status: int | None = None
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(UtcTime, nullable=False, index=True))
