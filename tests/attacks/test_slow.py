"""Slow retrieval: a real server that trickles, so that a device would wait for ever and never learn what is new."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import Pace
from edge_runtime.delivery.posting import Posted, post_once
from tests.attacks.world import World, wording
from tests.counting import Counting, CountingHandler

PAUSE_S = 0.02
"""Between two bytes: far less than any single wait may last."""


class _Handler(CountingHandler):
    protocol_version = "HTTP/1.0"  # a connection for each file
    server: _Slow

    def do_GET(self) -> None:
        file = self.server.folder / self.path.lstrip("/")
        data = file.read_bytes() if file.is_file() else b""
        head = b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nX-More: %s\r\n\r\n" % (
            200 if data else 404,
            len(data),
            b"x" * 200,
        )
        slow = file.match(self.server.slow)
        try:
            self._send(head, slow=slow and self.server.from_the_start)
            self._send(data, slow=slow)
        except OSError:  # the device hung up
            return

    def do_POST(self) -> None:
        self.do_GET()

    def _send(self, data: bytes, *, slow: bool) -> None:
        if not slow:
            self.wfile.write(data)
            return
        for at in range(len(data)):
            if self.server.closing.wait(self.server.pause_s):
                return
            self.wfile.write(data[at : at + 1])


class _Slow(Counting):
    """Serves a folder; of files that match, each byte of the body, or of the headers too, comes after a pause."""

    handler = _Handler

    def __init__(self, folder: Path) -> None:
        self.folder, self.closing = folder, threading.Event()
        self.slow, self.from_the_start, self.pause_s = "-", False, PAUSE_S
        super().__init__(folder)


@pytest.fixture
def slow(world: World) -> Iterator[_Slow]:
    """A server of what is published, with a release that the device does not have yet."""
    world.published.release(wording("Third"))
    with _Slow(world.published.folder) as server:
        yield server
        server.closing.set()


@pytest.mark.attack("slow retrieval")
@pytest.mark.parametrize("from_the_start", [False, True])
@pytest.mark.parametrize(
    "pattern", ["metadata/timestamp.json", "metadata/*.snapshot.json", "targets/channels/*", "parts/*"]
)
def test_a_file_that_trickles(world: World, slow: _Slow, pattern: str, from_the_start: bool) -> None:
    """Whichever file comes byte by byte, its headers too: unavailable when its time of grace is over."""
    slow.slow, slow.from_the_start = pattern, from_the_start
    result = world.refused("", by=world.device(source=slow.address, pace=Pace(file_s=0.15, min_bytes_per_s=10_000)))
    assert "10000 bytes in a second" in result.message
    slow.slow = "-"
    assert world.device(source=slow.address).refresh().release == 3


@pytest.mark.attack("slow retrieval")
def test_many_files_that_are_each_in_time(world: World, slow: _Slow) -> None:
    """A source that keeps within the grace of each file, and takes too long for all of them: unavailable."""
    slow.slow, slow.pause_s = "*", 0.0002
    pace = Pace(file_s=10.0, look_s=0.15, min_bytes_per_s=10**9)
    result = world.refused("", by=world.device(source=slow.address, pace=pace))
    assert "slower" in result.message
    slow.slow = "-"
    assert world.device(source=slow.address).refresh().release == 3


@pytest.mark.attack("slow retrieval")
def test_an_answer_to_the_census_that_trickles(world: World, slow: _Slow) -> None:
    """Who is told once a day holds no device up by an answer without an end: given up, and never sent again."""
    slow.slow, slow.from_the_start = "*", True
    assert post_once(f"{slow.address}/census", b"{}", within_s=0.15) is Posted.LOST
