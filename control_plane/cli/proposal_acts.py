"""`mentorplane proposal …`: threads, objections, requests, rebase, close, duplicate, batches of approvals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Channel, Home, Json, PassphraseFile, answer, opened, passphrase
from control_plane.cli.drafting import DRAFTING, People, acting
from control_plane.cli.key import KeyFile, present_by
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane
    from control_plane.reviewing.records import Anchor, Thread

__all__ = ["add_commands"]

Number = Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)]
ThreadNumber = Annotated[int, typer.Option("--thread", help="Number of the thread.", min=1, max=2**31 - 1)]
Line = Annotated[
    str, typer.Option("--at", help="Lines it is about: KIND/NAME:FIRST or KIND/NAME:FIRST-LAST.", show_default=False)
]
Text = Annotated[str, typer.Option("--text", help="What you say.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in your own words.")]


def add_commands(app: typer.Typer) -> None:
    """Put these commands beside those that show proposals."""
    talking = (comment, reply, resolve, reopen, threads, object_, take_back, request, unrequest)
    for act in (*talking, *DRAFTING, conflicts, rebase, close, duplicate, approve):
        app.command(act.__name__.rstrip("_").replace("_", "-"))(act)


def _anchor(at: str) -> Anchor | None:
    from control_plane.reviewing.records import Anchor

    if not at:
        return None
    where, _, lines = at.rpartition(":")
    kind, _, name = where.partition("/")
    first, _, last = lines.partition("-")
    if not (kind and name and first.isascii() and first.isdecimal() and (not last or last.isdecimal())):
        raise InvalidDocument("expected --at KIND/NAME:FIRST or KIND/NAME:FIRST-LAST, such as prompt/opener:12-14")
    return Anchor(kind, name, int(first), int(last or 0))


def _said(thread: Thread) -> str:
    where = f" {thread.kind}/{thread.name}:{thread.first}-{thread.last}" if thread.kind else ""
    where += ", outdated" if thread.outdated else ""
    what = "objection" if thread.objection else "thread"
    lines = [f"{what} {thread.number}{where}" + (", resolved" if thread.resolved_by else "")]
    lines += [f"    | {line}" for line in thread.quoted]
    lines += [f"    {one.person} {one.at:%Y-%m-%d %H:%M}: {one.text}" for one in thread.comments]
    return "\n".join(lines)


def comment(
    number: Number, *, actor: As, text: Text, at: Line = "", home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """Begin a thread about a proposal, or about lines of one of its files."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import threads as use

        made = use.comment(plane, person, number, text=text, anchor=_anchor(at), auth=_unproven())
        answer(made, as_json=as_json, text=_said(made))


