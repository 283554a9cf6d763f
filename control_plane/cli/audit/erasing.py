"""`mentorplane audit erase` and `mentorplane audit retention`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, REFUSED, As, Home, Json, PassphraseFile, answer, opened, signing

__all__ = ["erase", "retention"]

Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Ticket = Annotated[str, typer.Option(help="Reference to the request, such as a case number.")]

retention = typer.Typer(help="How long texts of people are kept.", no_args_is_help=True)


def erase(
    person: Annotated[str, typer.Argument(help="Login or id of whose texts.")],
    *,
    actor: As,
    reason: Reason,
    ticket: Ticket = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, say what would be erased.")] = False,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Erase every text of a person, name and reasons, for good: the log keeps its proofs and says who did it."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts import erasing

        if not yes:
            keys, entries, holds = erasing.preview(plane, person)
            text = f"{keys} keys to the texts of {entries} entries would be destroyed, for good: say --yes to do it"
            if holds:
                text = f"nothing would be erased: {', '.join(holds)} in force, see `mentorplane audit hold list`"
            made = {"keys": keys, "concerned": entries, "holds": list(holds), "erased": False}
            answer(made, as_json=as_json, text=text)
        else:
            by, secret = signing(plane, actor, passphrase_file)
            done = erasing.erase(plane, person, by=by, reason=reason, passphrase=secret, ticket=ticket)
            answer({"erased": True, **_plain(done)}, as_json=as_json, text=_said(done))
    if not yes:
        sys.exit(REFUSED)


@retention.command("show")
def retention_show(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show how long texts are kept, in days after their month, and whether reading the log is logged."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts.retention import settings

        found = settings(plane)
        answer(found, as_json=as_json, text="\n".join(f"{name:22} {value}" for name, value in found.items()))


@retention.command("set")
def retention_set(
    name: Annotated[str, typer.Argument(help="Which setting, see `retention show`.")],
    value: Annotated[str, typer.Argument(help="Days, on, or off.")],
    *,
    actor: As,
    reason: Reason,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Change a setting; the log says so before it takes effect."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts.retention import change_setting

        by, secret = signing(plane, actor, passphrase_file)
        entry = change_setting(plane, name, value, by=by, reason=reason, passphrase=secret)
        made = {"name": name, "value": value, "entry": entry}
        answer(made, as_json=as_json, text=f"{name} is {value}, audit entry {entry}")


@retention.command("apply")
def retention_apply(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Erase the texts that are older than they are kept, but for those under a legal hold."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.texts import erasing

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
