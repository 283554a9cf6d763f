"""`mentorplane audit pack`: an evidence pack for somebody outside, as one file or a folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.times import TIME, parse_time
from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from audit.record import Auth
    from control_plane.evidence.packs import MadePack

__all__ = ["OptionalAs", "Since", "Until", "auth_of", "pack"]

Since = Annotated[
    datetime | None, typer.Option("--from", help="From this time on, in UTC.", parser=parse_time, metavar=TIME)
]
Until = Annotated[
    datetime | None, typer.Option("--to", help="Before this time, in UTC.", parser=parse_time, metavar=TIME)
]
OptionalAs = Annotated[str, typer.Option("--as", help="Login or id of the person who asks, for the log.")]


def pack(
    *,
    since: Since = None,
    until: Until = None,
    release: Annotated[int, typer.Option(help="All about this release, instead of a period.", min=0)] = 0,
    channel: Annotated[str, typer.Option(help="The channel of the release; without it the usual one.")] = "",
    out: Annotated[str, typer.Option(help="File to write; a folder if the name ends in a slash.")],
    nonce: Annotated[str, typer.Option(help="The auditor's nonce, by which the sample is drawn.")] = "",
    without_texts: Annotated[bool, typer.Option("--without-texts", help="Leave names and reasons out.")] = False,
    actor: OptionalAs = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Make an evidence pack of a period or a release, verified, for somebody who need not trust this server."""
    with opened(home, as_json=as_json) as plane:
        from control_plane import ledger
        from control_plane.accounts import people
        from control_plane.evidence import packs

        if bool(release) == bool(since or until):
            raise InvalidDocument("expected either --release or a period by --from and --to")
        if Path(out).exists():
            raise InvalidDocument(f"expected a new file or folder at {out}, got one that is there")
        asked = packs.PackRequest(
            since,
            until,
            release=release,
            channel=channel,
            nonce=nonce,
            with_texts=not without_texts,
        )
        person = people.find_person(plane, actor).id if actor else ledger.SYSTEM
        made = packs.make_pack(plane, asked, actor=person, auth=auth_of(actor))
        _write(out, made)
        answer(_said(made, out), as_json=as_json, text=_text(made, out))


def auth_of(actor: str) -> Auth:
    """Return how whoever gave --as had authenticated: not at all; the operator is the installation itself."""
    from audit.record import Auth

    return Auth.NONE if actor else Auth.SYSTEM


def _write(out: str, made: MadePack) -> None:
    import io

    from audit.pack.container import write_zip
    from control_plane.files import write_atomic

    try:
        if out.endswith("/"):
            for path, data in made.files.items():
                write_atomic(Path(out) / path, data)
            return
        stream = io.BytesIO()
        write_zip(stream, made.files)
        write_atomic(Path(out), stream.getvalue())
    except OSError as error:
        raise Unavailable(f"expected to write {out}, got: {error.strerror}") from error
    except ValueError as error:
        raise InvalidDocument(
            str(error), hint="end --out in a slash for a folder, or choose a shorter period"
        ) from error


def _said(made: MadePack, out: str) -> dict[str, object]:
    from audit.commands.verify_pack import as_document

    return {**as_document(made.report), "out": out, "digest": made.digest, "logged": made.leaf}


def _text(made: MadePack, out: str) -> str:
    from audit.commands.verify_pack import render

    lines = (
        f"written       {out}",
        f"digest        {made.digest}",
        f"logged as     entry {made.leaf}",
        f"check it by   python -m audit verify {out} --vkey KEY",
    )
    return render(made.report) + "\n".join(lines)
