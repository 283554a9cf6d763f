"""Packs for first adoptions: what the live releases lack of them is written after a publication, never during one.

A pack holds all closures of a shard, so a changed prompt means a new pack of some eighty contents: more than a
publication should take. Nothing names packs, and a device that finds none fetches one closure at a time, so they may
come a minute later. Promises: what is written holds the very closures of the shard it is named after, and never
changes. Source: docs/adr/0029.
"""

from __future__ import annotations

from sqlmodel import col, select

from control_plane import db
from control_plane.files import write_atomic
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_release
from control_plane.tables.registry import ClosureRow
from edge_runtime.core.manifest import parse_manifest, shards_of
from edge_runtime.core.packs import MAX_PACK_BYTES, join, pack_path, packs_of
from edge_runtime.core.parts import pack

__all__ = ["write_packs"]


def write_packs(plane: ControlPlane) -> int:
    """Write the packs of live releases that are not there; return how many were."""
    return sum(_write_packs(plane, channel) for channel in plane.settings.channels)


def _write_packs(plane: ControlPlane, channel: str) -> int:
    with db.read(plane.engine) as session:
        live = live_release(session, channel)
        manifest = live.manifest if live else b""
    if not manifest:
        return 0
    paths = {part.digest: plane.site / pack_path(part.digest) for part in shards_of(manifest.split(b"\n", 1)[0])}
    lacking = {shard for shard, path in paths.items() if not path.is_file()}
    if not lacking:
        return 0
    written = 0
    for shard, digests in packs_of(parse_manifest(manifest)).items():
        if shard not in lacking:
            continue
        with db.read(plane.engine) as session:
            rows = session.exec(select(ClosureRow).where(col(ClosureRow.digest).in_(digests)))
            closures = {row.digest: row.data for row in rows}
        data = join(closures[digest] for digest in digests)
        if len(data) <= MAX_PACK_BYTES:
            write_atomic(paths[shard], pack(data))
            written += 1
    return written
