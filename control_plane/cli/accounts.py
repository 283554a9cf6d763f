"""`token`, `session`, `grant`, `delegate`: accounts from the command line.

Passphrases come from a file, the environment or a question; a token is printed once, on stdout. With `--key` one's own
key shows that one is here, or signs what is granted once its terms are shown.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import PassphraseFile, Reason
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.going_out import TIMES
from control_plane.cli.key import KeyFile
from control_plane.cli.pen import Pen, signing
from control_plane.purposes import doing
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import GrantRecord

__all__ = ["delegate", "grant_app", "session_app", "token_app"]

token_app = typer.Typer(help="API tokens of people and machines.", no_args_is_help=True)
session_app = typer.Typer(help="Sessions in browsers that are open.", no_args_is_help=True)
grant_app = typer.Typer(help="Who holds which role now, and who says so.", no_args_is_help=True)
Days = Annotated[int, typer.Option(help="For how many days; 0: as long as the approval rules allow.", min=0, max=366)]
Since = Annotated[datetime | None, typer.Option(help="When it begins, in UTC; now if nothing is said.", formats=TIMES)]
SCOPES = (
    "What it is good for, may be repeated: read (the default), propose, check, comment, approve, release, withdraw, "
    "records, audit, admin; the first four for a machine."
)


@token_app.command("list")
@reading
def list_tokens(
    desk: Desk, *, person: Annotated[str, typer.Option(help="Login or id; all that you may see without it.")] = ""
) -> None:
    """List tokens, newest first: for what, until when, last used about when."""
    logins = desk.logins()
    whose = desk.person(person, among=logins) if person else ""
    found = tuple(one for one in desk.client.tokens.list() if not whose or one.person == whose)
    ends = {one.id: "revoked" if one.revoked_at else f"until {one.expires_at:%Y-%m-%d}" for one in found}
    lines = [
        f"{one.id}  {logins.get(one.person, one.person)}  {one.name}  {ends[one.id]}  " + ", ".join(one.scopes)
        for one in found
    ]
    desk.answer(found, "\n".join(lines))


@token_app.command("issue")
@acting
def issue(
    desk: Desk,
    name: str,
    *,
    scope: Annotated[list[str], typer.Option(help=SCOPES)] = [],
    days: Annotated[int, typer.Option(help="Until it expires.", min=1, max=365)] = 90,
    machine: Annotated[str, typer.Option(help="Name of the machine that uses it and that you answer for.")] = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Issue a token and print it, this once."""
    present = desk.present(key, passphrase_file, purpose=doing("issue-token", name, days, machine, *scope))
    made = desk.client.tokens.issue_token(name=name, scopes=scope, days=days, machine=machine, **present)
    desk.answer(made, made.text)


@token_app.command("revoke")
@acting
def revoke(desk: Desk, identity: str) -> None:
    """Revoke a token: it is good for nothing from now on."""
    made = desk.client.tokens.revoke_token(identity)
    desk.answer(made, f"revoked: {made.id}")


@session_app.command("list")
@acting
def list_sessions(desk: Desk) -> None:
    """List the open sessions in browsers, newest first: your own, or as an administrator everybody's."""
    found, logins = desk.client.sessions.list(), desk.logins()
    lines = [
        f"{one.id}  {logins.get(one.person, one.person)}  since {one.at:%Y-%m-%d %H:%M}, "
        f"used {one.seen_at:%Y-%m-%d %H:%M}, until {one.expires_at:%Y-%m-%d %H:%M} at most"
        for one in found
    ]
    desk.answer(found, "\n".join(lines) or "no open sessions")


@session_app.command("end")
@acting
def end_session(
    desk: Desk,
    identity: Annotated[str, typer.Argument(metavar="SESSION", help="Id of the session, see `session list`.")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="All of your own.")] = False,
) -> None:
    """End a session in a browser, or all of your own: whoever used it signs in again."""
    if bool(identity) == every:
        raise InvalidDocument("expected the id of a session, or --all, got both or neither")
    if every:
        desk.client.session.sign_out(everywhere=True)
    else:
        desk.client.sessions.end_session(identity)
    desk.answer({"ended": identity or "all"}, "ended")


