"""`mentorplane library list`, `search`, `show`, `folders` and `tags`: everything that is live, of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from control_plane.cli.desk import Desk, reading

if TYPE_CHECKING:
    from control_plane.client.records import Detail, Item

__all__ = ["app"]

app = typer.Typer(
    help="Everything that is live: scripts, agreements, session types and the rest.", no_args_is_help=True
)
Kind = Annotated[str, typer.Option("--kind", help="Such as prompt, include, agreement or session-type.")]
Folder = Annotated[str, typer.Option("--folder", help="What is in this folder, and in those in it.")]
Tag = Annotated[str, typer.Option("--tag", help="What has this tag.")]
Owner = Annotated[str, typer.Option("--owner", help="What this role keeps right.")]
Locale = Annotated[str, typer.Option("--locale", help="What is in this language.")]
Tier = Annotated[str, typer.Option("--tier", help="What has this risk level, R0 to R4.")]
Stale = Annotated[
    bool | None, typer.Option("--stale/--not-stale", help="Translations whose original has changed, or all others.")
]
Withdrawn = Annotated[
    bool | None, typer.Option("--withdrawn/--in-use", help="What must no longer be used, or the rest.")
]
After = Annotated[str, typer.Option("--after", help="Go on after a page: what it ended with.")]
Limit = Annotated[int, typer.Option("--limit", help="At most so many, 1 to 200.")]
Channel = Annotated[str, typer.Option("--channel", help="The channel; production by default.")]


@app.command("list")
@reading
def list_entries(
    desk: Desk,
    *,
    kind: Kind = "",
    folder: Folder = "",
    tag: Tag = "",
    owner: Owner = "",
    locale: Locale = "",
    tier: Tier = "",
    stale: Stale = None,
    withdrawn: Withdrawn = None,
    after: After = "",
    limit: Limit = 50,
    channel: Channel = "",
) -> None:
    """List what is live, by kind and name."""
    asked = {"kind": kind, "folder": folder, "tag": tag, "owner": owner, "locale": locale, "tier": tier}
    more = {"stale": stale, "withdrawn": withdrawn, "after": after, "limit": limit}
    _search(desk, {**asked, **more, "channel": channel})


@app.command()
@reading
def search(
    desk: Desk,
    words: Annotated[list[str], typer.Argument(help="Words, or how they begin, in title, purpose or text.")],
    *,
    kind: Kind = "",
    folder: Folder = "",
    tag: Tag = "",
    owner: Owner = "",
    locale: Locale = "",
    tier: Tier = "",
    stale: Stale = None,
    withdrawn: Withdrawn = None,
    after: After = "",
    limit: Limit = 50,
    channel: Channel = "",
) -> None:
    """Search what is live; what has all words in its title comes first."""
    asked = {"kind": kind, "folder": folder, "tag": tag, "owner": owner, "locale": locale, "tier": tier}
    more = {"stale": stale, "withdrawn": withdrawn, "after": after, "limit": limit, "words": " ".join(words)}
    _search(desk, {**asked, **more, "channel": channel})


@app.command()
@reading
def show(
    desk: Desk,
    name: Annotated[str, typer.Argument(help="Its name.")],
    *,
    kind: Kind = "",
    channel: Channel = "",
) -> None:
    """Show a live entry as its author wrote it, with its versions, what it relies on and what relies on it."""
    found = desk.client.library.show(kind or "any", name, channel=channel)
    desk.answer(found, "\n".join((*_about(found), found.source.rstrip())))


@app.command()
@reading
def folders(desk: Desk, *, channel: Channel = "") -> None:
    """Show the folders, with how much is in each and below."""
    found = desk.client.library.folders(channel=channel)
    lines = (f"{'  ' * one.name.count('/')}{one.name.rpartition('/')[2]} ({one.entries})" for one in found)
    desk.answer(found, "\n".join(lines) or "no folders")


@app.command()
@reading
def tags(desk: Desk, *, channel: Channel = "") -> None:
    """Show the tags, with how many entries have each."""
    found = desk.client.library.tags(channel=channel)
    desk.answer(found, "\n".join(f"{one.name} ({one.entries})" for one in found) or "no tags")


def _search(desk: Desk, asked: dict[str, Any]) -> None:
    page = desk.client.library.search(**asked)
    lines = [_line(item) for item in page.items]
    lines.append(f"{len(page.items)} of {page.total} in release {page.release} on {page.channel}")
    lines += [f"more: --after {page.next}"] if page.next else []
    desk.answer(page, "\n".join(lines))


def _line(item: Item) -> str:
    marks = [f"stale: {', '.join(item.stale)} changed in {item.original}"] if item.stale else []
    marks += ["withdrawn"] if item.withdrawn else []
    where = f"  [{item.folder}]" if item.folder else ""
    return f"{item.kind:14} {item.name:32} {item.tier} {item.locale:5} {item.title}{where}" + "".join(
        f"  ({mark})" for mark in marks
    )


def _about(found: Detail) -> list[str]:
    item = found.item
    lines = [f"# version {one.epoch} in release {one.release}: {one.digest}" for one in found.history]
    lines += [f"# relies on {one.kind} {one.name}" for one in found.relies_on]
    lines += [f"# used by {one.kind} {one.name}" for one in found.used_by]
    if item.stale:
        lines.append(f"# stale: {', '.join(item.stale)} changed in {item.original} since it was translated")
    return lines
