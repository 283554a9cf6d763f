"""`mentorplane proposal rebase` and `duplicate`, and which commands stand beside them."""

from __future__ import annotations

from typing import Annotated

import typer

from control_plane.cli.common import Channel, Number
from control_plane.cli.desk import Desk
from control_plane.cli.discussing import DISCUSSING
from control_plane.cli.drafting import DRAFTING
from control_plane.cli.pen import Pen, signing
from control_plane.cli.shown import proposal_line

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """Put these commands beside those that show proposals."""
    for act in (*DISCUSSING, *DRAFTING, rebase, duplicate):
        app.command(act.__name__.rstrip("_").replace("_", "-"))(act)


@signing
def rebase(
    desk: Desk,
    pen: Pen,
    number: Number,
    *,
    merged: Annotated[bool, typer.Option("--merged", help="Take both sides where they change other lines.")] = False,
) -> None:
    """Put a stale proposal on the live release, signed anew; its approvals are void."""
    what = {"number": number, "merged": merged}
    made = pen.author(desk.client.unsigned.rebase, desk.client.proposals.rebase, what)
    desk.answer(made, proposal_line(made))


@signing
def duplicate(
    desk: Desk,
    pen: Pen,
    number: Number,
    *,
    title: Annotated[str, typer.Option(help="What the new one is, in a line.")],
    channel: Channel = "",
) -> None:
    """Propose what another proposal has, with your signature; no approval comes along."""
    what = {"number": number, "title": title, "channel": channel}
    made = pen.author(desk.client.unsigned.duplicate, desk.client.proposals.duplicate, what)
    desk.answer(made, proposal_line(made))
