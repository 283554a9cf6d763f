"""What is live on a channel, as its authors wrote it: for sync, at home and over HTTP."""

from __future__ import annotations

from sqlmodel import col, select

from control_plane import db
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_manifest
from control_plane.sync.records import LiveSource, Snapshot
from control_plane.tables.registry import SourceRow

__all__ = ["snapshot"]


def snapshot(plane: ControlPlane, channel: str = "") -> Snapshot:
    """Return every live source of a channel, "" for the usual one, read at one moment.

    Raises:
        InvalidDocument: there is no such channel.
    """
    with db.read(plane.engine) as session:
        name = plane.on(channel)
        manifest, digest = live_manifest(session, name)
        epochs = {entry.key: entry.epoch for entry in manifest.entries} if manifest else {}
        query = select(SourceRow).where(SourceRow.channel == name).order_by(col(SourceRow.kind), col(SourceRow.name))
        sources = tuple(
            LiveSource(row.kind, row.name, row.path, row.text, epochs.get((row.kind, row.name), 0))
            for row in session.exec(query)
        )
        return Snapshot(name, manifest.number if manifest else 0, digest, sources)
