"""How long to wait for a server: a limit for each silence, one for the whole answer, and no longer once stopped.

Promises: a server that trickles ends with the whole, however steadily it sends; `Wire.stop` ends a wait within a
moment, from any thread. Does not: open connections.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

from edge_runtime.generators.protocol import Wire

__all__ = ["Deadline"]

_T = TypeVar("_T")
SLICE_S = 0.25
"""How often somebody who waits looks whether the run was stopped."""


class Deadline:
    """The time that one answer has, from now on."""

    def __init__(self, silence_s: float, within_s: float, wire: Wire) -> None:
        self._silence_s = silence_s
        self._ends = time.monotonic() + within_s
        self._wire = wire

    def wait_s(self) -> float:
        """Return for how long to wait for one step.

        Raises:
            TimeoutError: the time is over, or the run was stopped.
        """
        left_s = self._ends - time.monotonic()
        if left_s <= 0 or self._wire.stopped:
            raise TimeoutError("the time for the whole answer is over")
        return min(self._silence_s, left_s)

    def receive(self, sock: socket.socket, read: Callable[[], _T]) -> _T:
        """Return what `read` takes from a socket; it is asked again for as long as one silence may last.

        Raises:
            TimeoutError: the silence or the whole was too long, or the run was stopped.
        """
        silent_until = time.monotonic() + self.wait_s()
        while True:
            sock.settimeout(min(SLICE_S, self.wait_s()))
            try:
                return read()
            except TimeoutError:
                if time.monotonic() >= silent_until:
                    raise

    def send(self, sock: socket.socket, data: bytes) -> None:
        """Send all of `data`; a server that takes it drop by drop is given up like one that sends so.

        Raises:
            TimeoutError: it took too long, or the run was stopped.
        """
        while data:
            sock.settimeout(self.wait_s())
            data = data[sock.send(data) :]
