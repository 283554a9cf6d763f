"""`mentorplane audit search` and `mentorplane audit reindex`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from control_plane.cli.audit.times import TIME, parse_time
from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened
from control_plane.cli.desk import Desk, reading
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from control_plane.client.records import Hit

__all__ = ["reindex", "search"]


@reading
def search(
    desk: Desk,
    *,
    act: Annotated[str, typer.Option(help="What was done, such as approved or released.")] = "",
    actor: Annotated[str, typer.Option(help="Login or id of who did it.")] = "",
    name: Annotated[str, typer.Option(help="Name of anything it concerns, or any digest in it.")] = "",
    prompt: Annotated[str, typer.Option(help="Name of a prompt that it concerns.")] = "",
    version: Annotated[str, typer.Option(help="A version that it concerns: name@epoch, or its digest.")] = "",
    channel: Annotated[str, typer.Option(help="Channel that it concerns.")] = "",
    release: Annotated[int | None, typer.Option(help="Number of the release that it concerns.", min=1)] = None,
    words: Annotated[str, typer.Option(help="Words that its reason has, all of them.")] = "",
    since: Annotated[
        datetime | None, typer.Option(help="From this time on, in UTC.", parser=parse_time, metavar=TIME)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Before this time, in UTC.", parser=parse_time, metavar=TIME)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 100,
    before: Annotated[int | None, typer.Option(help="Below this index: the next page.", min=0)] = None,
    proof: Annotated[Path | None, typer.Option(help="Folder to write a proof file for each entry to.")] = None,
) -> None:
    """Search the log, newest first; that somebody searched is an entry of the log."""
    _require_act(act)
    if prompt and name and prompt != name:
        raise InvalidDocument("expected --prompt or --name, got both")
    found = desk.client.audit.search(
        act=act,
        actor=desk.person(actor) if actor else "",
        name=prompt or name,
        version=version,
        channel=channel,
        release=release,
        words=words,
        since=since,
        until=until,
        limit=limit,
        before=before,
        proofs=proof is not None,
    )
    if proof is not None:
        _write(proof, found)
    shown = _shown(desk, found)
    more = f"\nmore with --before {found[-1].index}" if len(found) == limit and found[-1].index else ""
    desk.answer(shown, ("\n".join(map(_line, shown)) or "no entries") + more)


def reindex(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Build the index that searches use anew, from the entries and the texts that are not erased.

    Runs on the server's machine.
    """
    with opened(home, as_json=as_json) as plane:
        from rich.console import Console
        from rich.progress import Progress

        from control_plane.index import keeping as index

        quiet = as_json or not sys.stderr.isatty()
        with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
            task = bar.add_task("entries", total=None)
            done = index.rebuild(plane, progress=lambda so_far: bar.update(task, completed=so_far))
        answer({"entries": done}, as_json=as_json, text=f"{done} entries are found by what they say now")


def _write(folder: Path, found: Iterable[Hit]) -> None:
    """Write proof files, each beside the exact bytes of its entry."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for hit in found:
            if hit.tlog_proof:
                (folder / f"{hit.index}.tlog-proof").write_text(hit.tlog_proof, encoding="utf-8", newline="")
                (folder / f"{hit.index}.json").write_bytes(hit.data.encode())
    except OSError as error:
        raise InvalidDocument(f"expected a folder that can be written to, got: {error.strerror}") from error


def _shown(desk: Desk, found: Sequence[Hit]) -> list[dict[str, Any]]:
    names = {person.id: person.name for person in desk.client.people.everybody()}
    titles = _titles(desk, {one.name for one in found if one.name.startswith("proposal-")})
    return [
        {**asdict(one), "actor_name": names.get(one.actor, one.actor), "title": titles.get(one.name, "")}
        for one in found
    ]


def _titles(desk: Desk, names: set[str]) -> dict[str, str]:
    """Return the titles of proposals by the names that the log has for them, reading back to the oldest of these."""
    titles: dict[str, str] = {}
    if names:
        for one in desk.client.proposals.list(limit=500):
            titles[f"proposal-{one.number}"] = one.title
            if names <= titles.keys():
                break
    return titles


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
