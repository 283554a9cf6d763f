"""The thread that sends what waits: messages of webhooks, and mail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from control_plane.plane import ControlPlane
from edge_runtime.core.errors import MentorplaneError

__all__ = ["sending"]

EVERY_S = 1.0
STOP_TIMEOUT_S = 15.0
_LOG = logging.getLogger(__name__)

Deliver = Callable[[ControlPlane], int]


@contextmanager
def sending(plane: ControlPlane) -> Iterator[None]:
    """Send in the background, until the end of the block."""
    from control_plane.mail.delivering import deliver_due as mail
    from control_plane.webhooks.delivering import deliver_due as webhooks

    stop = threading.Event()
    threads = [
        threading.Thread(target=_run, args=(plane, stop, deliver), name=name, daemon=True)
        for name, deliver in (("webhooks", webhooks), ("mail", mail))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(STOP_TIMEOUT_S)


def _run(plane: ControlPlane, stop: threading.Event, deliver: Deliver) -> None:
    while not stop.wait(EVERY_S):
        try:
            while deliver(plane) and not stop.is_set():
                pass
        except (MentorplaneError, OSError):
            _LOG.exception("what waits to be sent was not sent; the next second tries again")
