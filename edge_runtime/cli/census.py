"""`mentorplane edge census`: what this device told once a day, and the person's preference.

Promises: what it prints as told is what left, whole. Does not: tell anything.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, JsonOption, exit_codes

__all__ = ["census"]


def census(
    home: HomeOption = DEFAULT_HOME,
    turn: Annotated[
        Literal["on", "off"] | None, typer.Option("--turn", help="Let this device be counted, or not.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what this device told last when it was counted, or turn being counted on or off."""
    from edge_runtime.census import Census
    from edge_runtime.core.counts import written
    from edge_runtime.home import Home, require_home

    with exit_codes():
        counted = Census(Home(require_home(home)), "")
        if turn is not None:
            counted.turn(on=turn == "on")
        kept, off = counted.kept(), counted.is_off
    last = [written(one) for one in kept.last] if kept else []
    document = {
        "off": off,
        "last": last,
        "waiting": len(kept.waiting) if kept else 0,
        "lost": kept.lost if kept else 0,
    }
    if as_json:
        typer.echo(json.dumps(document))
        return
    typer.echo(
        "this device is not counted" if off else "this device may be counted once a day, if its app and policy let"
    )
    for one in last:
        typer.echo(f"told last: {json.dumps(one)}")
    if not last:
        typer.echo("told nothing yet")
    if kept and (kept.waiting or kept.lost):
        typer.echo(f"{len(kept.waiting)} wait to be told, {kept.lost} were lost")
