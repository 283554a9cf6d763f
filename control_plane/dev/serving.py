"""The published files of a draft, on the loopback address.

Promises: this machine alone is served, and only under the address that is bound, so that a foreign name pointed at this
machine (DNS rebinding) reads nothing; only files below the folder, none whose name begins with a dot, no listings.
Does not: log.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

from edge_runtime.core.errors import Unavailable

__all__ = ["serving"]

HOST = "127.0.0.1"
TIMEOUT_S = 20


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server_port}"


class _Handler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD for files."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "mentorplane-dev"
    sys_version = ""
    timeout = TIMEOUT_S
    server: _Server

    def send_head(self) -> IO[bytes] | None:  # type: ignore[override]
        """Refuse another name for this machine, and what is not published."""
        if self.headers.get_all("Host") != [self.server.address]:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        path = unquote(self.path)
        if path.endswith("/") or "/." in path or "\\" in path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 - the base class's form
        """List nothing."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives
        """Keep no log."""


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """Serve a folder while the context lasts; gives the address.

    Args:
        folder: of published files.
        port: 0 takes a free one.

    Raises:
        Unavailable: the port is taken.
    """
    try:
        server = _Server((HOST, port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise Unavailable(
            f"expected port {port} to be free, got: {error.strerror}", hint="choose another: --port"
        ) from error
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        yield f"http://{server.address}"
    finally:
        server.shutdown()
        server.server_close()
