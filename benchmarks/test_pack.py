"""An evidence pack of 100,000 events: made by the server, and verified by the auditor's tool from the file.

Run `pytest benchmarks/test_pack.py`. Aim: both together at most 30 s on one core. The events are real leaves with names
and reasons behind commitments; the pack has every entry, tile, row and event of them, and both reports.
`MENTORPLANE_BENCH_EVENTS` sets another number of events.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from audit.pack.check import check_pack
from audit.pack.container import open_container, write_zip
from control_plane import ledger
from control_plane.evidence.packs import PackRequest, make_pack
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from tests.server.audit_events import fill

EVENTS = int(os.environ.get("MENTORPLANE_BENCH_EVENTS", "100000"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with that many events, published."""
    plane = open_plane(Settings(home=tmp_path_factory.mktemp("pack") / "home"))
    fill([plane], EVENTS)
    ledger.publish_log(plane)
    yield plane
    plane.close()


def test_make_a_pack(benchmark: BenchmarkFixture, plane: ControlPlane) -> None:
    """Gathered, generated, verified by the server itself, with both reports, in memory."""
    made = benchmark.pedantic(make_pack, (plane, PackRequest(with_texts=False)), rounds=1)
    assert made.report.ok
    benchmark.extra_info["events"] = made.report.verified
    benchmark.extra_info["megabytes"] = round(sum(map(len, made.files.values())) / 1e6)


def test_verify_a_pack(benchmark: BenchmarkFixture, plane: ControlPlane, tmp_path: Path) -> None:
    """From the ZIP file: every byte of it, every entry, the root, the views, the sample."""
    made = make_pack(plane, PackRequest(with_texts=False))
    with (tmp_path / "bench.pack").open("wb") as stream:
        write_zip(stream, made.files)
    del made
    keys = [plane.keys.log.verifier]
    report = benchmark.pedantic(lambda: check_pack(open_container(tmp_path / "bench.pack"), keys), rounds=1)
    assert report.ok
    benchmark.extra_info["events"] = report.verified
