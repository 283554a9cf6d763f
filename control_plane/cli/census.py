"""`mentorplane census`: what devices told, of a home on this machine or a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Channel, Home, Json, answer, exit_codes, opened
from control_plane.cli.sync import Server, TokenFile, server_client
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.census import showing
    from control_plane.client import records

__all__ = ["app"]

app = typer.Typer(help="What devices tell once a day: counts, in groups of five or more.", no_args_is_help=True)


@app.command("show")
def show(
    *,
    channel: Channel = "",
    days: Annotated[int, typer.Option(help="How many days, the last ones that are over.", min=1, max=92)] = 7,
    actor: Annotated[str, typer.Option("--as", help="Login or id of who asks, for a home.")] = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show how many devices run which release, are stale, and know of withdrawals, by the day."""
    if server:
        with exit_codes(as_json=as_json), server_client(server, token_file) as client:
            asked = client.census.list(channel=channel or None, days=days)
            answer(asked, as_json=as_json, text="\n".join(_lines(asked)))
        return
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.census.showing import show as shown

        if not actor:
            raise InvalidDocument("expected --as with the login or id of who asks, got none")
        found = shown(plane, people.find_person(plane, actor).id, channel=channel, days=days)
        answer(found, as_json=as_json, text="\n".join(_lines(found)))


NONE = "fewer than are shown"


def _lines(days: Sequence[showing.CensusDay] | Sequence[records.CensusDay]) -> Iterator[str]:
    yield "at least so many devices, in steps of five; smaller groups are not shown"
    for day in days:
        yield f"{day.day}  {day.channel:30}{day.devices or NONE}"
        for one in day.releases:
            waits = "" if one.release == one.newest else f", waits for {one.newest}"
            yield _line(f"release {one.release}{waits}, stage {one.stage}", one.devices)
        for state in day.states:
            yield _line(f"{state.fresh}, last look {state.refresh}", state.devices)
        for known in day.withdrawals:
            yield _line(f"knows {known.known} withdrawals", known.devices)
        for package in day.packages:
            yield _line(f"version {package.package}", package.devices)


def _line(what: str, devices: int) -> str:
    return f"  {what:40}{devices}"
