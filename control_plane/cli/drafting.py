"""`mentorplane proposal draft` and what else becomes of drafts: what somebody works on before they propose it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, As, Channel, Home, Json, PassphraseFile, answer, opened
from control_plane.cli.key import DEVICE, TRUST, Device, KeyFile, OwnKey, Source, Trust, Yes
from control_plane.cli.sync import Author, Server, TokenFile, Where, registry_of

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane
    from control_plane.reviewing.records import SavedDraft

__all__ = ["DRAFTING", "People", "acting"]

DraftNumber = Annotated[int, typer.Argument(help="Number of the draft.", min=1, max=2**31 - 1)]
Files = Annotated[list[Path], typer.Argument(help="YAML files.", exists=True, dir_okay=False)]
People = Annotated[list[str], typer.Option("--person", help="Login or id; may be repeated.")]


@contextmanager
def acting(home: Path, actor: str, *, as_json: bool) -> Iterator[tuple[ControlPlane, str]]:
    """Open a home for one person, named by login or id."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people

        yield plane, people.find_person(plane, actor).id


def draft(
    files: Files,
    *,
    actor: As,
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    draft: Annotated[int | None, typer.Option("--draft", help="Save a further version of this draft.")] = None,
    revision: Annotated[int | None, typer.Option(help="The version that you looked at.")] = None,
    channel: Channel = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Save a draft: nothing is signed, only you and whom you invite see it."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import drafts as use

        written = {file.as_posix(): file.read_text("utf-8") for file in files}
        if draft is None:
            made = use.save_draft(plane, person, files=written, title=title, channel=channel)
        else:
            seen = revision or use.show_draft(plane, person, draft).info.revision
            made = use.update_draft(plane, person, draft, files=written, revision=seen, title=title or None)
        shown = use.show_draft(plane, person, made.id)
        answer(shown, as_json=as_json, text="\n".join([_title(shown), *_problem_lines(shown)]))


def drafts(
    number: Annotated[int | None, typer.Argument(help="Number of a draft: show its files.", min=1)] = None,
    *,
    actor: As,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the drafts that you may see, or show one as it was saved last."""
    with acting(home, actor, as_json=as_json) as (plane, person):
        from control_plane.reviewing import drafts as use

        if number is not None:
            shown = use.show_draft(plane, person, number)
            answer(shown, as_json=as_json, text="\n".join(_draft_lines(shown)))
            return
        found = use.list_drafts(plane, person)
        lines = (f"{one.id:4} {one.channel:10} version {one.revision}: {one.title}" for one in found)
        answer(found, as_json=as_json, text="\n".join(lines))


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


def propose_draft(
    number: DraftNumber,
    *,
    actor: Author = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    source: Source = "",
    trust: Trust = TRUST,
    device: Device = DEVICE,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Propose a draft with your signature; with --key your own key signs it on this machine."""
    where = Where(server, token_file, home, actor, passphrase_file, OwnKey(key, source, trust, device, yes=yes))
    with registry_of(where, as_json=as_json) as registry:
        made = registry.propose_draft(number)
        answer(made, as_json=as_json, text=f"proposal {made.number}: {made.manifest}")


def invite(number: DraftNumber, *, actor: As, person: People, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Let people see a draft of yours, and authors among them edit it."""
    with acting(home, actor, as_json=as_json) as (plane, by):
        from control_plane.reviewing import drafts as use

        found = use.invite(plane, by, number, persons=person)
        answer(found, as_json=as_json, text="invited: " + ", ".join(found))


def uninvite(
    number: DraftNumber, *, actor: As, person: People, home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """Let people no longer see a draft of yours; what they saved stays."""
    with acting(home, actor, as_json=as_json) as (plane, by):
        from control_plane.reviewing import drafts as use

        found = use.uninvite(plane, by, number, persons=person)
        answer(found, as_json=as_json, text="invited: " + (", ".join(found) or "nobody"))


def discard_draft(number: DraftNumber, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Discard a draft of yours with all its versions."""
    with acting(home, actor, as_json=as_json) as (plane, by):
        from control_plane.reviewing import drafts as use

        use.discard_draft(plane, by, number)
        answer({"draft": number}, as_json=as_json, text=f"draft {number} is discarded")


DRAFTING = (draft, drafts, propose_draft, invite, uninvite, discard_draft)
