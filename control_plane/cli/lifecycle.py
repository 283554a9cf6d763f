"""Further proposals of what is or was live, and withdrawals: promote, roll back, return, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from control_plane.cli.common import ActingRole, Channel, Reason
from control_plane.cli.desk import Desk
from control_plane.cli.pen import Pen, signing
from control_plane.cli.shown import proposal_line

__all__ = ["promote", "return_channel", "rollback", "withdraw"]

Title = Annotated[str, typer.Option(help="What the proposal is called; made of what it does otherwise.")]


@signing
def promote(
    desk: Desk,
    pen: Pen,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of the entries; none: all that is live there.")
    ] = None,
    *,
    origin: Annotated[str, typer.Option("--from", help="The channel that has them.")],
    channel: Channel = "",
    title: Title = "",
) -> None:
    """Propose for a channel the very entries that are live on another."""
    what = {"source": origin, "target": channel, "names": names or [], "title": title}
    made = pen.author(desk.client.unsigned.promotion, desk.client.promotions.promote, what)
    desk.answer(made, proposal_line(made))


@signing
def rollback(
    desk: Desk,
    pen: Pen,
    to: Annotated[int, typer.Argument(help="Number of the earlier release.", min=1, max=2**31 - 1)],
    *,
    only: Annotated[str, typer.Option(help="Name of the one entry that goes back.")] = "",
    lift: Annotated[
        bool, typer.Option("--lift", help="Lift the withdrawal of this content, which takes a quorum.")
    ] = False,
    channel: Channel = "",
    title: Title = "",
) -> None:
    """Propose what an earlier release held, as a new release."""
    what = {"to": to, "only": only, "lift": lift, "channel": channel, "title": title}
    made = pen.author(desk.client.unsigned.rollback, desk.client.rollbacks.get, what)
    desk.answer(made, proposal_line(made))


@signing
def return_channel(
    desk: Desk,
    pen: Pen,
    *,
    channel: Annotated[str, typer.Option(help="The channel of the trial.")],
    title: Title = "",
) -> None:
    """Propose for the channel of a trial what the usual channel has: it goes out when the trial ends, if approved."""
    what = {"channel": channel, "title": title}
    made = pen.author(desk.client.unsigned.return_, desk.client.returns.prepare_return, what)
    desk.answer(made, proposal_line(made))


@signing
def withdraw(
    desk: Desk,
    pen: Pen,
    target: Annotated[str, typer.Argument(help="Name of a live prompt, digest of a released one, or a channel.")],
    *,
    reason: Reason,
    instead: Annotated[str, typer.Option(help="What runs instead; without it the fallback text.")] = "",
    whole: Annotated[bool, typer.Option("--whole-channel", help="Stop all of the channel: takes two people.")] = False,
    channel: Channel = "",
    role: ActingRole = "",
) -> None:
    """Withdraw a prompt, on every channel that has it, or all of a channel: devices stop using it."""
    use, ask = desk.client, desk.client.unsigned
    if whole:
        said_of = {"name": target, "reason": reason, "role": role}
        wish = {"act": "withdraw", "channel": target, "role": role}
        done = pen.say(ask.channel_withdrawal, use.channels.withdraw_channel, said_of, wish=wish)
        text = f"{done.missing} more person must withdraw it" if done.missing else "all of it is withdrawn"
        desk.answer(done, f"channel {done.channel}: {text}")
        return
    what = {"target": target, "reason": reason, "replacement": instead, "channel": channel, "role": role}
    wish = {"act": "withdraw", "channel": channel, "target": target, "replacement": instead, "role": role}
    made = pen.say(ask.withdrawal, use.withdrawals.withdraw, what, wish=wish)
    after = f", {made.replacement} runs instead" if made.replacement else ", its fallback text is shown"
    desk.answer(made, f"withdrawn: {made.kind} {made.name} {made.digest}{after}")
