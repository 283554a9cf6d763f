"""The command `mentorplane`: finds the commands of every installed part and hands over.

Each part brings its commands as an entry point of the group `mentorplane.commands`: `edge` (always there), `audit`
and `server` (extra `[server]`). `server`'s commands stand at the top; the others are nouns: `mentorplane edge …`.
Exit codes: 0 done, 1 failed, 2 refused or answered no, 3 invalid input.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any

import typer

__all__ = ["main"]

GROUP = "mentorplane.commands"
_USAGE_ERROR: Any = typer.BadParameter.__base__  # click's UsageError, of the click that typer carries within itself
TOP = "server"
HELP = "A hybrid prompt control plane for coaching assistants: approved prompts, verified on the device."


def build() -> typer.Typer:
    """Return the root command with the commands of every part that is installed."""
    root = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    missing = []
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        try:
            part = point.load()
        except ImportError as error:
            missing.append((point.name, error.name or "a package"))
            continue
        if point.name == TOP:
            root.add_typer(part)
        else:
            root.add_typer(part, name=point.name)
    if missing:
        root.info.epilog = "Not installed: the server's commands (pip install 'mentorplane[server]')."
    return root


def main() -> None:
    """Run the command line; the entry point of `mentorplane`."""
    try:
        code = build()(standalone_mode=False)  # a `typer.Exit` comes back as its code
    except ModuleNotFoundError as error:
        typer.echo(f"error: expected the package {error.name!r} to be installed, got none", err=True)
        typer.echo("hint: pip install 'mentorplane[server]'", err=True)
        sys.exit(1)
    except _USAGE_ERROR as error:
        error.show()
        sys.exit(3)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
