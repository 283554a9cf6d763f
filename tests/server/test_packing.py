"""Packs are written after a publication, once, and hold what devices take."""

from __future__ import annotations

from pathlib import Path

from control_plane.packing import write_packs
from edge_runtime import EdgeRuntime
from tests.counting import Counting
from tests.server.conftest import Acts


def test_packs_of_what_is_live_are_written_once_and_adopted(acts: Acts, tmp_path: Path) -> None:
    """A device that comes first after them asks for no closure that is in one, but for those that it judges before."""
    plane = acts.plane
    assert write_packs(plane) == 1
    assert write_packs(plane) == 0
    with Counting(plane.site) as server:
        edge = EdgeRuntime.open(tmp_path / "device", trust=plane.settings.home / "trust", source=server.address)
        refreshed = edge.refresh()
        assert refreshed.ok, refreshed
        assert edge.state is not None
        eager = [
            entry for entry in edge.state.manifest.entries if entry.kind in {"approval-rules", "handoff", "policy"}
        ]
        assert len([path for path in server.paths if path.startswith("/packs/")]) == 1
        assert len([path for path in server.paths if path.startswith("/closures/")]) == len(eager)
