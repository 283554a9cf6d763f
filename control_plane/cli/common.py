"""What the commands share: options, opening the home, passphrases, answers for people and machines, exit codes.

Promises: a passphrase comes from a file, the environment or a prompt, never from an argument; an error is one line on
stderr, with its hint, and the exit code of its kind; with --json it is one object on stdout as well.
Heavy imports happen inside, so that help is quick.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from edge_runtime.core.errors import InvalidDocument, MentorplaneError

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane

__all__ = [
    "ActingRole",
    "Channel",
    "CodeFile",
    "Home",
    "Json",
    "Number",
    "PassphraseFile",
    "Reason",
    "Ticket",
    "answer",
    "codes",
    "exit_codes",
    "opened",
    "passphrase",
    "texts_of",
    "token",
]

DONE, FAILED, REFUSED, INVALID = 0, 1, 2, 3

Home: TypeAlias = Annotated[Path, typer.Option("--home", help="The server's home.", envvar="MENTORPLANE_HOME")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Channel: TypeAlias = Annotated[
    str, typer.Option("--channel", help="The channel; without it the usual one.", show_default=False)
]
PassphraseFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File with the passphrase; else MENTORPLANE_PASSPHRASE or a question."),
]
CodeFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--code-file", help="File with the codes that you were handed; else MENTORPLANE_CODE or a question."),
]
Number: TypeAlias = Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)]
Reason: TypeAlias = Annotated[str, typer.Option(help="Why, in your own words.")]
Ticket: TypeAlias = Annotated[str, typer.Option(help="Reference to the request, such as a case number.")]
ActingRole: TypeAlias = Annotated[str, typer.Option("--role", help="Role in which you act, if several of yours fit.")]
DEFAULT_HOME = Path(".mentorplane")


@contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """Turn the errors of the use cases into one line on stderr, an exit code, and JSON if it was asked for."""
    try:
        yield
    except MentorplaneError as error:
        typer.echo(f"error: {error}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        if as_json:
            answer(_as_json(error), as_json=True, text="")
        sys.exit(_code(error))


def _as_json(error: MentorplaneError) -> dict[str, Any]:
    problems = getattr(error, "problems", ())  # those of a `SourceError`, without importing what reads YAML
    where = [{"file": problem.path, "line": problem.line} for problem in problems]
    return {"error": str(error), "hint": error.hint} | ({"where": where} if where else {})


def _code(error: MentorplaneError) -> int:
    from control_plane.errors import Conflict, NotFound, Refused

    if isinstance(error, Refused | Conflict):
        return REFUSED
    return INVALID if isinstance(error, InvalidDocument | NotFound) else FAILED


@contextmanager
def opened(home: Path, *, as_json: bool) -> Iterator[ControlPlane]:
    """Open the control plane of a home that exists, and close it; errors become exit codes."""
    with exit_codes(as_json=as_json):
        from audit.acts import Client
        from control_plane.plane import open_plane
        from control_plane.settings import load_settings

        if not (home / "keys").is_dir():  # only `serve` and `seed` make a home: a mistyped one must not become one
            raise InvalidDocument(
                f"expected the home of a server at {home}, got a folder without one", hint="mentorplane seed makes one"
            )
        plane = dataclasses.replace(open_plane(load_settings(home, os.environ)), client=Client.CLI)
        try:
            yield plane
        finally:
            plane.close()


def passphrase(file: Path | None) -> str:
    """Return the passphrase from a file, the environment or a question, in this order."""
    return _secret("passphrase", file)


def codes(file: Path | None) -> str:
    """Return the codes that somebody was handed, with blanks between them, from where a passphrase may come from."""
    return _secret("code", file)


def token(file: Path | None) -> str:
    """Return an API token from where a passphrase may come from."""
    return _secret("token", file).strip()


def _secret(what: str, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidDocument(f"expected a {what} file that can be read, got another") from error
    name = f"MENTORPLANE_{what.upper()}"
    given = os.environ.get(name)
    if given is None and not sys.stdin.isatty():
        raise InvalidDocument(
            f"expected a {what}, got none and no terminal to ask on", hint=f"give --{what}-file or {name}"
        )
    return given if given is not None else str(typer.prompt(what.capitalize(), hide_input=True, err=True))


def texts_of(files: Iterable[Path]) -> dict[str, str]:
    """Return the texts of files by their paths."""
    try:
        return {file.as_posix(): file.read_bytes().decode() for file in files}
    except UnicodeDecodeError as error:
        raise InvalidDocument("expected files of UTF-8 text, got another") from error


def answer(value: object, *, as_json: bool, text: str) -> None:
    """Print `value` as JSON, or the text that says it to people."""
    if as_json:
        typer.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))
    elif text:
        typer.echo(text)


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else value
