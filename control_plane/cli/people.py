"""`mentorplane people`: who is there, addresses, new keys, linked accounts, who leaves.

Passphrases and codes come from a file, the environment or a question; a new code is printed once, on stdout.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import CodeFile, PassphraseFile, Reason, codes, passphrase
from control_plane.cli.desk import Desk, acting, reading, unsigned_in
from control_plane.cli.key import KeyFile
from control_plane.purposes import LINKING, doing, leaving

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
    key: KeyFile = None,
) -> None:
    """Set where somebody gets mail: one's own address, or as an administrator another's."""
    use, whose = desk.client.people, desk.person(person)
    given = ""
    if not remove:
        given = address or (typer.prompt("Address", err=True) if sys.stdin.isatty() else sys.stdin.readline())
        given = given.strip() or "-"  # nothing was said: no address either, and not to remove the one that is there
    if whose != use.me().id:
        purpose = doing("set-address", whose, given) if given else doing("remove-address", whose)
        use.set_address_of(whose, address=given, **desk.present(key, passphrase_file, purpose=purpose))
    elif given:
        use.set_address(address=given)
    else:
        use.remove_address()
    desk.answer({"person": whose}, "removed" if remove else "set")


@app.command("retire-key")
@acting
def retire_key(
    desk: Desk, person: str, *, reason: Reason, passphrase_file: PassphraseFile = None, key: KeyFile = None
) -> None:
    """Retire the key of somebody who forgot their passphrase; two people let them in again, see `new-code`."""
    whose = desk.person(person)
    present = desk.present(key, passphrase_file, purpose=doing("retire-key", whose))
    made = desk.client.people.retire_key(whose, reason=reason, **present)
    desk.answer(made, f"the key of {made.login} is retired; two people let them in again by `people new-code`")


@app.command("new-code")
@acting
def new_code(desk: Desk, person: str, *, passphrase_file: PassphraseFile = None, key: KeyFile = None) -> None:
    """Print a code for somebody: the one for a first key, or one of the two, of two people, for a new key."""
    whose = desk.person(person)
    present = desk.present(key, passphrase_file, purpose=doing("invite", whose))
    made = desk.client.people.invite(whose, purpose="new-key", **present)
    desk.answer(made, made.code)


@app.command("retire")
@acting
def retire(
    desk: Desk, person: str, *, reason: Reason, passphrase_file: PassphraseFile = None, key: KeyFile = None
) -> None:
    """Sign that somebody leaves; the second of two people ends every role, token and session of theirs."""
    logins = desk.logins()
    whose = desk.person(person, among=logins)
    present = desk.present(key, passphrase_file, purpose=leaving(whose))
    left = desk.client.people.retire_person(whose, reason=reason, **present).left
    said = "has left" if left else "leaves once a second person signs it"
    desk.answer({"person": whose, "left": left}, f"{logins[whose]} {said}")


@app.command("new-key")
@unsigned_in
def new_key(desk: Desk, *, code_file: CodeFile = None, passphrase_file: PassphraseFile = None) -> None:
    """Enrol your first key with the code that an administrator handed you, or a new one with those of two people."""
    made = desk.client.keys.enrol_key(code=codes(code_file), passphrase=passphrase(passphrase_file))
    desk.answer(made, f"new key of {made.login}; roles that take a grant are granted anew")


@app.command("invite")
@acting
def invite(desk: Desk, person: str, *, passphrase_file: PassphraseFile = None, key: KeyFile = None) -> None:
    """Print the code with which you link your account at the identity provider; nobody links another's."""
    present = desk.present(key, passphrase_file, purpose=LINKING)
    made = desk.client.people.invite(person, purpose="sign-on", **present)
    desk.answer(made, made.code)