def reply(
    number: Number,
    *,
    actor: As,
    thread: ThreadNumber,
    text: Text,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Reply in a thread; what was said is never edited."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import threads as use

        made = use.reply(plane, person, number, thread=thread, text=text, auth=_unproven())
        answer(made, as_json=as_json, text=_said(made))


def resolve(
    number: Number, *, actor: As, thread: ThreadNumber, home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """Resolve a thread."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import threads as use

        made = use.resolve(plane, person, number, thread=thread, auth=_unproven())
        answer(made, as_json=as_json, text=_said(made))


def reopen(
    number: Number, *, actor: As, thread: ThreadNumber, home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """Reopen a thread."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import threads as use

        made = use.reopen(plane, person, number, thread=thread, auth=_unproven())
        answer(made, as_json=as_json, text=_said(made))


def threads(number: Number, *, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show the threads and objections of a proposal."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.reviewing import threads as use

        found = use.list_threads(plane, number)
        answer(found, as_json=as_json, text="\n".join(map(_said, found)))


def object_(
    number: Number,
    *,
    actor: As,
    role: Annotated[str, typer.Option(help="Role in which you object.")],
    reason: Why,
    manifest: Annotated[str, typer.Option("--manifest", help="Manifest digest that you looked at.")],
    at: Line = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Object: nothing is released until you take it back or the content changes."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.cli.workflow import whole_digest
        from control_plane.reviewing import objections

        seen = whole_digest(plane, number, manifest)
        made = objections.object_to(
            plane, person, number, role=role, reason=reason, manifest=seen, anchor=_anchor(at), auth=_unproven()
        )
        answer(made, as_json=as_json, text=f"proposal {number} is blocked by your objection, thread {made.thread}")


def take_back(
    number: Number,
    *,
    actor: As,
    reason: Annotated[str, typer.Option("--reason", help="Why, if you like to say.")] = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Take back your own objection or rejection, with your passphrase or your own key."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import objections

        present = present_by(key, passphrase_file, purpose=objections.taking_back(number))
        objections.take_back(plane, person, number, present=present, reason=reason)
        answer({"proposal": number}, as_json=as_json, text=f"proposal {number}: your objection is taken back")


Roles = Annotated[list[str], typer.Option("--role", help="Anybody in this role; may be repeated.")]


def request(
    number: Number,
    *,
    actor: As,
    person: People = [],
    role: Roles = [],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Ask people, or anybody in some roles, to look at a proposal."""
    with acting(home, actor, as_json=as_json) as (plane, by):
        from control_plane.reviewing import requested

        found = requested.request(plane, by, number, persons=person, roles=role, auth=_unproven())
        answer(found, as_json=as_json, text="\n".join(f"asked: {one.person or one.role}" for one in found))


def unrequest(
    number: Number,
    *,
    actor: As,
    person: Annotated[str, typer.Option("--person", help="Login or id.")] = "",
    role: Annotated[str, typer.Option("--role", help="A role.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Ask somebody, or a role, no longer."""
    with acting(home, actor, as_json=as_json) as (plane, by):
        from control_plane.reviewing import requested

        found = requested.end_request(plane, by, number, person=person, role=role, auth=_unproven())
        answer(found, as_json=as_json, text="\n".join(f"asked: {one.person or one.role}" for one in found))


def conflicts(number: Number, *, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show the files of a proposal that the live release changed as well, with both sides."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.reviewing.conflicts import conflicts_of

        found = conflicts_of(plane, number)
        lines = []
        for one in found:
            how = "changed in other lines only: rebase --merged takes both" if one.merged else "write it anew"
            lines.append(f"{one.kind} {one.name}: {how}")
            lines += _sides(one.base or "", one.theirs or "", "live") + _sides(one.base or "", one.mine or "", "yours")
        answer(found, as_json=as_json, text="\n".join(lines) or "no conflicts")


def _sides(base: str, side: str, name: str) -> list[str]:
    from difflib import unified_diff

    made = unified_diff(base.splitlines(), side.splitlines(), "where both began", name, lineterm="", n=1)
    return [f"    {line}" for line in made]


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


def close(
    number: Number,
    *,
    actor: As,
    reason: Annotated[str, typer.Option("--reason", help="Why, if you like to say.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Close a proposal of yours for good."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import closing

        made = closing.close(plane, person, number, reason=reason, auth=_unproven())
        answer(made, as_json=as_json, text=f"proposal {made.number} is closed")


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


def approve(
    batch: Annotated[list[int], typer.Option("--batch", help="Number of a proposal; may be repeated.")],
    *,
    actor: As,
    role: Annotated[str, typer.Option(help="Role in which you sign.")],
    reason: Why,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Approve several proposals with one signature act; you opened each with `proposal show --open`."""

    def act(plane: ControlPlane, person: str, secret: str) -> Any:
        from control_plane.registry import queries
        from control_plane.reviewing.batches import approve_batch
        from control_plane.reviewing.records import BatchItem

        seen = {number: queries.show_proposal(plane, number).proposal.manifest for number in batch}
        items = [BatchItem(number, manifest, role, reason) for number, manifest in seen.items()]
        return approve_batch(plane, person, items, passphrase=secret)

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
    with acting(home, actor, as_json=as_json) as (plane, person):
        made = act(plane, person, passphrase(passphrase_file))
        each = made if isinstance(made, tuple) else (made,)
        lines = (f"proposal {one.number}, revision {one.revision}, {one.state}: {one.manifest}" for one in each)
        answer(made, as_json=as_json, text="\n".join(lines))


def _unproven() -> Any:
    from audit.record import Auth

    return Auth.NONE
