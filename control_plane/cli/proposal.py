"""`mentorplane inbox`, `proposal list`, `show` and `effects`: what is on its way, and all that it takes to decide."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import Channel, Number
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.shown import detail_lines, task_line

if TYPE_CHECKING:
    from control_plane.client.records import ProposalEffects

__all__ = ["app", "inbox"]

app = typer.Typer(help="The proposals.", no_args_is_help=True)


@acting
def inbox(desk: Desk) -> None:
    """List what somebody can move on now and with which command, first what they were asked about."""
    found = tuple(desk.client.inbox.list())
    desk.answer(found, "\n".join(map(task_line, found)) or "nothing waits for you")


@app.command("list")
@reading
def list_proposals(
    desk: Desk,
    *,
    state: Annotated[str, typer.Option(help="Only these, such as open, expired or released.")] = "",
    channel: Channel = "",
    author: Annotated[str, typer.Option(help="Only by this person: login or id.")] = "",
    name: Annotated[str, typer.Option(help="Only what changes an entry of this name.")] = "",
    words: Annotated[str, typer.Option(help="Only with these words in the title.")] = "",
    waiting_for: Annotated[str, typer.Option(help="Only what this person can move on: login or id.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=500)] = 500,
) -> None:
    """List the proposals, newest first."""
    some = desk.client.proposals.list(
        state=state,
        channel=channel,
        author=author,
        name=name,
        words=words,
        waiting_for=waiting_for,
        limit=limit,
    )
    found = tuple(islice(some, limit))
    lines = (f"{one.number:4} {one.channel:10} {one.state:9} revision {one.revision}: {one.title}" for one in found)
    desk.answer(found, "\n".join(lines))


@app.command()
@reading
def show(
    desk: Desk,
    number: Number,
    *,
    opening: Annotated[
        bool, typer.Option("--open", help="Record that you were shown it, as `approve --batch` asks.")
    ] = False,
) -> None:
    """Show what a proposal changes, its checks and signatures, and the manifest digest that an approval names."""
    if opening:
        desk.require_name()
    found = desk.client.proposals.open_proposal(number) if opening else desk.client.proposals.get(number)
    desk.answer(found, "\n".join(detail_lines(found, desk.logins())))


@app.command()
@reading
def effects(
    desk: Desk,
    number: Number,
    *,
    every: Annotated[bool, typer.Option("--every", help="Show the cases that stay as they are, too.")] = False,
) -> None:
    """Show what a proposal means, and what changes for the person being coached, case by case."""
    found = desk.client.proposals.effects(number)
    desk.answer(found, "\n".join(_effect_lines(found, every=every)))


def _effect_lines(found: ProposalEffects, *, every: bool) -> Iterator[str]:
    from control_plane.client.records import FieldDiff
    from control_plane.diffs.words import as_text

    for one in found.meaning:
        yield f"{one.kind} {one.name} {one.effect}: {one.sentence}"
    same = sum(1 for case in found.cases if not case.changes)
    for case in found.cases:
        if not case.changes and not every:
            continue
        sides = (case.before, case.after)
        was, now = (f"{one.route or one.outcome}, {one.outcome}" if one else "not there" for one in sides)
        yield f"{case.name}, {case.case} ({case.why}): " + (was if was == now else f"{was} -> {now}")
        yield from (f"    {note}" for note in case.notes)
        diffs = [FieldDiff(name, spans) for name, spans in (("reply", case.reply), ("may leave", case.leaves)) if spans]
        changed = [diff for diff in diffs if any(span.op != "same" for span in diff.spans)]
        yield from (f"    {line}" for line in as_text(changed).splitlines())
    yield f"{len(found.cases) - same} cases change, {same} stay as they are"
    if found.without_cases:
        yield f"no cases for {', '.join(found.without_cases)}"
