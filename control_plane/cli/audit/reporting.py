"""`mentorplane audit report`, `gaps` and `file-evidence`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.audit.packing import Since, Until
from control_plane.cli.common import (
    DEFAULT_HOME,
    REFUSED,
    As,
    Home,
    Json,
    PassphraseFile,
    answer,
    opened,
    passphrase,
)
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from control_plane.evidence.controls.report import ControlsReport

__all__ = ["file_evidence", "gaps", "report"]


def report(
    *,
    rules: Annotated[str, typer.Option("--for", help="eu-ai-act, iso-42001, works-council or soc2.")],
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List, for a rule book, the entries that evidence each control and the gaps that show; it judges nothing."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.evidence.controls.report import controls_html, report_controls
        from control_plane.files import write_atomic

        made = report_controls(plane, rules, since=since, until=until)
        if out is not None:
            try:
                write_atomic(out, controls_html(made))
            except OSError as error:
                raise Unavailable(f"expected to write {out}, got: {error.strerror}") from error
        answer(made, as_json=as_json, text="\n".join(_lines(made)))


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


def gaps(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List where the record is uncovered: missing entries, witnesses, settings, exports, evidence, reviews."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.evidence.gaps import find_gaps

        found = find_gaps(plane)
        answer(found, as_json=as_json, text="\n".join(map(str, found)) or "no gaps")
    if found:
        sys.exit(REFUSED)


def file_evidence(
    *,
    kind: Annotated[str, typer.Option(help="What it is, such as dpia, worker-notice or ai-literacy.")],
    document: Annotated[Path, typer.Option(help="The document; only its digest is kept.", exists=True, dir_okay=False)],
    actor: As,
    reason: Annotated[str, typer.Option(help="Why, in your own words.")],
    valid_until: Annotated[
        datetime | None, typer.Option(help="The last day that it is valid.", formats=["%Y-%m-%d"])
    ] = None,
    ticket: Annotated[str, typer.Option(help="Reference to a request elsewhere.")] = "",
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Log that the organisation has a document, by its digest: an assessment, a notice, a record of training."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.evidence.filed import file_evidence as file
        from control_plane.texts.keepers import Asking

        try:
            data = document.read_bytes()
        except OSError as error:
            raise InvalidDocument(f"expected to read {document}, got: {error.strerror}") from error
        by = people.find_person(plane, actor).id
        asking = Asking(by, reason, passphrase(passphrase_file), ticket)
        entry = file(plane, kind, data, asking=asking, valid_until=valid_until.date() if valid_until else None)
        answer({"filed": kind, "logged": entry}, as_json=as_json, text=f"{kind} filed, logged as entry {entry}")
