"""`mentorplane people`: who is there, addresses, new keys, linked accounts, who leaves.

Passphrases come from a file, the environment or a question; a code is printed once, on stdout.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import PassphraseFile, Reason, passphrase
from control_plane.cli.desk import Desk, acting, reading, unsigned_in
from control_plane.cli.key import KeyFile
from control_plane.purposes import LINKING, leaving

if TYPE_CHECKING:
    from control_plane.client.records import HeldRole

__all__ = ["app"]

app = typer.Typer(help="People: who is there, addresses, new keys, linked accounts.", no_args_is_help=True)


@app.command("list")
@reading
def list_people(desk: Desk) -> None:
    """List everybody, with the roles that they hold now."""
    found, held = tuple(desk.client.people.everybody()), desk.client.roles.list()
    holds = {one.id: [role for role in held if role.person == one.id] for one in found}
    lines = [
        f"{one.login:12} {one.id}  " + ("left" if one.left else "") + ", ".join(map(_role, holds[one.id]))
        for one in found
    ]
    desk.answer([{"person": one, "holds": holds[one.id]} for one in found], "\n".join(lines))


def _role(held: HeldRole) -> str:
    return f"{held.role} for {held.behalf}" if held.behalf else held.role


@app.command("enrol")
@acting
def enrol(
    desk: Desk,
    login: str,
    *,
    name: Annotated[str, typer.Option(help="Their name, as pages show it.")],
    role: Annotated[list[str], typer.Option(help="What they are eligible for; one at least.")],
) -> None:
    """Enrol somebody; prints the code with which they choose a passphrase; roles that take a grant are granted then."""
    made = desk.client.people.enrol(login=login, name=name, roles=role)
    who = made.person
    desk.answer(made, f"enrolled: {who.login} {who.id}, eligible as {', '.join(who.roles)}\n{made.code}")


@app.command("address")
@acting
def address(
    desk: Desk,
    person: str,
    *,
    address: Annotated[str, typer.Option(help="The address; without it, it is read from standard input.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the address that is there.")] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Set where somebody gets mail: one's own address, or as an administrator another's."""
    whose = desk.person(person)
    secret = "" if whose == desk.client.people.me().id else passphrase(passphrase_file)
    given = ""
    if not remove:
        given = address or (typer.prompt("Address", err=True) if sys.stdin.isatty() else sys.stdin.readline())
        given = given.strip() or "-"  # nothing was said: no address either, and not to remove the one that is there
    desk.client.people.set_address_of(whose, address=given, passphrase=secret)
    desk.answer({"person": whose}, "removed" if remove else "set")


@app.command("retire-key")
@acting
def retire_key(desk: Desk, person: str, *, reason: Reason, passphrase_file: PassphraseFile = None) -> None:
    """Retire the key of somebody who forgot their passphrase; prints the code that enrols a new one."""
    made = desk.client.people.retire_key(person, reason=reason, passphrase=passphrase(passphrase_file))
    desk.answer(made, made.code)


@app.command("retire")
@acting
def retire(
    desk: Desk, person: str, *, reason: Reason, passphrase_file: PassphraseFile = None, key: KeyFile = None
) -> None:
    """Sign that somebody leaves; the second of two people ends every role, token and session of theirs."""
    whose = desk.person(person)
    present = desk.present(key, passphrase_file, purpose=leaving(whose))
    left = desk.client.people.retire_person(whose, reason=reason, **present).left
    said = "has left" if left else "leaves once a second person signs it"
    desk.answer({"person": whose, "left": left}, f"{desk.logins()[whose]} {said}")


@app.command("new-key")
@unsigned_in
def new_key(
    desk: Desk,
    *,
    code: Annotated[str, typer.Option(prompt=True, hide_input=True, help="The code that you were handed.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Enrol your first or new key with the code that an administrator handed you."""
    made = desk.client.keys.enrol_key(code=code, passphrase=passphrase(passphrase_file))
    desk.answer(made, f"new key of {made.login}; roles that take a grant are granted anew")


@app.command("invite")
@acting
def invite(desk: Desk, person: str, *, passphrase_file: PassphraseFile = None, key: KeyFile = None) -> None:
    """Print the code with which you link your account at the identity provider; nobody links another's."""
    present = desk.present(key, passphrase_file, purpose=LINKING)
    made = desk.client.people.invite(person, purpose="sign-on", **present)
    desk.answer(made, made.code)
