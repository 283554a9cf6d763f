"""Starting the server, and with it a device of its own for trying everything out.

The listening socket is opened before anything slow is imported, so that the device can start beside the server: its
first request waits in the queue. One link is printed once both answer; Ctrl-C or SIGTERM ends both.
Does not: restart what ends.
"""

from __future__ import annotations

import ctypes
import gc
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from control_plane.settings import Settings
from edge_runtime.core.errors import Unavailable

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["Launch", "on_terminate", "serve", "stop"]

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
SWITCH_S = 0.0005
"""How long a thread may work before another gets its turn: with Python's 5 ms, whoever holds the database waits that
long for each of the readers, at each of its statements."""

_ARENA_MAX, ARENAS = -8, 2
"""What `mallopt` of glibc calls the most pools that it takes memory from, and how many of them there may be. Otherwise
it has eight for each core, and keeps in every one what a thread there freed: the 19 MiB of each key that was opened."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: seed an empty home first, run a device on `device_port` beside the server, tell by `announce`."""

    settings: Settings
    announce: Callable[[str], None]
    seed: bool = False
    with_device: bool = False
    device_port: int = 8421

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://{self.settings.host}:{self.settings.port}"


def serve(launch: Launch) -> None:
    """Serve until a signal ends it.

    Raises:
        Unavailable: the port is taken.
        Refused: there is something else than a demo to seed over.
    """
    _share_memory()
    listener = _listen(launch.settings.host, launch.settings.port)
    if launch.with_device:
        _listen("127.0.0.1", launch.device_port).close()  # taken: say so now, not in the middle of the tour
    device: subprocess.Popen[bytes] | None = None
    desk_token = secrets.token_urlsafe(24)
    signal.signal(signal.SIGTERM, on_terminate)
    try:
        root = launch.settings.home / "trust" / "root.json"
        if launch.with_device and root.is_file():
            device = _start_device(launch, desk_token)
        start_key = secrets.token_urlsafe(16) if launch.with_device else ""
        app = _make_app(launch, start_key=start_key, desk_token=desk_token)
        if launch.seed:
            from control_plane.seed import seed

            seed(app.state.plane)
        if launch.with_device and device is None:
            device = _start_device(launch, desk_token)
        import uvicorn

        # No route speaks over a WebSocket: what would is not even imported.
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
        server = uvicorn.Server(config)
        link = f"{launch.url}/tour?key={start_key}" if launch.with_device else launch.url
        waiting = threading.Thread(target=_announce, args=(launch, server, link), daemon=True)
        waiting.start()
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # the usual end: uvicorn has closed what was open and passed the signal on
    finally:
        listener.close()
        if device is not None:
            stop(device)


def _make_app(launch: Launch, *, start_key: str, desk_token: str) -> FastAPI:
    """Return the application, made without looking for garbage: a sixth of the start went into that."""
    gc.disable()
    from control_plane.app import create_app

    app = create_app(launch.settings, start_key=start_key)
    app.state.has_device = launch.with_device
    app.state.device_url = f"http://127.0.0.1:{launch.device_port}" if launch.with_device else ""
    app.state.device_token = desk_token if launch.with_device else ""
    gc.freeze()
    gc.enable()
    sys.setswitchinterval(SWITCH_S)
    return app


def _share_memory() -> None:
    """Let all threads take memory from few pools; other C libraries have no such pools, and nothing to be told."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, ARENAS)


def _listen(host: str, port: int) -> socket.socket:
    # Only of a socket that says TCP does asyncio take it, and then sends small answers at once: 40 ms a request.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"expected port {port} to be free, got: {error.strerror}",
            hint="is Mentorplane running already? else choose others: --port 8500 --device-port 8501",
        ) from error
    listener.listen(128)
    return listener


def _start_device(launch: Launch, desk_token: str) -> subprocess.Popen[bytes]:
    home: Path = launch.settings.home
    command = [sys.executable, "-m", "edge_runtime", "edge", "desk"]
    command += ["--home", str(home / "device"), "--trust", str(home / "trust")]
    command += ["--source", f"{launch.url}/edge", "--port", str(launch.device_port)]
    command += ["--allow-parent", launch.url, "--mirror", f"forged={launch.url}/forged"]
    env = {**os.environ, "MENTORPLANE_DESK_TOKEN": desk_token}  # never in argv, which every process may read
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env)  # noqa: S603 - our own command


def _announce(launch: Launch, server: object, link: str) -> None:
    end = time.monotonic() + READY_TIMEOUT_S
    ports = [launch.device_port] if launch.with_device else []
    while time.monotonic() < end:
        if getattr(server, "started", False) and all(_answers(port) for port in ports):
            launch.announce(link)
            return
        time.sleep(0.02)
    launch.announce(f"{link} (the device does not answer)" if ports else link)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def on_terminate(_number: int, _frame: FrameType | None) -> None:
    """End the program as Ctrl-C does, when it is told to terminate."""
    raise KeyboardInterrupt


def stop(device: subprocess.Popen[bytes]) -> None:
    """End a process of ours, at the latest after ten seconds."""
    device.terminate()
    try:
        device.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        device.kill()
        device.wait()
