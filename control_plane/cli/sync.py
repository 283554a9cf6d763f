"""`mentorplane sync`: a folder of YAML in step with a registry, a home on this machine or a server.

The server's address comes from `--server` or MENTORPLANE_SERVER and never from the lock file: a lock that somebody
changed must not send a token anywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from control_plane.cli.common import REFUSED, Channel, Json, answer, exit_codes, passphrase
from control_plane.cli.desk import Desk, reading
from control_plane.cli.key import signing_here
from control_plane.cli.pen import Pen, signing
from edge_runtime.core.errors import MentorplaneError

if TYPE_CHECKING:
    from control_plane.sync.comparing import Status
    from control_plane.sync.records import Registry

__all__ = ["app", "registry_of"]

app = typer.Typer(
    help="Keep a folder of YAML in step with the registry, for authors who work in Git.", no_args_is_help=True
)

Folder: TypeAlias = Annotated[Path, typer.Argument(help="The folder.", file_okay=False)]


@app.command()
@reading
def pull(
    desk: Desk,
    folder: Folder,
    *,
    channel: Channel = "",
    merge: Annotated[bool, typer.Option("--merge", help="Merge texts whose changes touch different lines.")] = False,
) -> None:
    """Write what is live into the folder, just as it was authored; refuse if something changed on both sides."""
    from control_plane.sync.pulling import pull as pulling

    with _reported():
        done = pulling(registry_of(desk), folder, channel=channel, merging=merge)
    lines = [f"wrote {path}" for path in done.written] + [f"removed {path}" for path in done.removed]
    lines += [f"merged {path}" for path in done.merged] + [f"kept your change of {path}" for path in done.kept]
    lines.append(f"{done.channel}, release {done.release}")
    desk.answer(done, "\n".join(lines))


@app.command()
@reading
def status(desk: Desk, folder: Folder, *, channel: Channel = "") -> None:
    """Say what is added, changed or removed here, what is behind, and what conflicts, which answers no."""
    from control_plane.sources.strict_yaml import SourceError
    from control_plane.sync.pulling import compared

    found = compared(registry_of(desk), folder, channel)
    desk.answer(found.status, _status_text(found.status))
    if found.here.problems:
        raise SourceError(found.here.problems)
    if found.status.of("conflicting"):
        sys.exit(REFUSED)


@app.command()
@signing
def push(
    desk: Desk,
    pen: Pen,
    folder: Folder,
    *,
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    draft: Annotated[
        bool, typer.Option("--draft", help="Save a draft, which nobody has signed, instead of proposing.")
    ] = False,
    edit: Annotated[int, typer.Option(help="Edit this proposal instead of making a new one.", min=0)] = 0,
    channel: Channel = "",
) -> None:
    """Make one proposal of what changed in the folder since it was pulled; with --key your own key signs it here."""
    from control_plane.sync.pushing import push as pushing

    with _reported():
        made, change = pushing(registry_of(desk, pen), folder, title=title, channel=channel, draft=draft, edit=edit)
    lines = [f"  {path}" for path in sorted(change.files)]
    lines += [f"  {kind} {name} goes" for kind, name in sorted(change.remove)]
    said = f"proposal {made.number}, revision {made.revision}, {made.state}: {made.manifest}"
    said = f"draft {made.number}, version {made.revision}" if draft else said
    desk.answer(made, "\n".join([said, *lines]))


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


def registry_of(desk: Desk, pen: Pen | None = None) -> Registry:
    """Return the registry at a desk; with a pen what is proposed is signed by it."""
    from control_plane.sync.registry import ClientRegistry

    if pen is None:
        return ClientRegistry(desk.client, desk.name)
    sign = signing_here(pen.own, pen.secret) if pen.own.file else None
    return ClientRegistry(desk.client, desk.name, lambda: passphrase(pen.secret), sign)


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
