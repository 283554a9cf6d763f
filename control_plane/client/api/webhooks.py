"""`/v1/webhooks`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from control_plane.client.calls import (
    AsyncGroup,
    Call,
    Group,
    Paged,
    given,
    later,
    later_items,
    now,
    now_items,
    segment,
)
from control_plane.client.records.webhooks import Delivery, NewWebhook, Webhook

__all__ = ["AsyncWebhooksApi", "WebhooksApi"]


def _list(*, limit: int | None = None) -> Paged[Webhook]:
    """Return all webhooks, newest first."""
    return Paged(Call("GET", "/v1/webhooks", tuple[Webhook, ...], query=given(limit=limit)))


def _add_webhook(*, url: str, events: Sequence[str], if_match: str | None = None) -> Call[NewWebhook]:
    """Add a webhook; its secret is shown this once."""
    return Call(
        "POST", "/v1/webhooks", NewWebhook, headers=given(**{"If-Match": if_match}), body=given(url=url, events=events)
    )


def _list_deliveries(
    *, state: Literal["", "waiting", "delivered", "dead"] | None = None, limit: int | None = None
) -> Paged[Delivery]:
    """Return the messages that are kept, newest first."""
    return Paged(Call("GET", "/v1/webhooks/deliveries", tuple[Delivery, ...], query=given(state=state, limit=limit)))


def _replay_delivery(identity: str, *, if_match: str | None = None) -> Call[Delivery]:
    """Send a message once more, under the same id."""
    return Call(
        "POST", f"/v1/webhooks/deliveries/{segment(identity)}/replay", Delivery, headers=given(**{"If-Match": if_match})
    )


def _rotate_webhook(identity: str, *, if_match: str | None = None) -> Call[NewWebhook]:
    """Give a webhook a new secret, shown this once; the one before signs as well until the next rotation."""
    return Call("POST", f"/v1/webhooks/{segment(identity)}/rotate", NewWebhook, headers=given(**{"If-Match": if_match}))


def _end_webhook(identity: str, *, if_match: str | None = None) -> Call[Webhook]:
    """End a webhook."""
    return Call("DELETE", f"/v1/webhooks/{segment(identity)}", Webhook, headers=given(**{"If-Match": if_match}))


class WebhooksApi(Group):
    """`/v1/webhooks`, one call after the other."""

    list = now_items(_list)
    add_webhook = now(_add_webhook)
    list_deliveries = now_items(_list_deliveries)
    replay_delivery = now(_replay_delivery)
    rotate_webhook = now(_rotate_webhook)
    end_webhook = now(_end_webhook)


class AsyncWebhooksApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    add_webhook = later(_add_webhook)
    list_deliveries = later_items(_list_deliveries)
    replay_delivery = later(_replay_delivery)
    rotate_webhook = later(_rotate_webhook)
    end_webhook = later(_end_webhook)
