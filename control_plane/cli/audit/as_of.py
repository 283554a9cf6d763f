"""`mentorplane audit as-of`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.times import TIME, parse_time
from control_plane.cli.desk import Desk, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.client.records import AsOf, Deed, Live

__all__ = ["as_of"]


@reading
def as_of(
    desk: Desk,
    *,
    at: Annotated[datetime, typer.Option(help="The moment, in UTC.", parser=parse_time, metavar=TIME)],
    channel: Annotated[str, typer.Option(help="The channel; without it the usual one.")] = "",
    prompt: Annotated[str, typer.Option(help="Only the prompt of this name.")] = "",
) -> None:
    """Show what was live at a moment, by whose approval, with the entries of the log that evidence it."""
    found = desk.client.audit.as_of(at=at, channel=channel, prompt=prompt)
    early = ("this moment is still to come: what follows is live now",) if at > datetime.now(UTC) else ()
    desk.answer(found, "\n".join((*early, *_lines(found))))


def _lines(found: AsOf) -> Iterator[str]:
    if found.released is None:
        yield f"nothing was live on {found.channel} at {found.at:%Y-%m-%d %H:%M:%S} UTC, before its first release"
        return
    yield f"release {found.release} was live on {found.channel} at {found.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  {_deed(found.released)}"
    yield f"  manifest {found.manifest}"
    for model in found.models:
        yield f"  model {model['name']} {model['digest']}"
    for live in (*found.policies, *found.entries):
        yield from _story(live)


def _story(live: Live) -> Iterator[str]:
    yield f"{live.kind} {live.name}, version {live.epoch}, {live.tier}, since release {live.since_release}"
    yield f"  {live.digest}"
    for deed in (live.released, *live.approved):
        yield f"  {_deed(deed)}"
    if live.withdrawn is not None:
        yield f"  WITHDRAWN: {_deed(live.withdrawn)}"


def _deed(deed: Deed) -> str:
    meaning = f", meaning {deed.meaning}" if deed.meaning else ""
    reason = f": {deed.reason}" if deed.reason else ""
    who = f"{deed.name or deed.person} ({deed.role})"
    return f"entry {deed.index}: {deed.act} by {who} at {deed.at:%Y-%m-%d %H:%M:%S}{meaning}{reason}"
