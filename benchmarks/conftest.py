"""Adds the median and the 99th percentile to what every benchmark reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def percentiles(request: pytest.FixtureRequest) -> Iterator[None]:
    """Note p50 and p99 in microseconds, from every round."""
    benchmark = request.getfixturevalue("benchmark") if "benchmark" in request.fixturenames else None
    yield
    if benchmark is not None and benchmark.stats is not None:
        times = sorted(benchmark.stats.stats.data)
        benchmark.extra_info["p50_us"] = round(times[len(times) // 2] * 1e6, 2)
        benchmark.extra_info["p99_us"] = round(times[int(len(times) * 0.99)] * 1e6, 2)
