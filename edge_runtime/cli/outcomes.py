"""What the commands of `edge` share: options that mean the same everywhere, and errors as one line and an exit code.

Promises: messages quote no content. Does not: know a command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted

__all__ = [
    "DEFAULT_HOME",
    "HomeOption",
    "JsonOption",
    "NameOption",
    "TermOption",
    "exit_codes",
    "source_token",
    "why",
]

DEFAULT_HOME = Path("coach-home")
HomeOption = Annotated[Path, typer.Option("--home", envvar="MENTORPLANE_EDGE_HOME", help="This device's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
NameOption = Annotated[list[str], typer.Option("--name", help="A person's name to cover; may be repeated.")]
TermOption = Annotated[list[str], typer.Option("--term", help="Another word to cover; may be repeated.")]


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn our errors into one line on standard error and an exit code."""
    try:
        yield
    except MentorplaneError as error:
        prefix = f"{error.check}: " if isinstance(error, NotTrusted) else ""
        typer.echo(f"error: {prefix}{error}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        code = 2 if isinstance(error, NotTrusted) else 3 if isinstance(error, InvalidDocument) else 1
        raise typer.Exit(code) from error
    except OSError as error:
        typer.echo(f"error: expected a file or address that can be used, got {why(error)}", err=True)
        raise typer.Exit(1) from error


def source_token(source: str | None) -> tuple[str, str]:
    """Return the app's token for a private channel and its header, from the environment: all see arguments."""
    token = os.environ.get("MENTORPLANE_SOURCE_TOKEN", "") if source else ""
    return token, os.environ.get("MENTORPLANE_SOURCE_HEADER") or "Authorization"


def why(error: Exception) -> str:
    """Return what went wrong, in words that quote no content."""
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
