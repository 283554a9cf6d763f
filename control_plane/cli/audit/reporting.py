"""`mentorplane audit report`, `gaps` and `file-evidence`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.packing import Since, Until
from control_plane.cli.common import REFUSED, ActingRole, PassphraseFile, Reason, Ticket
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.key import KeyFile
from control_plane.purposes import doing
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from control_plane.client.records import ControlsReport, Gap

__all__ = ["file_evidence", "gaps", "report"]


@reading
def report(
    desk: Desk,
    *,
    rules: Annotated[str, typer.Option("--for", help="eu-ai-act, iso-42001, works-council or soc2.")],
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
) -> None:
    """List, for a rule book, the entries that evidence each control and the gaps that show; it judges nothing."""
    from control_plane.files import write_atomic

    made = desk.client.audit.report(rules, since=since, until=until)
    if out is not None:
        page = desk.client.audit.report_page(rules, since=since, until=until)
        try:
            write_atomic(out, page.encode())
        except OSError as error:
            raise Unavailable(f"expected to write {out}, got: {error.strerror}") from error
    desk.answer(made, "\n".join(_lines(made)))


def _lines(made: ControlsReport) -> Iterator[str]:
    yield f"{made.title}: {made.entries} entries, {made.since or 'from the beginning'} to {made.until or 'now'}"
    yield made.preface
    for one in made.controls:
        yield f"\n{one.reference}: {one.title}"
        for each in one.evidence:
            some = f", such as {', '.join(map(str, each.entries))}" if each.entries else ""
            yield f"  {each.count:6} {each.what}{some}"
        for gap in one.gaps:
            where = f" (entries {', '.join(map(str, gap.entries))})" if gap.entries else ""
            yield f"  gap: {gap.message}{where}"
        yield from (f"  not seen: {what}" for what in one.unseen)


@reading
def gaps(desk: Desk) -> None:
    """List where the record is uncovered: missing entries, witnesses, settings, exports, evidence, reviews."""
    found = desk.client.audit.gaps()
    desk.answer(found, "\n".join(map(_gap, found)) or "no gaps")
    if found:
        sys.exit(REFUSED)


def _gap(one: Gap) -> str:
    where = "" if one.first is None else f" entries {one.first} to {one.last}:"
    where = where if one.first != one.last or one.first is None else f" entry {one.first}:"
    times = [f"{at:%Y-%m-%d %H:%M}" if at else "now" for at in (one.since, one.until)]
    return f"{one.kind}:{where} {one.message}" + (f" ({times[0]} to {times[1]})" if one.since else "")


@acting
def file_evidence(
    desk: Desk,
    *,
    kind: Annotated[str, typer.Option(help="What it is, such as dpia, worker-notice or ai-literacy.")],
    document: Annotated[
        Path, typer.Option(help="The document; only its digest leaves it.", exists=True, dir_okay=False)
    ],
    reason: Reason,
    valid_until: Annotated[
        datetime | None, typer.Option(help="The last day that it is valid.", formats=["%Y-%m-%d"])
    ] = None,
    ticket: Ticket = "",
    role: ActingRole = "",
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
) -> None:
    """Log that the organisation has a document, by its digest: an assessment, a notice, a record of training."""
    from edge_runtime.core import canonical

    try:
        data = document.read_bytes()
    except OSError as error:
        raise InvalidDocument(f"expected to read {document}, got: {error.strerror}") from error
    if not data:
        raise InvalidDocument("expected a document, got an empty file")
    digest = canonical.digest(data)
    made = desk.client.audit.file_document(
        kind=kind,
        digest=digest,
        reason=reason,
        valid_until=valid_until.date() if valid_until else None,
        ticket=ticket,
        role=role,
        **desk.present(key, passphrase_file, purpose=doing("file-evidence", kind, digest)),
    )
    desk.answer({"filed": kind, "logged": made.logged}, f"{kind} filed, logged as entry {made.logged}")
