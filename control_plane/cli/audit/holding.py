"""`mentorplane audit hold`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import PassphraseFile, Reason, passphrase
from control_plane.cli.desk import Desk, acting, reading
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import Hold

__all__ = ["hold"]

Ticket = Annotated[str, typer.Option(help="Reference to the request, such as a case number.")]

hold = typer.Typer(help="Legal holds: while one is in force, nothing it covers is erased.", no_args_is_help=True)


@hold.command("place")
@acting
def place(
    desk: Desk,
    *,
    reason: Reason,
    person: Annotated[str, typer.Option(help="Login or id of whose texts.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Hold the texts of everybody.")] = False,
    ticket: Ticket = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Place a legal hold on the texts of a person, or of everybody."""
    if bool(person) == everybody:
        raise InvalidDocument("expected --person or --everybody, got both or neither")
    secret = passphrase(passphrase_file)
    made = desk.client.holds.place_hold(person=person, reason=reason, passphrase=secret, ticket=ticket)
    desk.answer(made, _line(made))


@hold.command("lift")
@acting
def lift(
    desk: Desk,
    identity: Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold, see `hold list`.")],
    *,
    reason: Reason,
    ticket: Ticket = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Lift a legal hold."""
    made = desk.client.holds.lift_hold(identity, reason=reason, passphrase=passphrase(passphrase_file), ticket=ticket)
    desk.answer(made, _line(made))


@hold.command("list")
@reading
def list_(
    desk: Desk,
    *,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, too.")] = False,
) -> None:
    """List the legal holds in force."""
    found, logins = desk.client.holds.list_legal_holds(lifted=lifted), desk.logins()
    lines = [_line(one, logins.get(one.person, one.person)) for one in found]
    desk.answer(found, "\n".join(lines) or "no holds in force")


def _line(one: Hold, login: str = "") -> str:
    end = "" if one.lifted is None else f", lifted by entry {one.lifted}"
    return f"{one.id:8} {login or one.person or 'everybody':16} placed {one.at:%Y-%m-%d} by entry {one.placed}{end}"
