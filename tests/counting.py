"""A static web server on loopback that counts every byte it takes and gives, request lines and headers included."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class CountingHandler(SimpleHTTPRequestHandler):
    """Answers with a file of the folder."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        write = self.wfile.write

        def counted(data: Any) -> int:
            self.server.bytes += len(data)  # type: ignore[attr-defined]
            return write(data)

        self.wfile.write = counted  # type: ignore[method-assign]

    def parse_request(self) -> bool:
        is_good = super().parse_request()
        headers = sum(len(f"{name}: {value}\r\n") for name, value in self.headers.items()) if is_good else 0
        self.server.bytes += len(self.raw_requestline) + headers + 2  # type: ignore[attr-defined]
        return is_good

    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


class Counting(ThreadingHTTPServer):
    """Serves a folder; `bytes` is what went over the connections, `paths` what was asked for."""

    daemon_threads = True
    handler: type[CountingHandler] = CountingHandler

    def __init__(self, folder: Path) -> None:
        self.bytes = 0
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(self.handler, directory=str(folder)))
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def address(self) -> str:
        """The source, as a device is given it."""
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """Count from here."""
        self.bytes = 0
        self.paths.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
