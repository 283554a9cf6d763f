"""Slow retrieval: a real server that trickles, so that a device would wait for ever and never learn what is new."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edge_runtime import EdgeRuntime, Pace
from edge_runtime.delivery.posting import Posted, post_once
from tests.attacks.world import World, wording

PAUSE_S = 0.02
"""Between two bytes: far less than any single wait may last."""


class _Slow(ThreadingHTTPServer):
    """Serves a folder; of files that match, each byte of the body, or of the headers too, comes after a pause."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.slow, self.from_the_start, self.pause_s, self.closing = (
            folder,
            "-",
            False,
            PAUSE_S,
            threading.Event(),
        )
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
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

    def log_message(self, *args: Any) -> None:
        """Keep no log."""


@pytest.fixture
def slow(world: World) -> Iterator[_Slow]:
    """A server of what is published, with a release that the device does not have yet."""
    world.published.release(wording("Third"))
    server = _Slow(world.published.folder)
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()


def device(world: World, server: _Slow, pace: Pace) -> EdgeRuntime:
    """The device, which asks the server."""
    source = f"http://127.0.0.1:{server.server_port}"
    now = world.published.now.timestamp()
    return EdgeRuntime.open(world.home, trust=world.published.trust, source=source, clock=lambda: now, pace=pace)


@pytest.mark.attack("slow retrieval")
@pytest.mark.parametrize("from_the_start", [False, True])
@pytest.mark.parametrize(
    "pattern", ["metadata/timestamp.json", "metadata/*.snapshot.json", "targets/channels/*", "parts/*"]
)
def test_a_file_that_trickles(world: World, slow: _Slow, pattern: str, from_the_start: bool) -> None:
    """Whichever file comes byte by byte, its headers too: unavailable when its time of grace is over."""
    slow.slow, slow.from_the_start = pattern, from_the_start
    result = world.refused("", by=device(world, slow, Pace(file_s=0.15, min_bytes_per_s=10_000)))
    assert "10000 bytes in a second" in result.message
    slow.slow = "-"
    assert device(world, slow, Pace()).refresh().release == 3


@pytest.mark.attack("slow retrieval")
def test_many_files_that_are_each_in_time(world: World, slow: _Slow) -> None:
    """A source that keeps within the grace of each file, and takes too long for all of them: unavailable."""
    slow.slow, slow.pause_s = "*", 0.0002
    result = world.refused("", by=device(world, slow, Pace(file_s=10.0, look_s=0.15, min_bytes_per_s=10**9)))
    assert "slower" in result.message
    slow.slow = "-"
    assert device(world, slow, Pace()).refresh().release == 3


@pytest.mark.attack("slow retrieval")
def test_an_answer_to_the_census_that_trickles(world: World, slow: _Slow) -> None:
    """Who is told once a day holds no device up by an answer without an end: given up, and never sent again."""
    slow.slow, slow.from_the_start = "*", True
    assert post_once(f"http://127.0.0.1:{slow.server_port}/census", b"{}", within_s=0.15) is Posted.LOST
