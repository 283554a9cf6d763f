"""The records of `/v1/webhooks`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Delivery", "NewWebhook", "Webhook"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message: what of, to whom, and what became of it: waiting, delivered or dead."""

    id: str
    webhook: str
    event: str
    entry: int
    state: str
    tries: int
    said: str
    due: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A subscription and its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription; `state` is active, ended, or gone if its address said so."""

    id: str
    url: str
    events: tuple[str, ...]
    state: str
    at: datetime
