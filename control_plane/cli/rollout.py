"""`mentorplane rollout`: how far the live release of a channel is rolled out, opening its next stage, halting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import ActingRole, Channel, Reason
from control_plane.cli.desk import Desk, reading
from control_plane.cli.pen import Pen, signing

if TYPE_CHECKING:
    from control_plane.client.records import Staged

__all__ = ["app", "said"]

app = typer.Typer(help="Roll releases out by stages.", no_args_is_help=True)
Release = Annotated[int, typer.Option(help="Number of the release that you looked at.", min=1, max=2**31 - 1)]


@app.command("show")
@reading
def show(desk: Desk, *, channel: Channel = "") -> None:
    """Say how far the live release of a channel is rolled out."""
    found = desk.client.channels.show_rollout(_named(desk, channel))
    desk.answer(found, said(found))


@app.command("open")
@signing
def open_stage(
    desk: Desk,
    pen: Pen,
    *,
    release: Release,
    stage: Annotated[int, typer.Option(help="Number of the stage that is to open, from 1.", min=1, max=2**31 - 1)],
    reason: Annotated[str, typer.Option(help="Why now, in your own words.")] = "",
    channel: Channel = "",
) -> None:
    """Open the next stage of the live release, as far as people approved it."""
    name = _named(desk, channel)
    what = {"name": name, "release": release, "stage": stage, "reason": reason.strip()}
    wish = {"act": "open", "channel": name, "release": release, "stage": stage}
    made = pen.say(desk.client.unsigned.opening, desk.client.channels.open_stage, what, wish=wish)
    desk.answer(made, said(made))


@app.command("halt")
@signing
def halt(
    desk: Desk,
    pen: Pen,
    *,
    release: Release,
    reason: Reason,
    channel: Channel = "",
    role: ActingRole = "",
) -> None:
    """Let no further device adopt the live release; to go on takes another release."""
    name = _named(desk, channel)
    what = {"name": name, "release": release, "reason": reason, "role": role}
    wish = {"act": "halt", "channel": name, "release": release, "role": role}
    made = pen.say(desk.client.unsigned.halt, desk.client.channels.halt_rollout, what, wish=wish)
    desk.answer(made, said(made))


def _named(desk: Desk, channel: str) -> str:
    """Return the name of a channel, the usual one for ""."""
    return channel or next(one.name for one in desk.client.channels.list() if one.usual)


def said(one: Staged) -> str:
    """Return it as a sentence, with the command that opens the next stage."""
    what = f"release {one.release} on {one.channel}"
    if len(one.stages) == 1:
        return f"{what} goes to every device at once"
    stages = ", ".join(f"{percent} %" for percent in one.stages)
    how = "was halted at" if one.halted else "is at"
    last = one.stage == len(one.stages) or one.halted
    following = "" if last else f"; next: mentorplane rollout open --release {one.release} --stage {one.stage + 1}"
    return f"{what} {how} stage {one.stage} of {stages}: {one.percent} % of devices{following}"
