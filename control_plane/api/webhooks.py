"""`/v1/webhooks`: who is told of what, and what became of each message; for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Plane, Text
from control_plane.requests.paging import Paging
from control_plane.webhooks import subscriptions
from control_plane.webhooks.subscriptions import Delivery, NewWebhook, Webhook

__all__ = ["router"]

router = routes("/webhooks")


class Subscribing(Body):
    """Where to send messages, and about which acts: their names in the log, or "*"."""

    url: Annotated[Text, Field(max_length=2000)]
    events: Annotated[list[Text], Field(min_length=1, max_length=100)]


@router.get("")
def list_webhooks(plane: Plane, actor: Actor, page: Paging) -> tuple[Webhook, ...]:
    """Return all webhooks, newest first."""
    found = subscriptions.list_webhooks(plane, actor.person)
    numbered = [(len(found) - at, webhook) for at, webhook in enumerate(found)]  # the list only grows
    return tuple(webhook for _, webhook in page.cut(numbered, lambda pair: pair[0], falling=True))


@router.post("", status_code=201)
def add_webhook(plane: Plane, actor: Actor, response: Response, *, body: Subscribing) -> NewWebhook:
    """Add a webhook; its secret is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    return subscriptions.add(plane, actor.person, url=body.url, events=body.events)


@router.get("/deliveries")
def list_deliveries(
    plane: Plane,
    actor: Actor,
    page: Paging,
    *,
    state: Annotated[Literal["", "waiting", "delivered", "dead"], Query()] = "",
) -> tuple[Delivery, ...]:
    """Return the messages that are kept, newest first."""
    found = subscriptions.deliveries(plane, actor.person, state=state)
    return page.cut(found, lambda delivery: (delivery.entry, delivery.id), falling=True)


@router.post("/deliveries/{identity}/replay")
def replay_delivery(plane: Plane, actor: Actor, identity: Text) -> Delivery:
    """Send a message once more, under the same id."""
    return subscriptions.replay(plane, actor.person, identity)


@router.post("/{identity}/rotate")
def rotate_webhook(plane: Plane, actor: Actor, identity: Text, *, response: Response) -> NewWebhook:
    """Give a webhook a new secret, shown this once; the one before signs as well until the next rotation."""
    response.headers["Cache-Control"] = "no-store"
    return subscriptions.rotate(plane, actor.person, identity)


@router.delete("/{identity}")
def end_webhook(plane: Plane, actor: Actor, identity: Text) -> Webhook:
    """End a webhook."""
    return subscriptions.end(plane, actor.person, identity)
