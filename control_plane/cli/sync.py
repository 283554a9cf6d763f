"""`mentorplane sync`: a folder of YAML in step with a registry, a home on this machine or a server.

The server's address comes from `--server` or MENTORPLANE_SERVER and never from the lock file: a lock that somebody
changed must not send a token anywhere. The token comes from a file or from MENTORPLANE_TOKEN.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from control_plane.cli.common import (
    DEFAULT_HOME,
    REFUSED,
    Channel,
    Home,
    Json,
    PassphraseFile,
    answer,
    exit_codes,
    opened,
    passphrase,
)
from control_plane.cli.desk import Author, Server, TokenFile, server_client
from control_plane.cli.key import DEVICE, TRUST, Device, KeyFile, OwnKey, Source, Trust, Yes, signing_here
from edge_runtime.core.errors import MentorplaneError

if TYPE_CHECKING:
    from control_plane.sync.comparing import Status
    from control_plane.sync.records import Registry, Signing

__all__ = ["Where", "app", "registry_of"]

app = typer.Typer(
    help="Keep a folder of YAML in step with the registry, for authors who work in Git.", no_args_is_help=True
)

Folder: TypeAlias = Annotated[Path, typer.Argument(help="The folder.", file_okay=False)]


@app.command()
def pull(
    folder: Folder,
    *,
    channel: Channel = "",
    merge: Annotated[bool, typer.Option("--merge", help="Merge texts whose changes touch different lines.")] = False,
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Write what is live into the folder, just as it was authored; refuse if something changed on both sides."""
    with registry_of(Where(server, token_file, home), as_json=as_json) as registry, _reported():
        from control_plane.sync.pulling import pull as pulling

        done = pulling(registry, folder, channel=channel, merging=merge)
        lines = [f"wrote {path}" for path in done.written] + [f"removed {path}" for path in done.removed]
        lines += [f"merged {path}" for path in done.merged] + [f"kept your change of {path}" for path in done.kept]
        lines.append(f"{done.channel}, release {done.release}")
        answer(done, as_json=as_json, text="\n".join(lines))


@app.command()
def status(
    folder: Folder,
    *,
    channel: Channel = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Say what is added, changed or removed here, what is behind, and what conflicts, which answers no."""
    with registry_of(Where(server, token_file, home), as_json=as_json) as registry:
        from control_plane.registry.strict_yaml import SourceError
        from control_plane.sync.pulling import compared

        found = compared(registry, folder, channel)
        answer(found.status, as_json=as_json, text=_status_text(found.status))
        if found.here.problems:
            raise SourceError(found.here.problems)
    if found.status.of("conflicting"):
        sys.exit(REFUSED)


@app.command()
def push(
    folder: Folder,
    *,
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    draft: Annotated[
        bool, typer.Option("--draft", help="Save a draft, which nobody has signed, instead of proposing.")
    ] = False,
    edit: Annotated[int, typer.Option(help="Edit this proposal instead of making a new one.", min=0)] = 0,
    actor: Author = "",
    channel: Channel = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    source: Source = "",
    trust: Trust = TRUST,
    device: Device = DEVICE,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make one proposal of what changed in the folder since it was pulled; with --key your own key signs it here."""
    where = Where(server, token_file, home, actor, passphrase_file, OwnKey(key, source, trust, device, yes=yes))
    with registry_of(where, as_json=as_json) as registry, _reported():
        from control_plane.sync.pushing import push as pushing

        made, change = pushing(registry, folder, title=title, channel=channel, draft=draft, edit=edit)
        lines = [f"  {path}" for path in sorted(change.files)]
        lines += [f"  {kind} {name} goes" for kind, name in sorted(change.remove)]
        said = f"proposal {made.number}, revision {made.revision}, {made.state}: {made.manifest}"
        said = f"draft {made.number}, version {made.revision}" if draft else said
        answer(made, as_json=as_json, text="\n".join([said, *lines]))


@app.command()
def check(folder: Folder, *, as_json: Json = False) -> None:
    """Check a folder with the server's own functions, and run its golden cases: no server is needed."""
    with exit_codes(as_json=as_json):
        from control_plane.sync.checking import check_folder

        found = check_folder(folder)
        said = f"{found.sources} sources and {found.cases} cases: "
        said += f"{len(found.problems)} problems" if found.problems else "all as they must be"
        answer(found, as_json=as_json, text="\n".join([*found.problems, said]))
    if found.problems:
        sys.exit(REFUSED)


@dataclass(frozen=True, slots=True)
class Where:
    """Where the registry is, and who acts."""

    server: str
    token_file: Path | None
    home: Path
    actor: str = ""
    passphrase_file: Path | None = None
    own: OwnKey | None = None


@contextmanager
def registry_of(where: Where, *, as_json: bool) -> Iterator[Registry]:
    """Open the registry that the options name; errors become exit codes."""
    if where.server:
        with exit_codes(as_json=as_json):
            from control_plane.sync.server import ServerRegistry

            _, sign = _own(where)
            with server_client(where.server, where.token_file) as client:
                yield ServerRegistry(client, lambda: passphrase(where.passphrase_file), sign)
        return
    with opened(where.home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.sync.home import HomeRegistry

        owner, sign = _own(where)
        person = people.find_person(plane, where.actor).id if where.actor else owner
        yield HomeRegistry(plane, person, lambda: passphrase(where.passphrase_file), sign)


def _own(where: Where) -> tuple[str, Signing | None]:
    """Return whose own key signs, and what signs with it; nobody's if no key is named."""
    if where.own is None or where.own.file is None:
        return "", None
    return where.own.load().person, signing_here(where.own, where.passphrase_file)


@contextmanager
def _reported() -> Iterator[None]:
    """Show both sides of a conflict before the error that says so."""
    try:
        yield
    except MentorplaneError as error:
        report = getattr(error, "report", "")
        if report:
            typer.echo(report, err=True)
        raise


def _status_text(found: Status) -> str:
    lines = [f"{one.state:11} {one.path}" for one in found.differences]
    behind = "" if found.pulled == found.live else f", pulled from release {found.pulled}"
    count = len(found.differences)
    said = "in step" if not count else f"{count} difference{'s' * (count > 1)}"
    return "\n".join([*lines, f"{found.channel}, release {found.live}{behind}: {said}"])
