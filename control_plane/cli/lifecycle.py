"""What becomes of an approved proposal: release, schedule, promote, roll back, withdraw, review; and the channels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import (
    DEFAULT_HOME,
    As,
    Channel,
    Home,
    Json,
    PassphraseFile,
    answer,
    opened,
    signing,
)
from control_plane.cli.shown import moment
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.registry.lifecycle.course import Planned, Standing
    from control_plane.registry.lifecycle.emergency import PendingReview
    from control_plane.registry.lifecycle.windows import WindowInfo
    from control_plane.registry.records import Proposal

__all__ = [
    "channels",
    "promote",
    "release",
    "return_channel",
    "review_release",
    "rollback",
    "schedule",
    "unschedule",
    "withdraw",
    "withdrawals",
]

TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"]
Number = Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)]
Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Title = Annotated[str, typer.Option(help="What the proposal is called; made of what it does otherwise.")]


def release(
    which: Annotated[str, typer.Argument(help="Number of the proposal, or `due`: all whose time has come.")],
    *,
    actor: Annotated[str, typer.Option("--as", help="Login or id of the person who acts; not with `due`.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Release an approved proposal and publish it; with `due`, release or suspend what is scheduled for now."""
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane.accounts import people
        from control_plane.registry import releases
        from control_plane.registry.lifecycle.scheduling import release_due

        if which == "due":
            done = release_due(plane)
            answer(done, as_json=as_json, text="\n".join(done) or "nothing is due")
            return
        if not which.isdecimal() or not actor:
            raise InvalidDocument("expected the number of a proposal and --as, or `due`")
        made = releases.release(plane, people.find_person(plane, actor).id, int(which), auth=Auth.NONE)
        said = f"release {made.number} on {made.channel} with {made.entries} entries, audit entry {made.leaf}"
        answer(made, as_json=as_json, text=said)


