"""`mentorplane audit erase` and `mentorplane audit retention`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from control_plane.cli.common import (
    DEFAULT_HOME,
    REFUSED,
    ActingRole,
    Home,
    Json,
    PassphraseFile,
    Reason,
    Ticket,
    answer,
    opened,
)
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.key import KeyFile
from control_plane.purposes import doing

__all__ = ["erase", "retention"]

retention = typer.Typer(help="How long texts of people are kept.", no_args_is_help=True)


@reading
def erase(
    desk: Desk,
    person: Annotated[str, typer.Argument(help="Login or id of whose texts.")],
    *,
    reason: Reason,
    ticket: Ticket = "",
    role: ActingRole = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, say what would be erased.")] = False,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Erase every text of a person, name and reasons, for good: the log keeps its proofs and says who did it."""
    if yes:
        desk.require_name()
        whose = desk.person(person)
        present = desk.present(key, passphrase_file, purpose=doing("erase", whose))
        done = desk.client.people.erase_texts(whose, reason=reason, ticket=ticket, role=role, **present)
        desk.answer({"erased": True, **_plain(done)}, _said(done))
        return
    found = desk.client.people.preview_erasure(person)
    text = f"{found.keys} keys to the texts of {found.concerned} entries would be destroyed, for good: "
    text += "say --yes to do it"
    if found.holds:
        text = f"nothing would be erased: {', '.join(found.holds)} in force, see `mentorplane audit hold list`"
    desk.answer({"keys": found.keys, "concerned": found.concerned, "holds": found.holds, "erased": False}, text)
    sys.exit(REFUSED)


@retention.command("show")
@reading
def retention_show(desk: Desk) -> None:
    """Show how long texts are kept, in days after their month, and whether reading the log is logged."""
    found = desk.client.retention.get()
    desk.answer(found, "\n".join(f"{name:22} {value}" for name, value in found.items()))


@retention.command("set")
@acting
def retention_set(
    desk: Desk,
    name: Annotated[str, typer.Argument(help="Which setting, see `retention show`.")],
    value: Annotated[str, typer.Argument(help="Days, on, or off.")],
    *,
    reason: Reason,
    role: ActingRole = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Change a setting; the log says so before it takes effect."""
    present = desk.present(key, passphrase_file, purpose=doing("change-setting", name, value))
    made = desk.client.retention.change_retention(name, value=value, reason=reason, role=role, **present)
    desk.answer(made, f"{name} is {value}, audit entry {made.entry}")


@retention.command("apply")
def retention_apply(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Erase the texts that are older than they are kept, but for those under a legal hold.

    Runs on the server's machine.
    """
    with opened(home, as_json=as_json) as plane:
        from control_plane.keeping import erasing

        done = erasing.expire(plane)
        answer(_plain(done), as_json=as_json, text=_said(done))


def _plain(done: object) -> dict[str, object]:
    return {name: getattr(done, name) for name in ("keys", "entries", "concerned")}


def _said(done: object) -> str:
    made = _plain(done)
    if not made["keys"]:
        return "nothing to erase"
    entries = ", ".join(map(str, getattr(done, "entries", ())))
    return f"texts of {made['concerned']} entries erased; audit entries {entries}"
