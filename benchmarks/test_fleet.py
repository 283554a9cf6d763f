"""A fleet at one server, without a CDN: ten thousand devices that poll for a minute, and how many it carries at most.

Run `pytest benchmarks/test_fleet.py`. The server is a process of its own, started as people start it; it serves the
published folder itself. A simulated device looks as a real one does: a connection, two conditional requests, pauses
that differ from look to look. Aims: no error; reported are p99, bytes of a look, the server's processor time for one,
and how many looks a second it answers when devices do not pause.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from control_plane.demo.parties import Server
from edge_runtime.core.release import CHECKPOINT_PATH, TIMESTAMP_PATH
from edge_runtime.following import pause_s
from edge_runtime.runtime import POLL_S

pytestmark = pytest.mark.timeout(600)
DEVICES, LASTS_S, AT_MOST_S = 10_000, 60, 10
AT_ONCE = (8, 32, 128)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Load:
    """Devices of one published folder, what they met, and how long each look took, its connection included."""

    server: Server
    requests: list[bytes]
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bytes: int = 0

    async def look(self) -> None:
        """Look once, as a device does that has what is published."""
        host, port = self.server.url.removeprefix("http://").split(":")
        before = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            for request in self.requests:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                self.bytes += len(request) + len(head)
                if b" 304 " not in head.split(b"\r\n", 1)[0]:
                    self.errors.append(head.split(b"\r\n", 1)[0].decode())
                    break
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError) as error:
            self.errors.append(type(error).__name__)
        self.times.append(time.perf_counter() - before)

    async def device(self, draw: Callable[[], float], until: float) -> None:
        """Look again and again until then, as an app does that is open already."""
        pause = draw() * pause_s(POLL_S, 0, drawn=draw())
        while time.perf_counter() + pause < until:
            await asyncio.sleep(pause)
            await self.look()
            pause = pause_s(POLL_S, 0, drawn=draw())

    async def without_pause(self, until: float) -> None:
        """Look again and again until then, without a pause."""
        while time.perf_counter() < until:
            await self.look()

    @property
    def server_s(self) -> float:
        """How much processor time the server took since it started."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def told(self, cpu_s: float, lasted_s: float) -> dict[str, object]:
        """Return what is reported."""
        times = sorted(self.times)
        return {
            "looks": len(times),
            "looks_per_s": round(len(times) / lasted_s, 1),
            "errors": len(self.errors),
            "p50_ms": round(times[len(times) // 2] * 1000, 1),
            "p99_ms": round(times[len(times) * 99 // 100] * 1000, 1),
            "bytes_per_look": self.bytes // len(times),
            "server_ms_per_look": round(cpu_s / len(times) * 1000, 2),
        }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the example organisation, which has published."""
    made = Server(tmp_path_factory.mktemp("fleet") / "home")
    yield made
    made.close()


@pytest.fixture
def load(server: Server) -> Load:
    """Devices that have what it published."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    requests = []
    for path in (TIMESTAMP_PATH, CHECKPOINT_PATH):
        data = (server.home / "site" / "edge" / path).read_bytes()
        tags = f'"{hashlib.sha256(data).hexdigest()}", "{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        host = server.url.removeprefix("http://")
        lines = (f"GET /edge/{path} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity", "User-Agent: mentorplane")
        requests.append("\r\n".join((*lines, f"If-None-Match: {tags}", "", "")).encode())
    return Load(server, requests)


def measured(load: Load, looking: list[Callable[[float], object]], lasts_s: float) -> dict[str, object]:
    """Have devices look for so long; return what is reported."""

    async def all_of_them() -> None:
        until = time.perf_counter() + lasts_s
        await asyncio.gather(*(look(until) for look in looking))  # type: ignore[call-overload]

    cpu, began = load.server_s, time.perf_counter()
    asyncio.run(all_of_them())
    return load.told(load.server_s - cpu, time.perf_counter() - began)


def test_ten_thousand_devices_for_a_minute(benchmark: BenchmarkFixture, load: Load) -> None:
    """They look about every five minutes each: no error."""
    draw = random.Random(1).random
    looking = [lambda until: load.device(draw, until)] * DEVICES
    told = benchmark.pedantic(lambda: measured(load, looking, LASTS_S), rounds=1)
    benchmark.extra_info |= told
    assert not load.errors, load.errors[:5]


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_the_highest_rate(benchmark: BenchmarkFixture, load: Load, at_once: int) -> None:
    """So many devices at once that do not pause: no error; how many that pause this would be is worked out."""
    told = benchmark.pedantic(lambda: measured(load, [load.without_pause] * at_once, AT_MOST_S), rounds=1)
    mean_pause_s = (pause_s(POLL_S, 0, drawn=0) + pause_s(POLL_S, 0, drawn=1)) / 2
    benchmark.extra_info |= told | {"devices": round(float(str(told["looks_per_s"])) * mean_pause_s)}
    assert not load.errors, load.errors[:5]
