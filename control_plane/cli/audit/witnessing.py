"""`mentorplane audit witness`: run a witness of somebody's log; the program is `audit.commands.witness`."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["witness"]


def witness(
    *,
    home: Annotated[Path, typer.Option(help="Folder of this witness, its own: not the home of a server.")],
    log: Annotated[list[str], typer.Option(help="Public key of a log to witness; repeatable.")] = [],
    logs: Annotated[Path | None, typer.Option(help="File with further log keys, one a line.")] = None,
    name: Annotated[str, typer.Option(help="Name of the witness, on its first start.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65_535)] = 8645,
) -> None:
    """Cosign the checkpoints of a log that only grows, on a machine that its operator does not run.

    Prints the witness's public key when it starts. See docs/witness.md.

    Needs no server.
    """
    from audit.commands import witness as witness_command

    sys.exit(witness_command.run(Namespace(home=home, log=log, logs=logs, name=name, host=host, port=port)))
