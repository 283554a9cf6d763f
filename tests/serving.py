"""A real server on the loopback address, for tests of what talks to one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from control_plane.app import create_app
from control_plane.settings import Settings


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve a home without its background work, and give the address."""
    app = create_app(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        app.state.plane.close()
        listening.close()
