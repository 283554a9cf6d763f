"""`mentorplane audit pack`: an evidence pack for somebody outside, as one file or a folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.times import TIME, parse_time
from control_plane.cli.desk import Desk, reading
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from audit.pack.container import Container

__all__ = ["Since", "Until", "pack"]

Since = Annotated[
    datetime | None, typer.Option("--from", help="From this time on, in UTC.", parser=parse_time, metavar=TIME)
]
Until = Annotated[
    datetime | None, typer.Option("--to", help="Before this time, in UTC.", parser=parse_time, metavar=TIME)
]


@reading
def pack(
    desk: Desk,
    *,
    since: Since = None,
    until: Until = None,
    release: Annotated[int, typer.Option(help="All about this release, instead of a period.", min=0)] = 0,
    channel: Annotated[str, typer.Option(help="The channel of the release; without it the usual one.")] = "",
    out: Annotated[str, typer.Option(help="File to write; a folder if the name ends in a slash.")],
    nonce: Annotated[str, typer.Option(help="The auditor's nonce, by which the sample is drawn.")] = "",
    without_texts: Annotated[bool, typer.Option("--without-texts", help="Leave names and reasons out.")] = False,
) -> None:
    """Make an evidence pack of a period or a release, verified here, for somebody who need not trust this server."""
    if bool(release) == bool(since or until):
        raise InvalidDocument("expected either --release or a period by --from and --to")
    if Path(out).exists():
        raise InvalidDocument(f"expected a new file or folder at {out}, got one that is there")
    made = desk.client.audit.make_pack(
        since=since,
        until=until,
        release=release,
        channel=channel,
        nonce=nonce,
        with_texts=not without_texts,
    )
    _checked(desk, made, out)


def _checked(desk: Desk, made: bytes, out: str) -> None:
    """Verify a pack, write it, and say what it holds; one that does not verify is not written."""
    from audit.commands.verify_pack import as_document, render
    from audit.note import parse_vkey
    from audit.pack.check import check_pack
    from audit.pack.container import open_zip
    from audit.pack.make import NOTE
    from edge_runtime.core import canonical

    container = open_zip(made)
    report = check_pack(container, [parse_vkey(one) for one in desk.client.audit.log_keys()])
    if not report.ok:
        raise Unavailable(f"expected a pack that verifies, got: {render(report)}")
    digest = canonical.digest(container.read(NOTE))
    _write(out, made, container)
    lines = (
        f"written       {out}",
        f"digest        {digest}",
        f"check it by   python -m audit verify {out} --vkey KEY",
    )
    desk.answer({**as_document(report), "out": out, "digest": digest}, render(report) + "\n".join(lines))


def _write(out: str, made: bytes, container: Container) -> None:
    from control_plane.files import write_atomic

    try:
        if not out.endswith("/"):
            write_atomic(Path(out), made)
            return
        for path in container.paths:
            write_atomic(Path(out) / path, container.read(path))
    except OSError as error:
        raise Unavailable(f"expected to write {out}, got: {error.strerror}") from error
