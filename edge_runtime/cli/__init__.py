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


def build(word: str = "") -> typer.Typer:
    """Return the root command with the commands of every part that is installed, or what `word` names of them alone.

    Typer makes a parser of each command that it knows, which for all of them takes longer than most commands do.
    """
    root = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    points = {point.name: point for point in entry_points(group=GROUP)}
    missing: list[tuple[str, str]] = []
    parts: dict[str, typer.Typer] = {}
    for name in [word] if word in points.keys() - {TOP} else sorted(points):
        try:
            parts[name] = points[name].load()
        except ImportError as error:
            missing.append((name, error.name or "a package"))
    if TOP in parts and (named := _named(parts[TOP], word)) is not None:
        parts = {TOP: named}
    for name, part in parts.items():
        if name == TOP:
            root.add_typer(part)
        else:
            root.add_typer(part, name=name)
    if missing:
        root.info.epilog = "Not installed: the server's commands (pip install 'mentorplane[server]')."
    return root


def _named(part: typer.Typer, word: str) -> typer.Typer | None:
    """Return what a word names of the commands of a part; None if it names none."""
    found = typer.Typer()
    found.registered_commands = [one for one in part.registered_commands if one.name == word]
    found.registered_groups = [one for one in part.registered_groups if one.name == word]
    return found if found.registered_commands or found.registered_groups else None


def main() -> None:
    """Run the command line; the entry point of `mentorplane`."""
    try:
        code = build(*sys.argv[1:2])(standalone_mode=False)  # a `typer.Exit` comes back as its code
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
