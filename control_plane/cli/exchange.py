"""`mentorplane import` and `mentorplane export`: scripts from and to the files of others, with a loss report.

An import makes files, or a proposal that takes the way of every other; it approves nothing.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Channel, Home, Json, PassphraseFile, answer, passphrase
from control_plane.cli.desk import Author, Server, TokenFile, open_desk
from control_plane.cli.sync import registry_of
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.exchange.carrying import Carried

__all__ = ["As", "export", "import_files"]


class As(StrEnum):
    """The formats that a script goes out in."""

    DOTPROMPT = "dotprompt"
    PROMPTY = "prompty"


def import_files(
    files: Annotated[list[Path], typer.Argument(help="Files that end with .prompty or .prompt.", exists=True)],
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder for the YAML files.", file_okay=False)] = Path(),
    propose: Annotated[bool, typer.Option("--propose", help="Make one proposal instead of files.")] = False,
    title: Annotated[str, typer.Option(help="What the proposal is, in a line.")] = "",
    actor: Author = "",
    channel: Channel = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Import Prompty and Dotprompt files as YAML or as a proposal, with a line for each thing that was lost."""
    from control_plane.cli.common import exit_codes

    with exit_codes(as_json=as_json):
        made = _imported(files)
        if not propose:
            _write(made, into)
            answer(made, as_json=as_json, text=_said(made, into))
            return
    with open_desk(as_=actor, server=server, token_file=token_file, home=home, as_json=as_json) as desk:
        from control_plane.sync.records import Change
        from control_plane.sync.registry import ClientRegistry

        desk.require_name()
        registry = ClientRegistry(desk.client, desk.name, lambda: passphrase(passphrase_file))
        live = registry.snapshot(channel)
        change = Change(live.channel, live.manifest, {f"scripts/{one.path}": one.text for one in made}, (), title)
        done = registry.propose(change)
        lines = [_losses(made), f"proposal {done.number}, revision {done.revision}, {done.state}: {done.manifest}"]
        desk.answer({"proposal": done, "files": made}, "\n".join(filter(None, lines)))


def export(
    name: Annotated[str, typer.Argument(help="Name of a live script.")],
    *,
    form: Annotated[As, typer.Option("--as", help="The format.")],
    into: Annotated[Path, typer.Option("--into", help="Folder for the file.", file_okay=False)] = Path(),
    channel: Channel = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Export a live script as a Prompty or Dotprompt file, with a line for each thing that it cannot hold there."""
    with open_desk(server=server, token_file=token_file, home=home, as_json=as_json) as desk:
        from control_plane.errors import NotFound
        from control_plane.exchange.carrying import FORMATS, KINDS, export_script
        from control_plane.sources.parsing import parse_source

        live = registry_of(desk).snapshot(channel).sources
        sources = [parse_source(one.text.encode(), one.path) for one in live if one.kind in {*KINDS, "include"}]
        found = next((one for one in sources if one.kind in KINDS and one.name == name), None)
        if found is None:
            raise NotFound(
                "expected the name of a live script, got another", hint="`mentorplane library list` names them"
            )
        made = [export_script(found, sources, FORMATS[form.value])]
        _write(made, into)
        desk.answer(made, _said(made, into))


def _imported(files: list[Path]) -> list[Carried]:
    from datetime import UTC, datetime

    from control_plane.exchange.carrying import import_script
    from control_plane.sources.strict_yaml import MAX_BYTES

    made = []
    for file in files:
        with file.open("rb") as stream:
            made.append(import_script(stream.read(MAX_BYTES + 1), file.name, today=datetime.now(UTC).date()))
    if len({one.path for one in made}) != len(made):
        raise InvalidDocument("expected a name of its own for each script, got the same one twice")
    return made


def _write(made: list[Carried], into: Path) -> None:
    """Write files that are not there yet, or are there just so.

    Raises:
        InvalidDocument: another file has the name; nothing is written.
    """
    from control_plane.files import write_atomic

    for one in made:
        there = into / one.path
        if there.is_symlink() or (there.exists() and there.read_bytes() != one.text.encode()):
            raise InvalidDocument(f"expected {one.path} to be free, got a file of that name", hint="give --into")
    for one in made:
        write_atomic(into / one.path, one.text.encode())


def _losses(made: list[Carried]) -> str:
    return "\n".join(str(loss) for one in made for loss in one.losses)


def _said(made: list[Carried], into: Path) -> str:
    wrote = "\n".join(f"wrote {(into / one.path).as_posix()}" for one in made)
    return "\n".join(filter(None, [_losses(made), wrote]))
