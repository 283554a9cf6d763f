"""`mentorplane audit hold`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Home, Json, PassphraseFile, answer, opened, signing
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.texts.holds import Hold

__all__ = ["hold"]

Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Ticket = Annotated[str, typer.Option(help="Reference to the request, such as a case number.")]

hold = typer.Typer(help="Legal holds: while one is in force, nothing it covers is erased.", no_args_is_help=True)


@hold.command("place")
def place(
    *,
    actor: As,
    reason: Reason,
    person: Annotated[str, typer.Option(help="Login or id of whose texts.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Hold the texts of everybody.")] = False,
    ticket: Ticket = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Place a legal hold on the texts of a person, or of everybody."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts import holding

        if bool(person) == everybody:
            raise InvalidDocument("expected --person or --everybody, got both or neither")
        by, secret = signing(plane, actor, passphrase_file)
        made = holding.hold(plane, person, by=by, reason=reason, passphrase=secret, ticket=ticket)
        answer(made, as_json=as_json, text=_line(made))


@hold.command("lift")
def lift(
    identity: Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold, see `hold list`.")],
    *,
    actor: As,
    reason: Reason,
    ticket: Ticket = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Lift a legal hold."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts import holding

        by, secret = signing(plane, actor, passphrase_file)
        made = holding.lift_hold(plane, identity, by=by, reason=reason, passphrase=secret, ticket=ticket)
        answer(made, as_json=as_json, text=_line(made))


@hold.command("list")
def list_(
    *,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, too.")] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the legal holds in force."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.texts.holds import list_holds

        found = list_holds(plane, lifted=lifted)
        logins = people.logins(plane)
        lines = [_line(one, logins.get(one.person, one.person)) for one in found]
        answer(found, as_json=as_json, text="\n".join(lines) or "no holds in force")


def _line(one: Hold, login: str = "") -> str:
    end = "" if one.lifted is None else f", lifted by entry {one.lifted}"
    return f"{one.id:8} {login or one.person or 'everybody':16} placed {one.at:%Y-%m-%d} by entry {one.placed}{end}"
