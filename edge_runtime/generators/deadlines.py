"""How long to wait for a server: a limit for each silence, one for the whole answer, and no longer once stopped.

Promises: a server that trickles ends with the whole, however steadily it sends or takes; `Wire.stop` ends a wait within
a moment, from any thread: for a name, a connection, encryption, sending and receiving. A look-up that does not end is
left behind. Does not: know what is sent.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from edge_runtime.bounded import SLICE_S, Lane
from edge_runtime.generators.protocol import Wire

__all__ = ["LOOK_UPS", "Deadline"]

_T = TypeVar("_T")
LOOK_UPS = Lane(8)
"""The look-ups of names in this process: the system's own, which nobody can stop."""
_ON_THE_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


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

    def look_up(self, host: str, port: int) -> list[tuple[Any, ...]]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, or not in time.
        """
        return LOOK_UPS.call(
            lambda: list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)),
            self.wait_s(),
            stopped=lambda: self._wire.stopped,
        )

    def connect(self, found: Sequence[tuple[Any, ...]]) -> socket.socket:
        """Return a connection to the first that answers of some addresses, as a look-up gives them.

        Raises:
            OSError: none does, or not in time.
        """
        problem = OSError("a name without an address")
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                self._connect(sock, address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        raise problem

    def _connect(self, sock: socket.socket, address: Any) -> None:
        sock.setblocking(False)
        silent_until = time.monotonic() + self.wait_s()
        code = sock.connect_ex(address)
        with selectors.DefaultSelector() as ready:
            ready.register(sock, selectors.EVENT_WRITE)
            while code in _ON_THE_WAY:
                if time.monotonic() >= silent_until:
                    raise TimeoutError("nobody answered")
                if ready.select(min(SLICE_S, self.wait_s())):
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "no connection")

    def step(self, sock: socket.socket, do: Callable[[], _T]) -> _T:
        """Return what `do` gives, which waits for a socket; it is asked again for as long as one silence may last.

        Raises:
            TimeoutError: the silence or the whole was too long, or the run was stopped.
        """
        silent_until = time.monotonic() + self.wait_s()
        while True:
            sock.settimeout(min(SLICE_S, self.wait_s()))
            try:
                return do()
            except TimeoutError:
                if time.monotonic() >= silent_until:
                    raise

    def send(self, sock: socket.socket, data: bytes) -> None:
        """Send all of `data`; a server that takes it drop by drop is given up like one that sends so.

        Raises:
            TimeoutError: it took too long, or the run was stopped.
        """
        left = memoryview(data)
        while left:
            left = left[self.step(sock, lambda: sock.send(left)) :]  # noqa: B023 - it is called at once
