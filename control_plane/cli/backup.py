"""`mentorplane backup`, `backup verify` and `restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, exit_codes, opened
from edge_runtime.core.errors import InvalidDocument

__all__ = ["app", "restore"]

app = typer.Typer(help="Backups of the whole registry, made while the server runs.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]
KeysFile = Annotated[
    Path | None, typer.Option("--keys-passphrase-file", help="File with the passphrase for the keys in the backup.")
]
Seen = Annotated[Path | None, typer.Option("--seen", help="A signed checkpoint that a witness or a device kept.")]


def _read(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidDocument(f"expected a file that can be read, got: {error.strerror}") from error


def _secret(file: Path | None) -> str:
    try:
        return _read(file).decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidDocument("expected a passphrase file in UTF-8, got another") from error


@app.command("make")
def make(
    target: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A file that is not there yet, or a folder.")],
    *,
    keys_passphrase_file: KeysFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Write a backup; with a passphrase the server's keys are in it, encrypted. Runs on the server's machine."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.backup import making

        made = making.make(plane, target, passphrase=_secret(keys_passphrase_file))
        keys = "with the keys, encrypted" if made.keys else "without the keys: keep a copy of keys/ elsewhere"
        text = f"{made.path}\n{made.rows} rows, {made.entries} entries of the log, {keys}\nroot {made.root}"
        answer(made, as_json=as_json, text=text)


@app.command("verify")
def verify(
    file: File,
    *,
    seen: Seen = None,
    log_key: Annotated[str, typer.Option("--log-key", help="The log's verifier key, to open the checkpoint.")] = "",
    as_json: Json = False,
) -> None:
    """Verify that a backup is whole, and its log from the first entry to the last. Needs no server."""
    with exit_codes(as_json=as_json):
        from audit.errors import AuditError
        from audit.note import parse_vkey
        from control_plane.backup.archive import Reader
        from control_plane.backup.verifying import verify as verified

        try:
            log = parse_vkey(log_key) if log_key else None
        except AuditError as error:
            raise InvalidDocument(f"expected a verifier key: {error}") from error
        with Reader(file) as reader:
            found = verified(reader, seen=_read(seen), log=log)
        lines = [
            f"verified: {found.rows} rows, {found.entries} entries of the log, of {found.at}",
            f"root {found.root}",
        ]
        if found.behind:
            lines.append(f"older than the checkpoint that was seen: {found.behind} entries were made since")
        answer(found, as_json=as_json, text="\n".join(lines))


def restore(
    file: File,
    *,
    keys_passphrase_file: KeysFile = None,
    seen: Seen = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty home and database, of either kind. Runs on the server's machine."""
    with exit_codes(as_json=as_json):
        from control_plane.backup.restoring import restore as restored
        from control_plane.settings import load_settings

        settings = load_settings(home, os.environ)
        done = restored(settings, file, passphrase=_secret(keys_passphrase_file), seen=_read(seen))
        lines = [
            f"restored: {done.backup.rows} rows, {done.backup.entries} entries of the log, of {done.backup.at}",
            f"put back from published files: {done.brought_back} entries; erased again: {done.erased} keys",
        ]
        if done.behind:
            lines.append(
                f"older than what was seen: {done.behind} entries are missing. Do not act on it: find a newer one"
            )
        answer(done, as_json=as_json, text="\n".join([*lines, *done.lost]))
