"""The tables of webhooks: who is told of what, and what is still to be sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = ["DeliveryRow", "WebhookRow"]


class WebhookRow(SQLModel, table=True):
    """A subscription; its secrets, newest first, are encrypted under a key that leads from `keys/texts.key`."""

    __tablename__ = "webhook"
    id: str = Field(primary_key=True)
    url: str
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    secrets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str
    leaf: int
    at: datetime = Field(sa_column=Column(UtcTime, nullable=False))


class DeliveryRow(SQLModel, table=True):
    """A message to one subscription, and what became of it; `body` is sent as it stands here."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_due", "state", "due"),)
    id: str = Field(primary_key=True)
    webhook: str = Field(foreign_key="webhook.id", index=True)
    event: str
    leaf: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str
    tries: int = 0
    said: str = ""
    due: datetime = Field(sa_column=Column(UtcTime, nullable=False))
    at: datetime = Field(sa_column=Column(UtcTime, nullable=False))
