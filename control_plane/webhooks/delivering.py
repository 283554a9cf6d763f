"""Delivering: messages that are due go out; what is not confirmed goes out again, later each time.

Promises: at least once: a message is marked delivered only after its address said so (2xx), so a crash in between sends
it again, under the same id; after `MOST_TRIES` it is dead, kept, and can be replayed by hand. Two processes do not send
one message at once: whoever takes it moves its due time first.
Does not: keep the order of messages; each says which entry it is about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from control_plane import db
from control_plane.outbox import pause_s
from control_plane.outbox.webhooks import ACTIVE, WAITING
from control_plane.plane import ControlPlane
from control_plane.tables.webhooks import DeliveryRow, WebhookRow
from control_plane.webhooks.addresses import post
from control_plane.webhooks.signing import open_secrets, secret_bytes, signed_headers
from edge_runtime.core.errors import InvalidDocument, MentorplaneError

__all__ = ["DEAD", "DELIVERED", "MOST_TRIES", "deliver_due"]

DELIVERED, DEAD, GONE = "delivered", "dead", "gone"
MOST_TRIES = 12
AT_ONCE = 20
_LEASE = timedelta(seconds=60)
_KEPT = {DELIVERED: timedelta(days=7), DEAD: timedelta(days=30)}
_LOG = logging.getLogger(__name__)

Post = Callable[..., tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    webhook: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


def deliver_due(plane: ControlPlane, *, send: Post = post) -> int:
    """Send what is due, and return how many messages were tried."""
    messages = _take(plane)
    for message in messages:
        # Crash here, or after the answer: the message is due again when its lease ends.
        _settle(plane, message, _try(plane, message, send))
    return len(messages)


def _take(plane: ControlPlane) -> list[_Message]:
    now = plane.now()
    due = (DeliveryRow.state == WAITING, col(DeliveryRow.due) <= now)
    with db.read(plane.engine) as session:  # the usual answer, and it holds nobody up
        if session.exec(select(DeliveryRow.id).where(*due).limit(1)).first() is None:
            return []
    with db.write(plane.engine) as session:
        for state, kept in _KEPT.items():
            old = (col(DeliveryRow.state) == state, col(DeliveryRow.at) < now - kept)
            session.execute(delete(DeliveryRow).where(*old))
        query = select(DeliveryRow, WebhookRow).where(*due, DeliveryRow.webhook == WebhookRow.id)
        found = []
        for row, webhook in session.exec(query.order_by(col(DeliveryRow.due), DeliveryRow.id).limit(AT_ONCE)).all():
            row.due, row.tries = now + _LEASE, row.tries + 1
            secrets = open_secrets(plane, webhook.id, webhook.secrets) if webhook.state == ACTIVE else ()
            found.append(_Message(row.id, webhook.id, webhook.url, row.body, secrets))
        return found


def _try(plane: ControlPlane, message: _Message, send: Post) -> tuple[int, str]:
    if not message.secrets:
        return 410, "the webhook ended"
    now = int(plane.clock().timestamp())
    headers: Mapping[str, str] = {
        "Content-Type": "application/json",
        "User-Agent": "mentorplane-webhooks/1",
        **signed_headers(map(secret_bytes, message.secrets), message.id, timestamp=now, body=message.body),
    }
    try:
        status, _ = send(message.url, message.body, headers, private=plane.settings.webhooks_to_private)
    except InvalidDocument as error:
        return 0, f"not sent: {error}"
    except MentorplaneError as error:
        return 0, str(error)
    return status, f"status {status}"


def _settle(plane: ControlPlane, message: _Message, outcome: tuple[int, str]) -> None:
    status, said = outcome
    with db.write(plane.engine) as session:
        row = session.get(DeliveryRow, message.id)
        if row is None or row.state != WAITING:
            return
        row.said = said
        if 200 <= status < 300:
            row.state = DELIVERED
        elif status == 410:
            row.state = DEAD
            _gone(session, message.webhook)
        elif row.tries >= MOST_TRIES:
            row.state = DEAD
            _LOG.warning("a webhook's message is dead after %d tries: %s (%s)", row.tries, row.id, said)
        else:
            row.due = plane.now() + timedelta(seconds=pause_s(row.tries, plane.random(1)[0] / 255))


def _gone(session: Session, identity: str) -> None:
    """Send nothing more to an address that says it is gone for ever."""
    webhook = session.get(WebhookRow, identity)
    if webhook is not None and webhook.state == ACTIVE:
        webhook.state = GONE
        _LOG.warning("the address of webhook %s said that it is gone: nothing more is sent there", identity)
