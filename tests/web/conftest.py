"""Fixtures of the desk: a published organisation, and a desk that serves its device."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.desk import DeskServer, DeskSettings
from tests.published import Published
from tests.web.desks import PARENT, library_policy


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release, under the policy of the starter library."""
    made = Published(tmp_path)
    made.release({**made.organisation.base_documents(), ("policy", "organisation"): library_policy()})
    return made


@pytest.fixture
def desk(published: Published, tmp_path: Path) -> Iterator[DeskServer]:
    """The desk of a device that has adopted that release."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    settings = DeskSettings(allow_parent=PARENT, mirrors={"forged": str(tmp_path / "forged")})
    with DeskServer(edge, settings) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
