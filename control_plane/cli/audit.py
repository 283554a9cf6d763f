"""`mentorplane audit verify` and `search`: what the server's log says, and whether it holds together."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, REFUSED, Home, Json, answer, opened

__all__ = ["app"]

app = typer.Typer(help="The audit log.", no_args_is_help=True)
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]


@app.command()
def verify(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Verify the whole log, published files and database; answers no if anything differs."""
    with opened(home) as plane:
        from control_plane import ledger

        report = ledger.verify(plane)
        verdict = "verified" if report.ok else "NOT verified"
        contained = ", self-contained: no outside witness has signed" if report.self_contained else ""
        lines = (f"{verdict}: {report.size} entries, root {report.root}{contained}", *report.problems)
        answer(report, as_json=as_json, text="\n".join(lines))
    if not report.ok:
        sys.exit(REFUSED)


@app.command()
def search(
    *,
    act: Annotated[str, typer.Option(help="What was done, such as approved or released.")] = "",
    actor: Annotated[str, typer.Option(help="Login or id of who did it.")] = "",
    name: Annotated[str, typer.Option(help="Name or manifest digest of what it concerns.")] = "",
    since: Annotated[datetime | None, typer.Option(help="From this time on, in UTC.", formats=_DATES)] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this time, in UTC.", formats=_DATES)] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 100,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Search the log, newest first."""
    with opened(home) as plane:
        from control_plane import ledger, people

        found = ledger.search(
            plane,
            act=act,
            actor=people.find_person(plane, actor).id if actor else "",
            name=name,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) if until else None,
            limit=limit,
        )
        lines = (f"{one.index:6} {one.at:%Y-%m-%d %H:%M} {one.act:16} {one.kind} {one.name}" for one in found)
        answer(found, as_json=as_json, text="\n".join(lines))
