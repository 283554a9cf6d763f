"""A real source on the loopback address, with every byte that devices send to it and that it sends to them."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class SourceServer(ThreadingHTTPServer):
    """Serves a folder and records: `asked` are the requests as they came, `answered` status and path of each.

    `tags` says whether files have tags of their content; `says` are headers of every answer, which may differ from one
    to the next; `token` is what a request must carry, `moved` where every request is sent on to.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[bytes] = []
        self.answered: list[tuple[int, str]] = []
        self.sent_bytes = 0
        self.tags = True
        self.says: dict[str, str] = {}
        self.token = ""
        self.moved = ""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """Forget what was asked and answered."""
        self.asked, self.answered, self.sent_bytes = [], [], 0

    @property
    def bytes(self) -> int:
        """How many bytes went over the wire, both ways."""
        return sum(map(len, self.asked)) + self.sent_bytes


@contextmanager
def serving(folder: Path) -> Iterator[SourceServer]:
    """Serve a folder."""
    server = SourceServer(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Recorded(io.RawIOBase):
    """What is read from a connection, kept."""

    def __init__(self, file: Any, kept: list[bytes]) -> None:
        self._file, self._kept = file, kept

    def readline(self, size: int | None = -1) -> bytes:
        line = bytes(self._file.readline(-1 if size is None else size))
        self._kept.append(line)
        return line


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SourceServer

    def setup(self) -> None:
        super().setup()
        self._lines: list[bytes] = []
        self.rfile = _Recorded(self.rfile, self._lines)  # type: ignore[assignment]

    def do_GET(self) -> None:
        self.server.asked.append(b"".join(self._lines))
        self._lines.clear()
        file = self.server.folder / self.path.lstrip("/")
        token = self.server.token
        if token and self.headers.get("Authorization") != f"Bearer {token}":
            self._send(401)
        elif self.server.moved:
            self._send(302, Location=f"{self.server.moved}{self.path}")
        elif not file.is_file():
            self._send(404)
        else:
            self._send_file(file.read_bytes())

    def _send_file(self, data: bytes) -> None:
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        if not self.server.tags:
            self._send(200, data)
        elif tag in self.headers.get("If-None-Match", ""):
            self._send(304, ETag=tag)
        else:
            self._send(200, data, ETag=tag)

    def _send(self, status: int, data: bytes = b"", **headers: str) -> None:
        self.server.answered.append((status, self.path))
        self.send_response(status)
        for name, value in {**headers, **self.server.says}.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.server.sent_bytes += len(b"".join(self._headers_buffer)) + 2 + len(data)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Keep no log."""
