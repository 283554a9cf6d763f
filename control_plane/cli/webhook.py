"""`mentorplane webhook`: who is told of what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from control_plane.cli.desk import Desk, acting

if TYPE_CHECKING:
    from control_plane.client.records import Delivery, NewWebhook, Webhook

__all__ = ["app"]

app = typer.Typer(help="Webhooks: other systems are told what the log says.", no_args_is_help=True)

Identity = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Id of the webhook, see `webhook list`.")]


def _line(webhook: Webhook) -> str:
    return f"{webhook.id}  {webhook.state:8}{webhook.url}  {', '.join(webhook.events)}"


def _shown(made: NewWebhook) -> str:
    return f"{_line(made.webhook)}\nsecret: {made.secret}\nIt is shown this once."


def _message(delivery: Delivery) -> str:
    about = f"{delivery.event} (entry {delivery.entry})"
    return f"{delivery.id}  {delivery.state:10}{about}  tries: {delivery.tries}  {delivery.said}"


@app.command("add")
@acting
def add(
    desk: Desk,
    url: Annotated[str, typer.Argument(help="Where messages go.")],
    *,
    event: Annotated[list[str], typer.Option("--event", help="Act of the log, such as released; repeat it. * is all.")],
) -> None:
    """Add a webhook, as an administrator; its secret is shown this once."""
    made = desk.client.webhooks.add_webhook(url=url, events=event)
    desk.answer(made, _shown(made))


@app.command("list")
@acting
def list_(desk: Desk) -> None:
    """List all webhooks, newest first."""
    found = tuple(desk.client.webhooks.list())
    desk.answer(found, "\n".join(map(_line, found)) or "No webhooks.")


@app.command("rotate")
@acting
def rotate(desk: Desk, identity: Identity) -> None:
    """Give a webhook a new secret; the one before signs as well until the next rotation."""
    made = desk.client.webhooks.rotate_webhook(identity)
    desk.answer(made, _shown(made))


@app.command("end")
@acting
def end(desk: Desk, identity: Identity) -> None:
    """End a webhook."""
    ended = desk.client.webhooks.end_webhook(identity)
    desk.answer(ended, _line(ended))


@app.command("deliveries")
@acting
def deliveries(
    desk: Desk, *, state: Annotated[str, typer.Option(help="Only those: waiting, delivered or dead.")] = ""
) -> None:
    """List the messages that are kept, newest first."""
    found = tuple(desk.client.webhooks.list_deliveries(state=cast("Any", state)))
    desk.answer(found, "\n".join(map(_message, found)) or "No messages.")


@app.command("replay")
@acting
def replay(
    desk: Desk,
    identity: Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of the message, see `webhook deliveries`.")],
) -> None:
    """Let a running server send a message once more."""
    again = desk.client.webhooks.replay_delivery(identity)
    desk.answer(again, _message(again))
