"""Further proposals of what is or was live, and withdrawals: promote, roll back, return, withdraw."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from control_plane.registry.records import Proposal

__all__ = ["promote", "return_channel", "rollback", "withdraw"]

Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Title = Annotated[str, typer.Option(help="What the proposal is called; made of what it does otherwise.")]


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


def _said(made: Proposal) -> str:
    return f"proposal {made.number} on {made.channel}, revision {made.revision}, {made.state}: {made.manifest}"
