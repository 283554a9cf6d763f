"""`/v1/sources`: what is live, as its authors wrote it, all of it at one moment; `mentorplane sync` pulls this."""

from __future__ import annotations

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Plane, Text
from control_plane.sync import snapshots
from control_plane.sync.records import Snapshot

__all__ = ["router"]

router = routes()


@router.get("/sources")
def list_sources(plane: Plane, _actor: Actor, channel: Text = "") -> Snapshot:
    """Return every live source of a channel with its text, "" for the usual channel."""
    return snapshots.snapshot(plane, channel)
