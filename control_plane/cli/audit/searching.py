"""`mentorplane audit search`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened
from edge_runtime.core.errors import InvalidDocument

__all__ = ["search"]

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]


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
    with opened(home, as_json=as_json) as plane:
        from control_plane import ledger, people
        from control_plane.registry import queries

        _require_act(act)
        found = ledger.search(
            plane,
            act=act,
            actor=people.find_person(plane, actor).id if actor else "",
            name=name,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) if until else None,
            limit=limit,
        )
        names = {person.id: person.name for person in people.list_people(plane)}
        titles = {f"proposal-{one.number}": one.title for one in queries.list_proposals(plane)}
        shown = [
            {**asdict(one), "actor_name": names.get(one.actor, one.actor), "title": titles.get(one.name, "")}
            for one in found
        ]
        answer(shown, as_json=as_json, text="\n".join(map(_line, shown)) or "no entries")


def _line(entry: dict[str, Any]) -> str:
    who = f"{entry['actor_name']} ({entry['role']})" if entry["role"] else entry["actor_name"]
    title = f": {entry['title']}" if entry["title"] else ""
    begin = f"{entry['index']:6} {entry['at']:%Y-%m-%d %H:%M} {entry['act']:16} {who:32}"
    return f"{begin} {entry['kind']} {entry['name']}{title}"


def _require_act(act: str) -> None:
    from audit.record import Act

    known = sorted(map(str, Act))
    if act and act not in known:
        raise InvalidDocument("expected --act to be an act of the log, got another", hint=", ".join(known))
