"""`mentorplane edge evidence FILE`: hand the evidence of a fork of the log to somebody outside.

Promises: what is written verifies with the log's key and without this device. Does not: send it anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, exit_codes

__all__ = ["evidence"]


def evidence(
    file: Annotated[Path, typer.Argument(help="Where to write it; by custom it ends in .log-fork.")],
    home: HomeOption = DEFAULT_HOME,
    number: Annotated[int, typer.Option("--number", help="Which one, if there are several; 1 is the oldest.")] = 1,
) -> None:
    """Write the evidence of a fork of the log to a file for somebody outside. Exit code 2: there is none."""
    from edge_runtime.home import Home

    with exit_codes():
        kept = Home(home).load_evidence() if home.is_dir() else ()
        if not 1 <= number <= len(kept):
            typer.echo(f"error: expected evidence number {number}, got {len(kept)} kept on this device", err=True)
            raise typer.Exit(2)
        file.write_bytes(kept[number - 1])
    typer.echo(f"wrote evidence {number} of {len(kept)}; check it with: python -m audit verify {file} --vkey LOG-KEY")
