"""What keeps a folder and a registry apart.

Conflict
└── SyncConflict   sources changed on both sides; `report` shows both, and nothing was written
"""

from __future__ import annotations

from control_plane.errors import Conflict
from control_plane.sync.comparing import Difference

__all__ = ["SyncConflict"]


class SyncConflict(Conflict):
    """Sources changed on both sides."""

    def __init__(self, differences: tuple[Difference, ...], report: str) -> None:
        names = ", ".join(f"{one.kind} {one.name}" for one in differences[:5])
        more = f" and {len(differences) - 5} more" if len(differences) > 5 else ""
        super().__init__(
            f"expected changes on one side, got them on both: {names}{more}",
            hint="take theirs into your file and run `mentorplane sync pull` again, or let it merge with --merge",
        )
        self.differences = differences
        self.report = report
