"""`mentorplane audit verify`."""

from __future__ import annotations

import sys
from dataclasses import asdict

from control_plane.cli.common import REFUSED
from control_plane.cli.desk import Desk, reading

__all__ = ["verify"]


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
