"""`mentorplane proposal …`: threads, objections, requests, conflicts, closing, batches of approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import Number, PassphraseFile, Reason
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.key import Deciding, KeyFile, decided
from control_plane.cli.pen import Pen, signing
from control_plane.cli.shown import whole_digest
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import Lines, Requested, Thread

__all__ = ["DISCUSSING"]

ThreadNumber = Annotated[int, typer.Option("--thread", help="Number of the thread.", min=1, max=2**31 - 1)]
Line = Annotated[
    str, typer.Option("--at", help="Lines it is about: KIND/NAME:FIRST or KIND/NAME:FIRST-LAST.", show_default=False)
]
Text = Annotated[str, typer.Option("--text", help="What you say.")]
People = Annotated[list[str], typer.Option("--person", help="Login or id; may be repeated.")]
MyRole = Annotated[str, typer.Option("--my-role", help="In which role you ask; the only one that fits if none.")]
Roles = Annotated[list[str], typer.Option("--role", help="Anybody in this role; may be repeated.")]


def _lines(at: str) -> Lines | None:
    from control_plane.client.records import Lines

    if not at:
        return None
    where, _, lines = at.rpartition(":")
    kind, _, name = where.partition("/")
    first, _, last = lines.partition("-")
    if not (kind and name and first.isascii() and first.isdecimal() and (not last or last.isdecimal())):
        raise InvalidDocument("expected --at KIND/NAME:FIRST or KIND/NAME:FIRST-LAST, such as prompt/opener:12-14")
    return Lines(kind, name, int(first), int(last or 0))


def _said(thread: Thread) -> str:
    where = f" {thread.kind}/{thread.name}:{thread.first}-{thread.last}" if thread.kind else ""
    where += ", outdated" if thread.outdated else ""
    what = "objection" if thread.objection else "thread"
    lines = [f"{what} {thread.number}{where}" + (", resolved" if thread.resolved_by else "")]
    lines += [f"    | {line}" for line in thread.quoted]
    lines += [f"    {one.person} {one.at:%Y-%m-%d %H:%M}: {one.text}" for one in thread.comments]
    return "\n".join(lines)


@acting
def comment(desk: Desk, number: Number, *, text: Text, at: Line = "") -> None:
    """Begin a thread about a proposal, or about lines of one of its files."""
    made = desk.client.proposals.comment(number, text=text, lines=_lines(at))
    desk.answer(made, _said(made))


@acting
def reply(desk: Desk, number: Number, *, thread: ThreadNumber, text: Text) -> None:
    """Reply in a thread; what was said is never edited."""
    made = desk.client.proposals.reply(number, thread, text=text)
    desk.answer(made, _said(made))


@acting
def resolve(desk: Desk, number: Number, *, thread: ThreadNumber) -> None:
    """Resolve a thread."""
    made = desk.client.proposals.resolve(number, thread)
    desk.answer(made, _said(made))


@acting
def reopen(desk: Desk, number: Number, *, thread: ThreadNumber) -> None:
    """Reopen a thread."""
    made = desk.client.proposals.reopen(number, thread)
    desk.answer(made, _said(made))


@reading
def threads(desk: Desk, number: Number) -> None:
    """Show the threads and objections of a proposal."""
    found = desk.client.proposals.list_threads(number)
    desk.answer(found, "\n".join(map(_said, found)))


@acting
def object_(
    desk: Desk,
    number: Number,
    *,
    role: Annotated[str, typer.Option(help="Role in which you object.")],
    reason: Reason,
    manifest: Annotated[str, typer.Option("--manifest", help="Manifest digest that you looked at.")],
    at: Line = "",
) -> None:
    """Object: nothing is released until you take it back or the content changes."""
    seen = whole_digest(desk.client, number, manifest)
    made = desk.client.proposals.object_to(number, role=role, reason=reason, manifest=seen, lines=_lines(at))
    desk.answer(made, f"proposal {number} is blocked by your objection, thread {made.thread}")


@acting
def take_back(
    desk: Desk,
    number: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, if you like to say.")] = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Take back your own objection or rejection, with your passphrase or your own key."""
    from control_plane.purposes import taking_back

    present = desk.present(key, passphrase_file, purpose=taking_back(number))
    desk.client.proposals.take_back(number, reason=reason, **present)
    desk.answer({"proposal": number}, f"proposal {number}: your objection is taken back")


@acting
def request(desk: Desk, number: Number, *, person: People = [], role: Roles = [], my_role: MyRole = "") -> None:
    """Ask people, or anybody in some roles, to look at a proposal."""
    found = desk.client.proposals.request(number, people=person, roles=role, my_role=my_role)
    desk.answer(found, _asked(found))


@acting
def unrequest(
    desk: Desk,
    number: Number,
    *,
    person: Annotated[str, typer.Option("--person", help="Login or id.")] = "",
    role: Annotated[str, typer.Option("--role", help="A role.")] = "",
    my_role: MyRole = "",
) -> None:
    """Ask somebody, or a role, no longer."""
    found = desk.client.proposals.end_request(number, person=person, role=role, my_role=my_role)
    desk.answer(found, _asked(found))


def _asked(found: tuple[Requested, ...]) -> str:
    return "\n".join(f"asked: {one.person or one.role}" for one in found)


@reading
def conflicts(desk: Desk, number: Number) -> None:
    """Show the files of a proposal that the live release changed as well, with both sides."""
    found = desk.client.proposals.list_conflicts(number)
    lines = []
    for one in found:
        how = "changed in other lines only: rebase --merged takes both" if one.merged else "write it anew"
        lines.append(f"{one.kind} {one.name}: {how}")
        lines += _sides(one.base or "", one.theirs or "", "live") + _sides(one.base or "", one.mine or "", "yours")
    desk.answer(found, "\n".join(lines) or "no conflicts")


def _sides(base: str, side: str, name: str) -> list[str]:
    from difflib import unified_diff

    made = unified_diff(base.splitlines(), side.splitlines(), "where both began", name, lineterm="", n=1)
    return [f"    {line}" for line in made]


@acting
def close(
    desk: Desk,
    number: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, if you like to say.")] = "",
) -> None:
    """Close a proposal of yours for good."""
    made = desk.client.proposals.close(number, reason=reason)
    desk.answer(made, f"proposal {made.number} is closed")


@signing
def approve(
    desk: Desk,
    pen: Pen,
    *,
    batch: Annotated[list[int], typer.Option("--batch", help="Number of a proposal; may be repeated.")],
    role: Annotated[str, typer.Option(help="Role in which you sign.")],
    reason: Reason,
) -> None:
    """Approve several proposals with one signature act; you opened each with `proposal show --open`."""
    from control_plane.client.records import ItemInput

    seen = {number: desk.client.proposals.get(number).proposal.manifest for number in batch}
    items = [ItemInput(number, manifest, role, reason) for number, manifest in seen.items()]
    signature = pen.signature(lambda: decided(desk, seen, Deciding(role, reason), own=pen.own, secret=pen.secret))
    made = desk.client.approvals.approve_batch(items=items, **signature)
    lines = (f"proposal {one.number}, revision {one.revision}, {one.state}: {one.manifest}" for one in made)
    desk.answer(made, "\n".join(lines))


DISCUSSING = (
    *(comment, reply, resolve, reopen, threads, object_, take_back, request, unrequest),
    *(conflicts, close, approve),
)
"""In the order in which the help shows them."""
