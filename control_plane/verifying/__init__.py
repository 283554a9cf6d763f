"""Holding the database and the published files against the log, and bringing back what a database lacks.

Modules: `log` (the whole verification), `rows` (every row that repeats what an entry says), `restore`.
"""

from __future__ import annotations

from control_plane.verifying.log import LedgerReport, verify

__all__ = ["LedgerReport", "verify"]
