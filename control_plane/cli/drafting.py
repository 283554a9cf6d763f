"""`mentorplane proposal draft` and what else becomes of drafts: what somebody works on before they propose it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import Channel, texts_of
from control_plane.cli.desk import Desk, acting
from control_plane.cli.pen import Pen, signing
from control_plane.cli.sync import registry_of

if TYPE_CHECKING:
    from control_plane.client.records import SavedDraft

__all__ = ["DRAFTING"]

DraftNumber = Annotated[int, typer.Argument(help="Number of the draft.", min=1, max=2**31 - 1)]
Files = Annotated[list[Path], typer.Argument(help="YAML files.", exists=True, dir_okay=False)]
People = Annotated[list[str], typer.Option("--person", help="Login or id; may be repeated.")]


@acting
def draft(
    desk: Desk,
    files: Files,
    *,
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    draft: Annotated[int | None, typer.Option("--draft", help="Save a further version of this draft.")] = None,
    revision: Annotated[int | None, typer.Option(help="The version that you looked at.")] = None,
    channel: Channel = "",
) -> None:
    """Save a draft: nothing is signed, only you and whom you invite see it."""
    use, written = desk.client.drafts, texts_of(files)
    if draft is None:
        made = use.save_draft(title=title, files=written, channel=channel)
    else:
        seen = revision or use.get(draft).info.revision
        made = use.update_draft(draft, files=written, revision=seen, title=title or None)
    shown = use.get(made.id)
    desk.answer(shown, "\n".join([_title(shown), *_problem_lines(shown)]))


@acting
def drafts(
    desk: Desk, number: Annotated[int | None, typer.Argument(help="Number of a draft: show its files.", min=1)] = None
) -> None:
    """List the drafts that you may see, or show one as it was saved last."""
    if number is not None:
        shown = desk.client.drafts.get(number)
        desk.answer(shown, "\n".join(_draft_lines(shown)))
        return
    found = tuple(desk.client.drafts.list())
    desk.answer(found, "\n".join(f"{one.id:4} {one.channel:10} version {one.revision}: {one.title}" for one in found))


def _title(shown: SavedDraft) -> str:
    return f"draft {shown.info.id}, version {shown.info.revision}: {shown.info.title}"


def _problem_lines(shown: SavedDraft) -> Iterator[str]:
    yield from (f"{one.path}:{one.line}: expected {one.what}" for one in shown.problems)


def _draft_lines(shown: SavedDraft) -> Iterator[str]:
    yield _title(shown)
    yield from _problem_lines(shown)
    for path, text in sorted(shown.files.items()):
        yield path
        yield from (f"    {line}" for line in text.splitlines())
    yield from (f"removed {kind} {name}" for kind, name in shown.removed)


@signing
def propose_draft(desk: Desk, pen: Pen, number: DraftNumber) -> None:
    """Propose a draft with your signature; with --key your own key signs it on this machine."""
    made = registry_of(desk, pen).propose_draft(number)
    desk.answer(made, f"proposal {made.number}: {made.manifest}")


@acting
def invite(desk: Desk, number: DraftNumber, *, person: People) -> None:
    """Let people see a draft of yours, and authors among them edit it."""
    found = desk.client.drafts.invite_to_draft(number, people=person)
    desk.answer(found, "invited: " + ", ".join(found))


@acting
def uninvite(desk: Desk, number: DraftNumber, *, person: People) -> None:
    """Let people no longer see a draft of yours; what they saved stays."""
    found = desk.client.drafts.uninvite_from_draft(number, people=person)
    desk.answer(found, "invited: " + (", ".join(found) or "nobody"))


@acting
def discard_draft(desk: Desk, number: DraftNumber) -> None:
    """Discard a draft of yours with all its versions."""
    desk.client.drafts.discard_draft(number)
    desk.answer({"draft": number}, f"draft {number} is discarded")


DRAFTING = (draft, drafts, propose_draft, invite, uninvite, discard_draft)
