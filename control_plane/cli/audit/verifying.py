"""`mentorplane audit verify`."""

from __future__ import annotations

import sys
from dataclasses import asdict

from control_plane.cli.common import DEFAULT_HOME, REFUSED, Home, Json, answer, opened

__all__ = ["verify"]


def verify(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Verify the whole log, published files and database; answers no if anything differs."""
    with opened(home, as_json=as_json) as plane:
        from control_plane import ledger

        report = ledger.verify(plane)
        verdict = "verified" if report.ok else "NOT verified"
        contained = ", self-contained: no outside witness has signed" if report.self_contained else ""
        vkey = plane.keys.log.verifier.vkey
        lines = (f"{verdict}: {report.size} entries, root {report.root}{contained}", *report.problems, f"key: {vkey}")
        answer({**asdict(report), "vkey": vkey}, as_json=as_json, text="\n".join(lines))
    if not report.ok:
        sys.exit(REFUSED)
