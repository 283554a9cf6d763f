"""`mentorplane login` and `logout`: a token for a server, kept for one's further commands.

Kept in `mentorplane/logins.json` below XDG_CONFIG_HOME, or ~/.config: by the server's address, readable by its owner
alone. Promises: no passphrase is kept, and neither it nor a token is ever an argument; what others can read is not
used; a token that `login` got is revoked when another takes its place; of two commands that write at once, one waits.
Does not: keep a token for pages (see `sessions`).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from control_plane.cli.common import Json, PassphraseFile, answer, exit_codes, passphrase, token
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["Kept", "kept", "login", "logout"]

LOCK_S = 10.0
Server = Annotated[str, typer.Option("--server", help="The server's address.", envvar="MENTORPLANE_SERVER")]


@dataclass(frozen=True, slots=True)
class Kept:
    """A token that is kept, "" for none; `id` is what to revoke when its holder logs out, "" for one they brought."""

    token: str = field(default="", repr=False)
    id: str = ""


def kept(address: str) -> Kept:
    """Return what is kept for a server.

    Raises:
        InvalidDocument: the file is another, or others can read it.
        Unavailable: it cannot be read.
    """
    return _load().get(address, Kept())


def login(
    who: Annotated[str, typer.Argument(metavar="LOGIN", help="Your login; a key or a token says it itself.")] = "",
    *,
    server: Server,
    key: Annotated[Path | None, typer.Option("--key", help="Show who you are with your own key in this file.")] = None,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Keep a token that you have, instead of getting one.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with that token; else MENTORPLANE_TOKEN or a question.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="Write the token to this new file, for you alone, and keep none.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Log in to a server for a working day, by passphrase or own key, or for as long as a token of yours is good."""
    with exit_codes(as_json=as_json):
        from control_plane.client import Client, Options

        if bool(who) + bool(key) + with_token != 1:
            raise InvalidDocument("expected either your login, or --key, or --with-token")
        address = server.rstrip("/")
        if with_token:
            given = token(token_file)
            with Client(Options(address, given)) as client:
                person = client.people.me()
            _revoke(address, _keep(address, Kept(given)))
            answer(person, as_json=as_json, text=f"logged in as {person.login} at {address}")
            return
        with Client(Options(address, "")) as client:
            made = client.tokens.log_in(**_shown(who, key, passphrase_file, address=address))
        if into is not None:
            from control_plane.custody.keyfile import write_secret

            write_secret(into, made.text.encode() + b"\n")
        else:
            _revoke(address, _keep(address, Kept(made.text, made.token.id)))
        where = f"token in {into}" if into else f"logged in at {address}"
        answer(made.token, as_json=as_json, text=f"{where}, good until {made.token.expires_at:%Y-%m-%d %H:%M} UTC")


def logout(*, server: Server, as_json: Json = False) -> None:
    """Log out of a server: the token that `login` got is revoked, and none is kept; sessions in browsers go on."""
    with exit_codes(as_json=as_json):
        address = server.rstrip("/")
        was = kept(address)
        if not was.token:
            raise InvalidDocument("expected a server to which you are logged in, got another")
        _revoke(address, was)
        _keep(address, Kept(), only=was)
        text = f"logged out of {address}" + ("" if was.id else "; your token goes on: `token revoke` ends it")
        answer({"server": address, "revoked": bool(was.id)}, as_json=as_json, text=text)


def _revoke(address: str, was: Kept) -> None:
    """Revoke a token that `login` got; one that somebody brought goes on."""
    from control_plane.client import Client, Options
    from control_plane.errors import NotSignedIn

    if was.id:
        with Client(Options(address, was.token)) as client, suppress(NotSignedIn):  # it may be good no more
            client.tokens.revoke_token(was.id)


def _shown(who: str, key: Path | None, secret: Path | None, *, address: str) -> dict[str, Any]:
    """Return who logs in, and what shows it."""
    if key is None:
        return {"person": who, "passphrase": passphrase(secret)}
    from control_plane.cli.proving import proving
    from control_plane.custody.keyfile import load_key
    from control_plane.purposes import LOG_IN

    return {"person": load_key(key).person, "proof": proving(key, secret, purpose=LOG_IN, server=address)}


def _file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mentorplane" / "logins.json"


def _load() -> dict[str, Kept]:
    file = _file()
    try:
        data, mode = file.read_bytes(), file.stat().st_mode
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"expected to read {file}, got: {error.strerror}") from error
    if mode & 0o077:
        raise InvalidDocument(f"expected {file} to be readable by its owner alone, got one that others can read")
    try:
        return {str(address): Kept(**one) for address, one in json.loads(data).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected logins in {file}, got something else") from error


def _keep(address: str, made: Kept, *, only: Kept | None = None) -> Kept:
    """Keep a token for a server, or none, and return what was kept, another than the new one; `only` in place of that.

    Raises:
        Unavailable: another command holds the file.
    """
    from control_plane.files import write_atomic
    from edge_runtime.locks import give_back, take

    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = take(file.with_name(".logins.lock"), timeout_s=LOCK_S)
    if lock is None:
        raise Unavailable(f"expected to write {file}, got another command that does")
    try:
        held = _load()
        was = held.pop(address, Kept())
        if only not in {None, was}:
            return Kept()
        held |= {address: made} if made.token else {}
        data = json.dumps({name: asdict(one) for name, one in held.items()}, indent=2).encode() + b"\n"
        write_atomic(file, data, private=True)
        return Kept() if was.token == made.token else was
    finally:
        give_back(lock)
