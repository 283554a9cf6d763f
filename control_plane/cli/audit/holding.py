"""`mentorplane audit hold`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import ActingRole, PassphraseFile, Reason, Ticket
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.key import KeyFile
from control_plane.purposes import doing
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import Hold

__all__ = ["hold"]

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
    role: ActingRole = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Place a legal hold on the texts of a person, or of everybody."""
    if bool(person) == everybody:
        raise InvalidDocument("expected --person or --everybody, got both or neither")
    whose = desk.person(person) if person else ""
    present = desk.present(key, passphrase_file, purpose=doing("hold", whose or "everybody"))
    made = desk.client.holds.place_hold(person=whose, reason=reason, ticket=ticket, role=role, **present)
    desk.answer(made, _line(made))


@hold.command("lift")
@acting
def lift(
    desk: Desk,
    identity: Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold, see `hold list`.")],
    *,
    reason: Reason,
    ticket: Ticket = "",
    role: ActingRole = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Lift a legal hold."""
    present = desk.present(key, passphrase_file, purpose=doing("lift-hold", identity))
    made = desk.client.holds.lift_hold(identity, reason=reason, ticket=ticket, role=role, **present)
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
