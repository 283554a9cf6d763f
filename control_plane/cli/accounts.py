"""`people`, `token`, `grant`, `delegate`: accounts from the command line.

Passphrases come from a file, the environment or a question; a token or code is printed once, on stdout.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import (
    DEFAULT_HOME,
    As,
    Home,
    Json,
    PassphraseFile,
    answer,
    opened,
    passphrase,
    signing,
)
from control_plane.cli.key import KeyFile, present_by

if TYPE_CHECKING:
    from control_plane.accounts.grants import GrantRecord

__all__ = ["delegate", "grant_app", "people_app", "token_app"]

people_app = typer.Typer(help="People: who is there, addresses, new keys, linked accounts.", no_args_is_help=True)
token_app = typer.Typer(help="API tokens of people and machines.", no_args_is_help=True)
grant_app = typer.Typer(help="Who holds which role now, and who says so.", no_args_is_help=True)
Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Days = Annotated[int, typer.Option(help="For how many days; 0: as long as the approval rules allow.", min=0, max=366)]


@people_app.command("list")
def list_people(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List everybody, with the roles that they hold now."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people

        found = people.list_people(plane)
        holds = {one.id: people.holds_of(plane, one.id) for one in found}
        lines = [
            f"{one.login:12} {one.id}  "
            + ("left" if one.left else "")
            + ", ".join(f"{held.role} for {held.behalf}" if held.behalf else held.role for held in holds[one.id])
            for one in found
        ]
        value = [{"person": one, "holds": holds[one.id]} for one in found]
        answer(value, as_json=as_json, text="\n".join(lines))


@people_app.command("enrol")
def enrol(
    login: str,
    *,
    actor: As,
    name: Annotated[str, typer.Option(help="Their name, as pages show it.")],
    role: Annotated[list[str], typer.Option(help="What they are eligible for; one at least.")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Enrol somebody; prints the code with which they choose a passphrase; roles that take a grant are granted then."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people

        new = people.NewPerson(login, name, tuple(role))
        made = people.enrol(plane, new, actor=people.find_person(plane, actor).id)
        who = made.person
        said = f"enrolled: {who.login} {who.id}, eligible as {', '.join(who.roles)}\n{made.code}"
        answer(made, as_json=as_json, text=said)


@people_app.command("address")
def address(
    person: str,
    *,
    actor: As,
    address: Annotated[str, typer.Option(help="The address; without it, it is read from standard input.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the address that is there.")] = False,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Set where somebody gets mail: one's own address, or as an administrator another's."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import addresses, people

        by, whose = (people.find_person(plane, one).id for one in (actor, person))
        secret = "" if by == whose else passphrase(passphrase_file)
        if remove:
            addresses.remove_address(plane, by, whose, passphrase=secret)
        else:
            given = address or (typer.prompt("Address", err=True) if sys.stdin.isatty() else sys.stdin.readline())
            addresses.set_address(plane, by, whose, address=given, passphrase=secret)
        answer({"person": whose}, as_json=as_json, text="removed" if remove else "set")


@people_app.command("retire-key")
def retire_key(
    person: str,
    *,
    actor: As,
    reason: Reason,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Retire the key of somebody who forgot their passphrase; prints the code that enrols a new one."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import retiring

        by, secret = signing(plane, actor, passphrase_file)
        code = retiring.retire_key(plane, by, person, reason=reason, passphrase=secret)
        answer({"code": code}, as_json=as_json, text=code)


@people_app.command("retire")
def retire(
    person: str,
    *,
    actor: As,
    reason: Reason,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Sign that somebody leaves; the second of two people ends every role, token and session of theirs."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import leaving, people

        by, whose = (people.find_person(plane, one) for one in (actor, person))
        present = present_by(key, passphrase_file, purpose=leaving.leaving(whose.id))
        left = leaving.retire_person(plane, by.id, whose.id, reason=reason, present=present)
        said = "has left" if left else "leaves once a second person signs it"
        answer({"person": whose.id, "left": left}, as_json=as_json, text=f"{whose.login} {said}")


@people_app.command("new-key")
def new_key(
    code: Annotated[str, typer.Option(prompt=True, hide_input=True, help="The code that you were handed.")],
    *,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Enrol your first or new key with the code that an administrator handed you."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import retiring

        made = retiring.enrol_key(plane, code, passphrase(passphrase_file))
        answer(made, as_json=as_json, text=f"new key of {made.login}; roles that take a grant are granted anew")


@people_app.command("invite")
def invite(
    person: str,
    *,
    actor: As,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Print the code with which you link your account at the identity provider; nobody links another's."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import invitations, people

        by = people.find_person(plane, actor).id
        present = present_by(key, passphrase_file, purpose=invitations.LINKING)
        code = invitations.invite(plane, by, person, purpose=invitations.SIGN_ON, present=present)
        answer({"code": code}, as_json=as_json, text=code)


SCOPES = (
    "What it is good for, may be repeated: read (the default), propose, check, comment, approve, release, withdraw, "
    "records, audit, admin; the first four for a machine."
)


@token_app.command("list")
def list_tokens(
    *,
    person: Annotated[str, typer.Option(help="Login or id; everybody's without it.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List tokens, newest first: for what, until when, last used about when."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people, tokens

        found = tokens.list_tokens(plane, person=person)
        logins = people.logins(plane)
        ends = {one.id: "revoked" if one.revoked_at else f"until {one.expires_at:%Y-%m-%d}" for one in found}
        lines = [
            f"{one.id}  {logins.get(one.person, one.person)}  {one.name}  {ends[one.id]}  " + ", ".join(one.scopes)
            for one in found
        ]
        answer(found, as_json=as_json, text="\n".join(lines))


@token_app.command("issue")
def issue(
    name: str,
    *,
    actor: As,
    scope: Annotated[list[str], typer.Option(help=SCOPES)] = [],
    days: Annotated[int, typer.Option(help="Until it expires.", min=1, max=365)] = 90,
    machine: Annotated[str, typer.Option(help="Name of the machine that uses it and that you answer for.")] = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Issue a token and print it, this once."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import tokens

        by, secret = signing(plane, actor, passphrase_file)
        made = tokens.issue(plane, by, name=name, passphrase=secret, scopes=scope, days=days, machine=machine)
        answer({"token": made.token, "text": made.text}, as_json=as_json, text=made.text)


@token_app.command("revoke")
def revoke(identity: str, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Revoke a token: it is good for nothing from now on."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people, tokens

        made = tokens.revoke(plane, people.find_person(plane, actor).id, identity)
        answer(made, as_json=as_json, text=f"revoked: {made.id}")


@grant_app.command("list")
def list_grants(
    *,
    in_force: Annotated[bool, typer.Option(help="Only those in force now.")] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List grants and delegations, newest first."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import grants

        found = grants.list_grants(plane, now_only=in_force)
        answer(found, as_json=as_json, text="\n".join(_line(one) for one in found))


@grant_app.command("propose")
def propose(
    person: str,
    role: str,
    *,
    actor: As,
    reason: Reason,
    days: Days = 0,
    follows: Annotated[str, typer.Option(help="Id of the grant that it takes over from.")] = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Sign a grant as the first of two people, neither of whom it is for."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import grants

        by, secret = signing(plane, actor, passphrase_file)
        making = grants.Making(person, role, days=days, previous=follows)
        made = grants.propose(plane, by, making, reason=reason, passphrase=secret)
        answer(made, as_json=as_json, text=f"{_line(made)}\n{made.digest}")


@grant_app.command("sign")
def sign(
    identity: str,
    *,
    actor: As,
    digest: Annotated[str, typer.Option(help="Digest of the grant that you looked at.")],
    reason: Reason,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Sign a grant as the second person: it is in force then."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import grants

        by, secret = signing(plane, actor, passphrase_file)
        made = grants.sign(plane, by, identity, digest=digest, reason=reason, passphrase=secret)
        answer(made, as_json=as_json, text=_line(made))


@grant_app.command("end")
def end(
    identity: str,
    *,
    actor: As,
    reason: Reason,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """End a grant or a delegation at once: one person is enough."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import grants

        by, secret = signing(plane, actor, passphrase_file)
        answer(
            made := grants.end(plane, by, identity, reason=reason, passphrase=secret), as_json=as_json, text=_line(made)
        )