def schedule(
    number: Number,
    *,
    at: Annotated[datetime, typer.Option(help="When it goes out, in UTC.", formats=TIMES)],
    actor: As,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Let an approved proposal go out at a time, if all that holds now still holds then."""
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane.accounts import people
        from control_plane.registry.lifecycle import scheduling

        person = people.find_person(plane, actor).id
        made = scheduling.schedule(plane, person, number, at=at.replace(tzinfo=UTC), auth=Auth.NONE)
        answer(made, as_json=as_json, text=f"proposal {made.number} goes out at {at:%Y-%m-%d %H:%M:%S} UTC")


def unschedule(number: Number, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Take a proposal off the schedule; its approvals stay."""
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane.accounts import people
        from control_plane.registry.lifecycle import scheduling

        made = scheduling.unschedule(plane, people.find_person(plane, actor).id, number, auth=Auth.NONE)
        answer(made, as_json=as_json, text=_said(made))


def promote(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of the entries; none: all that is live there.")
    ] = None,
    *,
    source: Annotated[str, typer.Option("--from", help="The channel that has them.")],
    channel: Channel = "",
    actor: As,
    title: Title = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Propose for a channel the very entries that are live on another."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import acts

        person, secret = signing(plane, actor, passphrase_file)
        made = acts.promote(
            plane, person, source=source, target=channel, names=names or (), title=title, passphrase=secret
        )
        answer(made, as_json=as_json, text=_said(made))


def rollback(
    to: Annotated[int, typer.Argument(help="Number of the earlier release.", min=1, max=2**31 - 1)],
    *,
    only: Annotated[str, typer.Option(help="Name of the one entry that goes back.")] = "",
    lift: Annotated[
        bool, typer.Option("--lift", help="Lift the withdrawal of this content, which takes a quorum.")
    ] = False,
    channel: Channel = "",
    actor: As,
    title: Title = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Propose what an earlier release held, as a new release."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import acts

        person, secret = signing(plane, actor, passphrase_file)
        made = acts.rollback(
            plane, person, to=to, only=only, lift=lift, channel=channel, title=title, passphrase=secret
        )
        answer(made, as_json=as_json, text=_said(made))


def return_channel(
    *,
    channel: Annotated[str, typer.Option(help="The channel of the trial.")],
    actor: As,
    title: Title = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Propose for the channel of a trial what the usual channel has: it goes out when the trial ends, if approved."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import acts

        person, secret = signing(plane, actor, passphrase_file)
        made = acts.prepare_return(plane, person, channel=channel, title=title, passphrase=secret)
        answer(made, as_json=as_json, text=_said(made))


def withdraw(
    target: Annotated[str, typer.Argument(help="Name of a live prompt, digest of a released one, or a channel.")],
    *,
    actor: As,
    reason: Reason,
    instead: Annotated[str, typer.Option(help="What runs instead; without it the fallback text.")] = "",
    whole: Annotated[bool, typer.Option("--whole-channel", help="Stop all of the channel: takes two people.")] = False,
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Withdraw a prompt, on every channel that has it, or all of a channel: devices stop using it."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry import releases
        from control_plane.registry.lifecycle.withdrawing import withdraw_channel

        person, secret = signing(plane, actor, passphrase_file)
        if whole:
            done = withdraw_channel(plane, person, channel=target, reason=reason, passphrase=secret)
            said = f"{done.missing} more person must withdraw it" if done.missing else "all of it is withdrawn"
            answer(done, as_json=as_json, text=f"channel {done.channel}: {said}")
            return
        made = releases.withdraw(
            plane, person, target=target, reason=reason, passphrase=secret, replacement=instead, channel=channel
        )
        after = f", {made.replacement} runs instead" if made.replacement else ", its fallback text is shown"
        answer(made, as_json=as_json, text=f"withdrawn: {made.kind} {made.name} {made.digest}{after}")


def withdrawals(*, channel: Channel = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List what was withdrawn on a channel, newest first: by whom, why, and what runs instead."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.registry import queries

        found = queries.list_withdrawals(plane, channel=channel)
        logins = people.logins(plane)
        lines = [
            f"{one.kind} {one.name} {one.digest}\n    by {logins.get(one.by, one.by)}, {moment(one.at)}: "
            f"{one.reason or 'the reason was erased'}\n    instead {one.replacement or 'its fallback text'}"
            for one in found
        ]
        answer(found, as_json=as_json, text="\n".join(lines) or "nothing is withdrawn")


def review_release(
    number: Annotated[int, typer.Argument(help="Number of the break-glass release.", min=1, max=2**31 - 1)],
    *,
    actor: As,
    role: Annotated[str, typer.Option(help="Role in which you sign.")],
    reason: Reason,
    manifest: Annotated[str, typer.Option(help="Manifest digest of the release that you looked at.")],
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Sign the mandatory review of a break-glass release."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.registry.lifecycle import emergency

        person, secret = signing(plane, actor, passphrase_file)
        done = emergency.review(
            plane,
            person,
            channel=channel,
            release=number,
            role=role,
            reason=reason,
            passphrase=secret,
            manifest=manifest,
        )
        said = "reviewed" if done else "signed; more people must review it"
        answer({"reviewed": done}, as_json=as_json, text=f"release {number}: {said}")


def channels(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show what is live or withdrawn, what goes out when or was suspended and why, trials, and reviews that are due."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.cli.rollout import said
        from control_plane.registry import queries
        from control_plane.registry.lifecycle import course, emergency, rollout, windows

        live = {name: queries.live_manifest(plane, channel=name) for name in plane.settings.channels}
        planned, trials, reviews = (
            course.list_planned(plane),
            windows.list_windows(plane),
            emergency.list_reviews(plane),
        )
        lines = [f"{name:12} " + (f"release {one.number}" if one else "nothing yet") for name, one in live.items()]
        standing = course.list_standing(plane)
        lines += [line for one in standing for line in _standing_lines(one)]
        rollouts = [rollout.show(plane, channel=name) for name, one in live.items() if one and len(one.stages) > 1]
        lines += [f"rollout      {said(one)}" for one in rollouts]
        lines += [*map(_planned_line, planned), *map(_trial_line, trials), *map(_review_line, reviews)]
        found = {
            "live": {name: one.number if one else 0 for name, one in live.items()},
            "withdrawn": standing,
            "rollouts": rollouts,
            "planned": planned,
            "trials": trials,
            "reviews": reviews,
        }
        answer(found, as_json=as_json, text="\n".join(lines))


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


def _said(made: Proposal) -> str:
    return f"proposal {made.number} on {made.channel}, revision {made.revision}, {made.state}: {made.manifest}"
