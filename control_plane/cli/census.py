"""`mentorplane census`: what devices told, of a home on this machine or a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import Channel
from control_plane.cli.desk import Desk, acting

if TYPE_CHECKING:
    from control_plane.client.records import CensusDay

__all__ = ["app"]

app = typer.Typer(help="What devices tell once a day: counts, in groups of five or more.", no_args_is_help=True)


@app.command("show")
@acting
def show(
    desk: Desk,
    *,
    channel: Channel = "",
    days: Annotated[int, typer.Option(help="How many days, the last ones that are over.", min=1, max=92)] = 7,
) -> None:
    """Show how many devices run which release, are stale, know of withdrawals, and ran which script, by the day."""
    found = desk.client.census.list(channel=channel, days=days)
    desk.answer(found, "\n".join(_lines(found)))


@app.command("rollups")
@acting
def rollups(
    desk: Desk,
    day: Annotated[str, typer.Argument(help="A day that is over, such as 2026-01-31.")],
    file: Annotated[Path, typer.Argument(help="Where to write them.")],
    *,
    channel: Channel = "",
) -> None:
    """Write the roll-ups of receipts that devices told of a day, by which an auditor checks a revealed run."""
    found = desk.client.census.rollups(day, channel=channel)
    file.write_text(found, "ascii")
    desk.answer(found, f"wrote {found.count(chr(10)) - 1} roll-ups of {day}; the log holds their root")


NONE = "fewer than are shown"


def _lines(days: Sequence[CensusDay]) -> Iterator[str]:
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
        for ran in day.runs:
            what = (
                f"{ran.prompt} {ran.version[7:15]}, release {ran.release} stage {ran.stage}: {ran.route}, {ran.outcome}"
            )
            yield f"  {what:70}{ran.devices}  {ran.runs} runs"


def _line(what: str, devices: int) -> str:
    return f"  {what:40}{devices}"