@grant_app.command("list")
@reading
def list_grants(
    desk: Desk, *, in_force: Annotated[bool, typer.Option(help="Only those in force now.")] = False
) -> None:
    """List grants and delegations, newest first."""
    found = desk.client.grants.list(in_force=in_force)
    desk.answer(found, "\n".join(map(_line, found)))


@grant_app.command("propose")
@signing
def propose(
    desk: Desk,
    pen: Pen,
    person: str,
    role: str,
    *,
    reason: Reason,
    days: Days = 0,
    follows: Annotated[str, typer.Option(help="Id of the grant that it takes over from.")] = "",
    since: Since = None,
) -> None:
    """Sign a grant as the first of two people, neither of whom it is for."""
    wanted = {"person": desk.person(person), "role": role, "days": days, "previous": follows, "since": _utc(since)}
    what = {**wanted, "reason": reason}
    made = pen.agree(desk.client.unsigned.grant, desk.client.grants.propose_grant, what, wanted=wanted)
    desk.answer(made, f"{_line(made)}\n{made.digest}")


@grant_app.command("sign")
@signing
def sign(
    desk: Desk,
    pen: Pen,
    identity: str,
    *,
    digest: Annotated[str, typer.Option(help="Digest of the grant that you looked at.")],
    reason: Reason,
) -> None:
    """Sign a grant as the second person: it is in force then."""
    what = {"identity": identity, "digest": digest, "reason": reason}
    made = pen.agree(desk.client.unsigned.second, desk.client.grants.sign_grant, what, wanted={"digest": digest})
    desk.answer(made, _line(made))


@grant_app.command("end")
@acting
def end(
    desk: Desk, identity: str, *, reason: Reason, passphrase_file: PassphraseFile = None, key: KeyFile = None
) -> None:
    """End a grant or a delegation at once: one person is enough."""
    present = desk.present(key, passphrase_file, purpose=doing("end-grant", identity))
    made = desk.client.grants.end_grant(identity, reason=reason, **present)
    desk.answer(made, _line(made))


@grant_app.command("open")
@reading
def what_is_open(desk: Desk, identity: str) -> None:
    """List what is open for the role of a grant, for its successor to take note of."""
    found = desk.client.grants.what_is_open(identity)
    lines = [f"{item.kind:12} {item.name} {item.due}".rstrip() for item in found.items]
    more = [] if found.complete else ["… and more of a kind than are listed"]
    desk.answer(found, "\n".join([*lines, *more, found.digest]))


@grant_app.command("take-over")
@acting
def take_over(
    desk: Desk,
    identity: str,
    *,
    digest: Annotated[str, typer.Option(help="Digest of the list that you looked at, see `grant open`.")],
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Take note of what is open, as the successor: you hold the role from then on."""
    present = desk.present(key, passphrase_file, purpose=doing("hand-over", identity, digest))
    made = desk.client.grants.take_over(identity, digest=digest, **present)
    desk.answer(made, _line(made))


@signing
def delegate(
    desk: Desk,
    pen: Pen,
    person: str,
    role: str,
    *,
    reason: Reason,
    days: Annotated[int, typer.Option(help="For how many days.", min=1, max=56)],
    since: Since = None,
) -> None:
    """Let another person act in a role of yours while you are away."""
    until = (_utc(since) or datetime.now(UTC).replace(microsecond=0)) + timedelta(days=days)
    wanted = {"person": desk.person(person), "role": role, "until": until, "since": _utc(since)}
    what = {**wanted, "reason": reason}
    made = pen.agree(desk.client.unsigned.delegation, desk.client.delegations.delegate, what, wanted=wanted)
    desk.answer(made, _line(made))


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _line(one: GrantRecord) -> str:
    behalf = f" for {one.behalf}" if one.behalf else ""
    return f"{one.id}  {one.person}  {one.role}{behalf}  {one.state}  {one.since:%Y-%m-%d} to {one.until:%Y-%m-%d}"
