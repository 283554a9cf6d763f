"""`mentorplane prompt list`, `show` and `diff`: what is live, and how it changed."""

from __future__ import annotations

from typing import Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Channel, Home, Json, answer, opened

__all__ = ["app"]

app = typer.Typer(help="The live prompts.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a live prompt, policy or set of rules.")]


@app.command("list")
def list_prompts(*, channel: Channel = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the live prompts and hand-offs."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import queries

        found = queries.list_prompts(plane, channel=channel)
        lines = (
            f"{one.name:32} {one.tier} {one.placement:8} version {one.epoch}" + ("  withdrawn" if one.withdrawn else "")
            for one in found
        )
        answer(found, as_json=as_json, text="\n".join(lines))


@app.command()
def show(name: Name, *, channel: Channel = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show a live entry as its author wrote it, with its versions."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import queries

        found = queries.show_prompt(plane, name, channel=channel)
        versions = (f"# version {v.epoch} in release {v.release}: {v.digest}" for v in found.history)
        answer(found, as_json=as_json, text="\n".join((*versions, found.source.rstrip())))


@app.command()
def diff(
    name: Name,
    *,
    before: Annotated[str | None, typer.Option(help="Digest of the older version.")] = None,
    after: Annotated[str | None, typer.Option(help="Digest of the newer version.")] = None,
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions, word by word."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import queries
        from control_plane.registry.diffs import as_text

        found = queries.diff_prompt(plane, name, before=before, after=after, channel=channel)
        versions = queries.show_prompt(plane, name, channel=channel).history
        only = not before and not after and len(versions) == 1
        text = f"{name} has one version only: nothing to compare it with" if only else as_text(found).rstrip()
        answer(found, as_json=as_json, text=text)
