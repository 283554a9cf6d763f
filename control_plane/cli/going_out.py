"""What becomes of an approved proposal: release, schedule, review; what is withdrawn; and the channels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import Channel, Number, Reason
from control_plane.cli.desk import Desk, acting, reading, unsigned_in
from control_plane.cli.pen import Pen, signing
from control_plane.cli.shown import moment, proposal_line
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import PendingReview, Planned, Standing, WindowInfo

__all__ = [
    "TIMES",
    "channels",
    "health",
    "release",
    "releases",
    "review_release",
    "schedule",
    "unschedule",
    "withdrawals",
]

TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"]


@reading
def release(
    desk: Desk,
    which: Annotated[str, typer.Argument(help="Number of the proposal, or `due`: all whose time has come.")],
) -> None:
    """Release an approved proposal and publish it; with `due`, release or suspend what is scheduled for now."""
    if which == "due":
        from control_plane.lifecycle.scheduling import release_due

        done = release_due(desk.at_home())
        desk.answer(done, "\n".join(done) or "nothing is due")
        return
    if not which.isdecimal() or not desk.named:
        raise InvalidDocument("expected the number of a proposal and --as, or `due`")
    made = desk.client.proposals.release(int(which))
    said = f"release {made.number} on {made.channel} with {made.entries} entries, audit entry {made.leaf}"
    desk.answer(made, said)


@acting
def schedule(
    desk: Desk,
    number: Number,
    *,
    at: Annotated[datetime, typer.Option(help="When it goes out, in UTC.", formats=TIMES)],
) -> None:
    """Let an approved proposal go out at a time, if all that holds now still holds then."""
    made = desk.client.proposals.schedule(number, at=at.replace(tzinfo=UTC))
    desk.answer(made, f"proposal {made.number} goes out at {at:%Y-%m-%d %H:%M:%S} UTC")


@acting
def unschedule(desk: Desk, number: Number) -> None:
    """Take a proposal off the schedule; its approvals stay."""
    made = desk.client.proposals.unschedule(number)
    desk.answer(made, proposal_line(made))


@reading
def withdrawals(desk: Desk, *, channel: Channel = "") -> None:
    """List what was withdrawn on a channel, newest first: by whom, why, and what runs instead."""
    found, logins = tuple(desk.client.withdrawals.list(channel=channel)), desk.logins()
    lines = [
        f"{one.kind} {one.name} {one.digest}\n    by {logins.get(one.by, one.by)}, {moment(one.at)}: "
        f"{one.reason or 'the reason was erased'}\n    instead {one.replacement or 'its fallback text'}"
        for one in found
    ]
    desk.answer(found, "\n".join(lines) or "nothing is withdrawn")


@signing
def review_release(
    desk: Desk,
    pen: Pen,
    number: Annotated[int, typer.Argument(help="Number of the break-glass release.", min=1, max=2**31 - 1)],
    *,
    role: Annotated[str, typer.Option(help="Role in which you sign.")],
    reason: Reason,
    manifest: Annotated[str, typer.Option(help="Manifest digest of the release that you looked at.")],
    channel: Channel = "",
) -> None:
    """Sign the mandatory review of a break-glass release."""
    what = {"number": number, "role": role, "reason": reason, "manifest": manifest, "channel": channel}
    made = pen.review(desk.client.unsigned.review, desk.client.releases.review_release, what)
    desk.answer(made, f"release {number}: " + ("reviewed" if made.reviewed else "signed; more people must review it"))


@reading
def releases(
    desk: Desk, *, channel: Channel = "", limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100
) -> None:
    """List the releases of a channel, newest first."""
    found, logins = tuple(islice(desk.client.releases.list(channel=channel), limit)), desk.logins()
    lines = [
        f"release {one.number:4} on {one.channel}, {moment(one.at)}: {one.entries} entries of proposal {one.proposal}, "
        f"by {logins.get(one.by, one.by)}\n             {one.manifest}"
        for one in found
    ]
    desk.answer(found, "\n".join(lines) or "nothing is released")


@unsigned_in
def health(desk: Desk) -> None:
    """Say that a server or a home answers, what is live, and what needs looking after."""
    found = desk.client.health.get()
    if desk.plane is not None:
        from dataclasses import replace

        from control_plane.ceremony.watching import warnings

        found = replace(found, warnings=warnings(desk.plane))
    live = f"release {found.release} is live" if found.release else "nothing is released"
    desk.answer(found, "\n".join([f"{found.status}, {live}", *found.warnings]))


@reading
def channels(desk: Desk) -> None:
    """Show what is live or withdrawn, what goes out when or was suspended and why, trials, and reviews that are due."""
    from control_plane.cli.rollout import said

    use = desk.client
    live = {one.name: one.release for one in use.channels.list()}
    staged = [use.channels.show_rollout(name) for name, number in live.items() if number]
    rollouts = [one for one in staged if len(one.stages) > 1]
    standing, planned = use.withdrawn.list_standing(), use.schedule.list_planned()
    trials, reviews = use.trials.list(), use.reviews.list()
    lines = [f"{name:12} " + (f"release {number}" if number else "nothing yet") for name, number in live.items()]
    lines += [line for one in standing for line in _standing_lines(one)]
    lines += [f"rollout      {said(one)}" for one in rollouts]
    lines += [*map(_planned_line, planned), *map(_trial_line, trials), *map(_review_line, reviews)]
    found = {
        "live": live,
        "withdrawn": standing,
        "rollouts": rollouts,
        "planned": planned,
        "trials": trials,
        "reviews": reviews,
    }
    desk.answer(found, "\n".join(lines))


def _standing_lines(one: Standing) -> Iterator[str]:
    if one.stopped:
        yield f"withdrawn    all of {one.channel}: devices use none of it"
    elif one.people:
        yield f"withdrawn    all of {one.channel} by one person: it takes a second one"
    yield from (f"withdrawn    {kind} {name} on {one.channel}" for kind, name in one.entries)


def _planned_line(one: Planned) -> str:
    if not one.suspended:
        return f"scheduled    proposal {one.proposal} on {one.channel} goes out at {moment(one.at)}"
    said = f"was to go out at {moment(one.at)}, but {one.because}"
    return f"suspended    proposal {one.proposal} on {one.channel} {said}"


def _trial_line(one: WindowInfo) -> str:
    state = one.outcome or ("" if one.live else "not released yet")
    said = f"ends {moment(one.ends_at)}, then {one.then}" + (f": {state}" if state else "")
    return f"trial        proposal {one.proposal} on {one.channel} {said}"


def _review_line(one: PendingReview) -> str:
    overdue = ", overdue: nothing but a rollback goes out" if one.overdue else ""
    return (
        f"review       release {one.release} on {one.channel} is to be reviewed by {moment(one.due)}{overdue}\n"
        f"             mentorplane review {one.release} --channel {one.channel} --manifest {one.manifest}"
    )
