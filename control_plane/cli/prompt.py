"""`mentorplane prompt list`, `diff` and `compatible`: what people are coached with, how it changed, what would break.

Everything that is live is listed and shown by `mentorplane library`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from control_plane.cli.common import REFUSED, Channel, texts_of
from control_plane.cli.desk import Desk, reading

__all__ = ["app"]

app = typer.Typer(help="Live prompts: how they changed, and what would break.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a live prompt, policy or set of rules.")]


@app.command("list")
@reading
def list_prompts(desk: Desk, *, channel: Channel = "") -> None:
    """List the live prompts and hand-off texts of a channel, with tier, and what is withdrawn."""
    found = tuple(desk.client.prompts.list(channel=channel))
    lines = [
        f"{one.kind:8} {one.name:32} {one.tier} {one.placement:8} {one.title}" + ", withdrawn" * one.withdrawn
        for one in found
    ]
    desk.answer(found, "\n".join(lines) or "nothing is live")


@app.command()
@reading
def diff(
    desk: Desk,
    name: Name,
    *,
    before: Annotated[str | None, typer.Option(help="Digest of the older version.")] = None,
    after: Annotated[str | None, typer.Option(help="Digest of the newer version.")] = None,
    channel: Channel = "",
) -> None:
    """Show what differs between two versions, word by word."""
    from control_plane.diffs.words import as_text

    found = desk.client.prompts.diff(name, before=before, after=after, channel=channel)
    versions = desk.client.prompts.get(name, channel=channel).history
    only = not before and not after and len(versions) == 1
    desk.answer(found, f"{name} has one version only: nothing to compare it with" if only else as_text(found).rstrip())


@app.command()
@reading
def compatible(
    desk: Desk,
    files: Annotated[list[Path], typer.Argument(help="YAML files of scripts.", exists=True, dir_okay=False)],
    *,
    mode: Annotated[str, typer.Option(help="Ask for this mode of compatibility instead of those that apply.")] = "",
    channel: Channel = "",
) -> None:
    """Say whether scripts would break callers or readers of their output; stores nothing, answers no if they would."""
    found = desk.client.compatibility.list(files=texts_of(files), channel=channel, mode=mode)
    lines = []
    for one in found:
        said = "compatible" if one.compatible else "breaks"
        lines.append(f"{one.name}: {said} ({', '.join(one.modes)}, {one.versions} earlier versions)")
        lines += [f"    {broken.direction}: {broken.sentence}" for broken in one.breaks]
    desk.answer(found, "\n".join(lines) or "no script among these files")
    if not all(one.compatible for one in found):
        sys.exit(REFUSED)