@grant_app.command("open")
def what_is_open(identity: str, *, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List what is open for the role of a grant, for its successor to take note of."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import handover

        found = handover.checklist(plane, identity)
        lines = [f"{item.kind:12} {item.name} {item.due}".rstrip() for item in found.items]
        answer(found, as_json=as_json, text="\n".join([*lines, found.digest]))


@grant_app.command("take-over")
def take_over(
    identity: str,
    *,
    actor: As,
    digest: Annotated[str, typer.Option(help="Digest of the list that you looked at, see `grant open`.")],
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Take note of what is open, as the successor: you hold the role from then on."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import handover

        by, secret = signing(plane, actor, passphrase_file)
        made = handover.acknowledge(plane, by, identity, digest=digest, passphrase=secret)
        answer(made, as_json=as_json, text=_line(made))


def delegate(
    person: str,
    role: str,
    *,
    actor: As,
    reason: Reason,
    days: Annotated[int, typer.Option(help="For how many days from now.", min=1, max=56)],
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Let another person act in a role of yours while you are away."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import delegations

        by, secret = signing(plane, actor, passphrase_file)
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
        made = delegations.delegate(plane, by, person=person, role=role, until=until, reason=reason, passphrase=secret)
        answer(made, as_json=as_json, text=_line(made))


def _line(one: GrantRecord) -> str:
    behalf = f" for {one.behalf}" if one.behalf else ""
    return f"{one.id}  {one.person}  {one.role}{behalf}  {one.state}  {one.since:%Y-%m-%d} to {one.until:%Y-%m-%d}"
