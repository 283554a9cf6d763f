"""`mentorplane webhook`: who is told of what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Home, Json, answer, opened

if TYPE_CHECKING:
    from control_plane.webhooks.subscriptions import Delivery, NewWebhook, Webhook

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
def add(
    url: Annotated[str, typer.Argument(help="Where messages go.")],
    *,
    actor: As,
    event: Annotated[list[str], typer.Option("--event", help="Act of the log, such as released; repeat it. * is all.")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Add a webhook, as an administrator; its secret is shown this once."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        made = subscriptions.add(plane, people.find_person(plane, actor).id, url=url, events=event)
        answer(made, as_json=as_json, text=_shown(made))


@app.command("list")
def list_(*, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List all webhooks, newest first."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        found = subscriptions.list_webhooks(plane, people.find_person(plane, actor).id)
        answer(found, as_json=as_json, text="\n".join(map(_line, found)) or "No webhooks.")


@app.command("rotate")
def rotate(identity: Identity, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Give a webhook a new secret; the one before signs as well until the next rotation."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        made = subscriptions.rotate(plane, people.find_person(plane, actor).id, identity)
        answer(made, as_json=as_json, text=_shown(made))


@app.command("end")
def end(identity: Identity, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """End a webhook."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        ended = subscriptions.end(plane, people.find_person(plane, actor).id, identity)
        answer(ended, as_json=as_json, text=_line(ended))


@app.command("deliveries")
def deliveries(
    *,
    actor: As,
    state: Annotated[str, typer.Option(help="Only those: waiting, delivered or dead.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the messages that are kept, newest first."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        found = subscriptions.deliveries(plane, people.find_person(plane, actor).id, state=state)
        answer(found, as_json=as_json, text="\n".join(map(_message, found)) or "No messages.")


@app.command("replay")
def replay(
    identity: Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of the message, see `webhook deliveries`.")],
    *,
    actor: As,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Let a running server send a message once more."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.webhooks import subscriptions

        again = subscriptions.replay(plane, people.find_person(plane, actor).id, identity)
        answer(again, as_json=as_json, text=_message(again))
