"""Where commands act: a server over HTTP, or a home on this machine; they say what they do once, to one client.

`reading` and `acting` make a command of a function whose first parameter is a `Desk`, and give it the options that all
of them share: `--server` with its token, `--home` with `--as`, `--json`. At a server the token says who acts. At a home
the same calls go to the same routes inside this process (see `api.inside`), so both ways answer alike.
The server's address comes from `--server` or MENTORPLANE_SERVER, the token from a file, from MENTORPLANE_TOKEN, or from
where `mentorplane login` keeps it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, exit_codes, opened, passphrase, token
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client import Client
    from control_plane.client.api import Operations
    from control_plane.plane import ControlPlane

__all__ = [
    "Author",
    "Desk",
    "Server",
    "TokenFile",
    "acting",
    "dressed",
    "open_desk",
    "options_of",
    "reading",
    "server_client",
    "unsigned_in",
]

P = ParamSpec("P")
Server: TypeAlias = Annotated[
    str, typer.Option("--server", help="Address of a server; without it a home is used.", envvar="MENTORPLANE_SERVER")
]
TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with an API token for the server; else MENTORPLANE_TOKEN, or your login."),
]
Author: TypeAlias = Annotated[
    str, typer.Option("--as", help="Login or id of who acts, for a home; a server knows it by the token.")
]


@dataclass(frozen=True, slots=True)
class Desk:
    """A server or a home, as the person who acts meets it; `place` is its address, for proofs that one is here."""

    client: Operations
    place: str
    as_json: bool
    named: bool = True
    plane: ControlPlane | None = None

    def at_home(self) -> ControlPlane:
        """Return the home's own, for what only its machine does. Raises: InvalidDocument: a server was asked."""
        if self.plane is None:
            raise InvalidDocument("expected --home, got a server", hint="a running server does this by itself")
        return self.plane

    def require_name(self) -> None:
        """Refuse an act of nobody. Raises: InvalidDocument: a home was not told who acts."""
        if not self.named:
            raise InvalidDocument(
                "expected --as, the login or id of who acts, got none", hint="a server, --server, knows it by the token"
            )

    def answer(self, value: object, text: str) -> None:
        """Print what came of it, as JSON if that was asked for."""
        answer(value, as_json=self.as_json, text=text)

    def logins(self) -> dict[str, str]:
        """Return everybody's login by their id."""
        return {one.id: one.login for one in self.client.people.everybody()}

    def person(self, login_or_id: str, *, among: Mapping[str, str] | None = None) -> str:
        """Return somebody's id; `among` are all logins, if they are known already.

        Raises:
            NotFound: there is no such person.
        """
        from control_plane.errors import NotFound

        everybody = self.logins() if among is None else among
        found = next((one for one, login in everybody.items() if login_or_id in {one, login}), None)
        if found is None:
            raise NotFound("expected the login or id of a person, got another")
        return found

    @property
    def name(self) -> str:
        """How the lock file of a folder names it."""
        return f"home:{self.plane.organisation}" if self.plane else self.place

    def present(self, key: Path | None, secret: Path | None, *, purpose: str) -> dict[str, Any]:
        """Return what shows that somebody is here, as a call takes it: a passphrase, or a proof by their own key."""
        if key is None:
            return {"passphrase": passphrase(secret)}
        from control_plane.cli.proving import proving

        return {"proof": proving(key, secret, purpose=purpose, server=self.place)}


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a command asks of whoever acts: at a server a token, at a home to be named."""

    token: bool = True
    name: bool = False


def _command(needs: _Needs, function: Callable[Concatenate[Desk, P], None]) -> Callable[..., None]:
    """Return the command that opens the desk and hands it to the function; its options are those of both."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()

    def command(**given: Any) -> None:
        shared = {name: given.pop(name) for name in _SHARED}
        with open_desk(needs, given.get("key"), **shared) as desk:
            function(desk, **given)  # type: ignore[call-arg]

    return dressed(command, function, [*own, *_SHARED.values()])


def dressed(
    command: Callable[..., None], function: Callable[..., None], parameters: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """Return the command under the function's name and help, with these parameters, all of them by name."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(command, name, getattr(function, name))
    named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    command.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in named}
    return command


def options_of(opener: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function that come by name alone, by their names."""
    parameters = inspect.signature(opener, eval_str=True).parameters
    return {name: one for name, one in parameters.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


@contextmanager
def open_desk(
    needs: _Needs = _Needs(),
    key: Path | None = None,
    *,
    as_: Author = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> Iterator[Desk]:
    """Open the server or the home that the options name; errors become exit codes.

    Whoever signs with their own key is named by it.
    """
    if server:
        with exit_codes(as_json=as_json), server_client(server, token_file, needed=needs.token) as client:
            yield Desk(client, client.url, as_json)
        return
    with opened(home, as_json=as_json) as plane:
        from control_plane import ledger
        from control_plane.accounts import people
        from control_plane.api.inside import PLACE, Inside
        from control_plane.client.api import Operations
        from control_plane.scopes import Acting

        if key is not None and not as_:
            from control_plane.custody.keyfile import load_key

            as_ = load_key(key).person
        person = people.find_person(plane, as_).id if as_ else ledger.SYSTEM
        inside = Inside(replace(plane, acting=Acting(person)))
        place = plane.settings.public_url or PLACE
        desk = Desk(Operations(inside), place, as_json, named=bool(as_), plane=plane)
        if needs.name:
            desk.require_name()
        yield desk


_SHARED = options_of(open_desk)
reading = partial(_command, _Needs())
"""Make a command that anybody may read with; at a home without `--as` the installation itself reads."""
acting = partial(_command, _Needs(name=True))
"""Make a command of what somebody does, or sees of their own."""
unsigned_in = partial(_command, _Needs(token=False))
"""Make a command for somebody who has a code and no token yet."""


def server_client(server: str, token_file: Path | None, *, needed: bool = True) -> Client:
    """Return a client of a server, with the token from a file, the environment, or where `login` keeps it."""
    from control_plane.cli.logins import kept
    from control_plane.client import Client, Options

    address = server.rstrip("/")
    given = token(token_file) if token_file else os.environ.get("MENTORPLANE_TOKEN") or kept(address).token
    if not given and needed:
        raise InvalidDocument(
            "expected a token, got none", hint="`mentorplane login`, or give --token-file or MENTORPLANE_TOKEN"
        )
    return Client(Options(address, given))
