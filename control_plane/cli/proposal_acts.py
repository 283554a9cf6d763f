"""`mentorplane proposal rebase` and `duplicate`, and which commands stand beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Channel, Home, Json, PassphraseFile, answer, opened, signing
from control_plane.cli.discussing import DISCUSSING
from control_plane.cli.drafting import DRAFTING

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane

__all__ = ["add_commands"]

Number = Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)]


def add_commands(app: typer.Typer) -> None:
    """Put these commands beside those that show proposals."""
    for act in (*DISCUSSING, *DRAFTING, rebase, duplicate):
        app.command(act.__name__.rstrip("_").replace("_", "-"))(act)


def rebase(
    number: Number,
    *,
    actor: As,
    merged: Annotated[bool, typer.Option("--merged", help="Take both sides where they change other lines.")] = False,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Put a stale proposal on the live release; its approvals are void."""
    _sign(home, actor, passphrase_file, as_json=as_json, act=_rebasing(number, merged=merged))


def _rebasing(number: int, *, merged: bool) -> Callable[[ControlPlane, str, str], Any]:
    def act(plane: ControlPlane, person: str, secret: str) -> Any:
        from control_plane.registry import proposals

        return proposals.rebase(plane, person, number, passphrase=secret, merged=merged)

    return act


def duplicate(
    number: Number,
    *,
    actor: As,
    title: Annotated[str, typer.Option(help="What the new one is, in a line.")],
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Propose what another proposal has; no approval comes along."""

    def act(plane: ControlPlane, person: str, secret: str) -> Any:
        from control_plane.reviewing import closing

        return closing.duplicate(plane, person, number, title=title, passphrase=secret, channel=channel)

    _sign(home, actor, passphrase_file, as_json=as_json, act=act)


def _sign(
    home: Path,
    actor: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    act: Callable[[ControlPlane, str, str], Any],
) -> None:
    """Carry out an act that takes a passphrase, and say what became of it."""
    with opened(home, as_json=as_json) as plane:
        made = act(plane, *signing(plane, actor, passphrase_file))
        said = f"proposal {made.number}, revision {made.revision}, {made.state}: {made.manifest}"
        answer(made, as_json=as_json, text=said)
