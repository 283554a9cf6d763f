"""The long run, behind `make soak`: one device at work for thousands of sessions neither grows nor tires."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime

ROUNDS, WARM_UP, REFRESH_EVERY = 20_000, 2_000, 500
MAX_GROWTH_BYTES = 8_000_000
NOTE = "Round {n}: Tom wrote from tom{n}@example.org. I will call him on Friday. It went well."

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory use from /proc")


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.soak
def test_a_device_at_work_stays_small(tmp_path: Path) -> None:
    """After 20,000 sessions: memory within 8 MB of warm, no file left open, every receipt in its chain."""
    seed = [sys.executable, "-m", "edge_runtime", "seed", "--home", str(tmp_path / "server")]
    subprocess.run(seed, check=True, capture_output=True)
    trust, source = tmp_path / "server" / "trust", tmp_path / "server" / "site" / "edge"
    edge = EdgeRuntime.open(tmp_path / "device", trust=trust, source=str(source))
    assert edge.refresh().ok
    warm = (0, 0)
    for n in range(ROUNDS):
        if n == WARM_UP:
            warm = (resident_bytes(), open_files())
        if n % REFRESH_EVERY == 0:
            assert edge.refresh().ok
        reply = edge.session(learner=f"u{n}", names=["Tom"]).run("private-session-summary", {"notes": NOTE.format(n=n)})
        assert (reply.route, reply.sent_bytes) == ("device", 0)
    assert resident_bytes() - warm[0] < MAX_GROWTH_BYTES
    assert open_files() == warm[1]
    assert edge.receipts.verify() == ROUNDS
