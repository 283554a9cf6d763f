"""Serving an application on a socket of the loopback address, by uvicorn, which is imported here and nowhere else.

Promises: the address is bound here and is a loopback one; nothing is logged, not even the address of a request.
Does not: know what is served (see `app`).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import uvicorn

from audit.frozen import frozen, member
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.serving.answering import Answering
from edge_runtime.serving.app import make_app
from edge_runtime.serving.gate import Gate, check_host
from edge_runtime.serving.guard import App, Guarded

__all__ = ["ServeSettings", "listen", "serve", "serve_app"]

GRACE_S = 5
BACKLOG = 64


@frozen
class ServeSettings:
    """Where to listen, and for whom. `port` 0 takes a free one; `origins` are those of pages that may ask."""

    token: str = member(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    origins: tuple[str, ...] = ()


class _Server(uvicorn.Server):
    """A server that says when it answers: a signal that comes then ends it as it should."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._ready()


def serve(edge: EdgeRuntime, settings: ServeSettings, *, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve chat completions until the process is interrupted; see `serve_app`."""
    threading.Thread(target=_warm, args=(edge,), daemon=True).start()
    serve_app(make_app(Answering(edge, time.monotonic)), settings, path="/v1", ready=ready)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    It says that it speaks TCP: only then asyncio lets small pieces go at once, instead of 40 ms later.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _warm(edge: EdgeRuntime) -> None:
    """Load the reader's model, so that the first person need not wait for it."""
    with suppress(MentorplaneError):
        edge.read(".")


def serve_app(
    app: App,
    settings: ServeSettings,
    *,
    path: str,
    ready: Callable[[str], None],
    lifespan: Literal["on", "off"] = "off",
) -> None:
    """Serve an application until the process is interrupted.

    Args:
        app: gets what the gate lets through.
        settings: where to listen, and for whom.
        path: where clients find it.
        ready: is called with the address for clients, once it listens.
        lifespan: whether the application wants to hear that it starts and ends.

    Raises:
        InvalidDocument: the host is not a loopback address, or the token or an origin has another form.
        OSError: the port is taken.
    """
    host = check_host(settings.host)
    with listen(host, settings.port) as listening:
        port = listening.getsockname()[1]
        gate = Gate.of(host, port, origins=settings.origins, token=settings.token)
        for name in ("uvicorn", "uvicorn.error", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what they say of an error quotes it
        config = uvicorn.Config(
            Guarded(app, gate),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan=lifespan,
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        _Server(config, lambda: ready(f"http://{gate.literal}:{port}{path}")).run(sockets=[listening])
