"""Subscriptions: where messages go, about which acts; an administrator's to make, rotate and end.

Promises: each change is an entry of the log, in its transaction; a secret is shown once.
Does not: send (see `delivering`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts.rights import Attempt, acting, require_role, require_still
from control_plane.errors import Conflict, NotFound
from control_plane.outbox.webhooks import ACTIVE, EVERYTHING, WAITING
from control_plane.plane import ControlPlane
from control_plane.tables.webhooks import DeliveryRow, WebhookRow
from control_plane.webhooks.addresses import require_url
from control_plane.webhooks.signing import new_secret, open_secrets, seal_secrets
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Delivery", "NewWebhook", "Webhook", "add", "deliveries", "end", "list_webhooks", "replay", "rotate"]

ENDED = "ended"
MOST = 20
_WORD = "change-webhook"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription; `state` is active, ended, or gone if its address said so."""

    id: str
    url: str
    events: tuple[str, ...]
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A subscription and its new secret, which is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


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


def add(plane: ControlPlane, by: str, *, url: str, events: Sequence[str]) -> NewWebhook:
    """Subscribe an address to acts, by their names in the log, or to all by "*".

    Raises:
        InvalidDocument: no acts, an unknown one, or an address that nothing may be sent to.
        Conflict: there are as many as there may be.
        Refused: `by` is no administrator.
    """
    identity = "wh-" + plane.random(8).hex()
    role = require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook", identity)))
    require_url(url, private=plane.settings.webhooks_to_private)
    unknown = sorted(set(events) - {EVERYTHING, *map(str, Act)})
    if unknown or not events:
        raise InvalidDocument("expected names of acts as the log has them, or *, got none or others")
    secret = new_secret(plane)
    with acting(plane, by, role) as session:
        if len(session.exec(select(WebhookRow.id).where(WebhookRow.state == ACTIVE)).all()) >= MOST:
            raise Conflict(f"expected at most {MOST} webhooks, got more: end one first")
        entry = ledger.append(plane, session, _event(by, role, identity, code="webhook-added", url=url))
        row = WebhookRow(
            id=identity,
            url=url,
            events=sorted(set(events)),
            secrets=seal_secrets(plane, identity, [secret]),
            state=ACTIVE,
            leaf=entry,
            at=plane.now(),
        )
        session.add(row)
        session.flush()
        return NewWebhook(_record(row), secret)


def rotate(plane: ControlPlane, by: str, identity: str) -> NewWebhook:
    """Give a subscription a new secret; the one before it signs as well, until the next rotation.

    Raises:
        NotFound: there is none that is active.
        Refused: `by` is no administrator.
    """
    role = require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook", identity)))
    secret = new_secret(plane)
    with acting(plane, by, role) as session:
        row = _active(session, identity)
        before = open_secrets(plane, identity, row.secrets)[:1]
        row.secrets = seal_secrets(plane, identity, [secret, *before])
        ledger.append(plane, session, _event(by, role, identity, code="webhook-rotated", url=row.url))
        return NewWebhook(_record(row), secret)


def end(plane: ControlPlane, by: str, identity: str) -> Webhook:
    """End a subscription; what was to be sent to it is not.

    Raises:
        NotFound: there is none that is active.
        Refused: `by` is no administrator.
    """
    role = require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook", identity)))
    with acting(plane, by, role) as session:
        row = _active(session, identity)
        row.state = ENDED
        row.secrets = b""
        waiting = select(DeliveryRow).where(DeliveryRow.webhook == identity, DeliveryRow.state == WAITING)
        for delivery in session.exec(waiting):
            session.delete(delivery)
        ledger.append(plane, session, _event(by, role, identity, code="webhook-ended", url=row.url))
        return _record(row)


def replay(plane: ControlPlane, by: str, identity: str) -> Delivery:
    """Send a message once more, whatever became of it; its id stays, so that its reader knows it again.

    Raises:
        NotFound: there is no such message any more, or its subscription ended.
        Refused: `by` is no administrator.
    """
    require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook", identity)))
    with db.write(plane.engine) as session:
        require_still(plane, session, by, role="administrator")
        row = session.get(DeliveryRow, identity)
        if row is None:
            raise NotFound("expected the id of a message that is kept, got another")
        _active(session, row.webhook)
        row.state, row.tries, row.due, row.said = WAITING, 0, plane.now(), ""
        return _delivery(row)


def list_webhooks(plane: ControlPlane, by: str) -> tuple[Webhook, ...]:
    """Return all subscriptions, newest first. Raises: Refused: `by` is no administrator."""
    require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook")))
    with db.read(plane.engine) as session:
        rows = session.exec(select(WebhookRow).order_by(col(WebhookRow.leaf).desc()))
        return tuple(_record(row) for row in rows)


def deliveries(plane: ControlPlane, by: str, *, state: str = "") -> tuple[Delivery, ...]:
    """Return the messages that are kept, newest first. Raises: Refused: `by` is no administrator."""
    require_role(plane, by, ["administrator"], attempt=Attempt(_WORD, LeafObject("webhook")))
    query = select(DeliveryRow).order_by(col(DeliveryRow.leaf).desc(), col(DeliveryRow.id).desc())
    with db.read(plane.engine) as session:
        rows = session.exec(query.where(DeliveryRow.state == state) if state else query)
        return tuple(_delivery(row) for row in rows)


def _active(session: Session, identity: str) -> WebhookRow:
    row = session.get(WebhookRow, identity)
    if row is None or row.state != ACTIVE:
        raise NotFound("expected the id of a webhook that is active, got another")
    return row


def _event(by: str, role: str, identity: str, *, code: str, url: str) -> ledger.Event:
    """Say what changed; the address is there as its digest, which whoever knows it can compare."""
    digest = f"sha256:{hashlib.sha256(url.encode()).hexdigest()}"
    target = LeafObject("webhook", identity, digest)
    return ledger.Event(Act.SETTINGS_CHANGED, by, role, Auth.TOKEN, target, code=code)


def _record(row: WebhookRow) -> Webhook:
    return Webhook(row.id, row.url, tuple(row.events), row.state, row.at)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(row.id, row.webhook, row.event, row.leaf, row.state, row.tries, row.said, row.due, row.at)
