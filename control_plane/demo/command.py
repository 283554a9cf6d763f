"""`mentorplane demo`: the journey as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.core.errors import InvalidDocument, MentorplaneError

__all__ = ["demo"]


def demo(
    note: Annotated[
        Path | None,
        typer.Option("--note", help="A UTF-8 text to run instead of the built-in note; the first 20,000 characters."),
    ] = None,
    names: Annotated[list[str], typer.Option("--name", help="A person's name in the note; may be repeated.")] = [],
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Walk the whole way from a proposed change to a verified log, each step one line with what was verified.

    Needs no server.
    """
    from control_plane.demo.journey import print_json, run

    try:
        facts = run(note, names=tuple(names), say=lambda step, line: typer.echo(f"{step:<9} {line}"))
    except InvalidDocument as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(3) from error
    except MentorplaneError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(print_json(facts) if as_json else f"{'done':<9} every step held, in {facts['seconds']} s")
