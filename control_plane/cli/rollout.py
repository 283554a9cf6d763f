"""`mentorplane rollout`: how far the live release of a channel is rolled out, opening its next stage, halting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Channel, Home, Json, PassphraseFile, answer, opened, signing
from control_plane.cli.desk import Desk, reading

if TYPE_CHECKING:
    from control_plane.client.records import Staged as StagedThere
    from control_plane.registry.lifecycle.rollout import Staged

__all__ = ["app", "said"]

app = typer.Typer(help="Roll releases out by stages.", no_args_is_help=True)
Release = Annotated[int, typer.Option(help="Number of the release that you looked at.", min=1, max=2**31 - 1)]


@app.command("show")
@reading
def show(desk: Desk, *, channel: Channel = "") -> None:
    """Say how far the live release of a channel is rolled out."""
    usual = next(one.name for one in desk.client.channels.list() if one.usual)
    found = desk.client.channels.show_rollout(channel or usual)
    desk.answer(found, said(found))


@app.command("open")
def open_stage(
    *,
    actor: As,
    release: Release,
    stage: Annotated[int, typer.Option(help="Number of the stage that is to open, from 1.", min=1, max=2**31 - 1)],
    reason: Annotated[str, typer.Option(help="Why now, in your own words.")] = "",
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Open the next stage of the live release, as far as people approved it."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import rollout

        person, secret = signing(plane, actor, passphrase_file)
        made = rollout.open_stage(
            plane, person, channel=channel, release=release, stage=stage, reason=reason, passphrase=secret
        )
        answer(made, as_json=as_json, text=said(made))


@app.command("halt")
def halt(
    *,
    actor: As,
    release: Release,
    reason: Annotated[str, typer.Option(help="Why, in your own words.")],
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Let no further device adopt the live release; to go on takes another release."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import rollout

        person, secret = signing(plane, actor, passphrase_file)
        made = rollout.halt(plane, person, channel=channel, release=release, reason=reason, passphrase=secret)
        answer(made, as_json=as_json, text=said(made))


def said(one: Staged | StagedThere) -> str:
    """Return it as a sentence, with the command that opens the next stage."""
    what = f"release {one.release} on {one.channel}"
    if len(one.stages) == 1:
        return f"{what} goes to every device at once"
    stages = ", ".join(f"{percent} %" for percent in one.stages)
    how = "was halted at" if one.halted else "is at"
    last = one.stage == len(one.stages) or one.halted
    following = "" if last else f"; next: mentorplane rollout open --release {one.release} --stage {one.stage + 1}"
    return f"{what} {how} stage {one.stage} of {stages}: {one.percent} % of devices{following}"
