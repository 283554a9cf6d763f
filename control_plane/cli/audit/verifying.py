"""`mentorplane audit verify`, and what somebody else verifies by: `checkpoint`, and the `proof` of an entry."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from control_plane.cli.common import REFUSED
from control_plane.cli.desk import Desk, reading, unsigned_in

__all__ = ["checkpoint", "proof", "verify"]


@reading
def verify(desk: Desk) -> None:
    """Verify the whole log, published files and database; answers no if anything differs."""
    report, vkey = desk.client.audit.verify(), desk.client.audit.log_keys()[0]
    verdict = "verified" if report.ok else "NOT verified"
    contained = ", self-contained: no outside witness has signed" if report.self_contained else ""
    lines = (f"{verdict}: {report.size} entries, root {report.root}{contained}", *report.problems, f"key: {vkey}")
    desk.answer({**asdict(report), "vkey": vkey}, "\n".join(lines))
    if not report.ok:
        sys.exit(REFUSED)


@unsigned_in
def checkpoint(desk: Desk) -> None:
    """Print the signed checkpoint of the log, which is public."""
    found = desk.client.audit.checkpoint()
    desk.answer({"checkpoint": found}, found.rstrip("\n"))


@reading
def proof(
    desk: Desk, index: Annotated[int, typer.Argument(help="Index of the entry, see `audit search`.", min=0)]
) -> None:
    """Print the proof that an entry is in the log, as C2SP tlog-proof."""
    found = desk.client.audit.proof(index)
    desk.answer({"proof": found}, found.rstrip("\n"))
