"""`mentorplane proposal list` and `show`: what is on its way, and all that is needed to decide about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Channel, Home, Json, answer, opened

if TYPE_CHECKING:
    from control_plane.registry.records import ProposalDetail

__all__ = ["app"]

app = typer.Typer(help="The proposals.", no_args_is_help=True)


@app.command("list")
def list_proposals(
    *,
    state: Annotated[str | None, typer.Option(help="Only these: open, rejected or released.")] = None,
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the proposals, newest first."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import queries

        found = queries.list_proposals(plane, state=state, channel=channel)
        lines = (f"{one.number:4} {one.channel:10} {one.state:9} revision {one.revision}: {one.title}" for one in found)
        answer(found, as_json=as_json, text="\n".join(lines))


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what a proposal changes, its checks and signatures, and the manifest digest that an approval names."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import queries

        found = queries.show_proposal(plane, number)
        answer(found, as_json=as_json, text="\n".join(_lines(found)))


def _lines(found: ProposalDetail) -> Iterator[str]:
    from control_plane.registry.diffs import as_text

    proposal = found.proposal
    stale = ", stale: edit it to rebase it" if found.stale else ""
    yield f"proposal {proposal.number} for {proposal.channel}, revision {proposal.revision}, {proposal.state}{stale}"
    yield f"title {proposal.title}"
    yield f"manifest {proposal.manifest}"
    for change in found.changes:
        yield f"{change.kind} {change.name}, tier {change.tier}" + ("" if change.digest else ": removed")
        yield as_text(change.diff).rstrip()
    yield from (f"check {check.name}: {check.status}" for check in found.checks)
    for one in found.signatures:
        yield f"signed {one.act} by {one.person} as {one.role}" + (", void" if one.void else "")
    yield from (f"missing {one.people} of {' or '.join(one.roles)} for {one.what}" for one in found.missing)
