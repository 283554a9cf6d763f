"""`mentorplane audit as-of`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.packing import auth_of
from control_plane.cli.audit.searching import Reader, reader
from control_plane.cli.audit.times import TIME, parse_time
from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.evidence.asof import AsOf, Deed, Live

__all__ = ["as_of"]


def as_of(
    *,
    at: Annotated[datetime, typer.Option(help="The moment, in UTC.", parser=parse_time, metavar=TIME)],
    channel: Annotated[str, typer.Option(help="The channel; without it the usual one.")] = "",
    prompt: Annotated[str, typer.Option(help="Only the prompt of this name.")] = "",
    as_: Reader = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what was live at a moment, by whose approval, with the entries of the log that evidence it."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.evidence import asof

        found = asof.as_of(plane, reader(plane, as_), at=at, channel=channel, name=prompt, auth=auth_of(as_))
        early = ("this moment is still to come: what follows is live now",) if at > plane.now() else ()
        answer(found, as_json=as_json, text="\n".join((*early, *_lines(found))))


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
