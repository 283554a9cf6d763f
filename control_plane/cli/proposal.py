"""`mentorplane inbox`, `proposal list`, `show` and `effects`: what is on its way, and all that it takes to decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Channel, Home, Json, answer, opened
from control_plane.cli.shown import detail_lines, task_line

if TYPE_CHECKING:
    from control_plane.registry.effects import ProposalEffects

__all__ = ["app", "inbox"]

app = typer.Typer(help="The proposals.", no_args_is_help=True)


def inbox(*, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List what somebody can move on now and with which command, first what they were asked about."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.registry import queries

        found = queries.inbox(plane, people.find_person(plane, actor).id)
        answer(found, as_json=as_json, text="\n".join(map(task_line, found)) or "nothing waits for you")


@app.command("list")
def list_proposals(
    *,
    state: Annotated[str, typer.Option(help="Only these, such as open, expired or released.")] = "",
    channel: Channel = "",
    author: Annotated[str, typer.Option(help="Only by this person: login or id.")] = "",
    name: Annotated[str, typer.Option(help="Only what changes an entry of this name.")] = "",
    words: Annotated[str, typer.Option(help="Only with these words in the title.")] = "",
    waiting_for: Annotated[str, typer.Option(help="Only what this person can move on: login or id.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=500)] = 500,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the proposals, newest first."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.reviewing.listing import Search, find_proposals

        search = Search(state, channel, author, name=name, words=words, waiting_for=waiting_for, limit=limit)
        found = find_proposals(plane, search)
        lines = (f"{one.number:4} {one.channel:10} {one.state:9} revision {one.revision}: {one.title}" for one in found)
        answer(found, as_json=as_json, text="\n".join(lines))


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)],
    *,
    opening: Annotated[str, typer.Option("--open", help="Record that this person was shown it: login or id.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what a proposal changes, its checks and signatures, and the manifest digest that an approval names."""
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane.accounts import people
        from control_plane.registry import queries
        from control_plane.reviewing.batches import open_proposal

        if opening:
            found = open_proposal(plane, people.find_person(plane, opening).id, number, auth=Auth.NONE)
        else:
            found = queries.show_proposal(plane, number)
        logins = people.logins(plane)
        answer(found, as_json=as_json, text="\n".join(detail_lines(found, logins)))


@app.command()
def effects(
    number: Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)],
    *,
    every: Annotated[bool, typer.Option("--every", help="Show the cases that stay as they are, too.")] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what a proposal means, and what changes for the person being coached, case by case."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.effects import show_effects

        found = show_effects(plane, number)
        answer(found, as_json=as_json, text="\n".join(_effect_lines(found, every=every)))


def _effect_lines(found: ProposalEffects, *, every: bool) -> Iterator[str]:
    from control_plane.diffs.words import FieldDiff, as_text

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
