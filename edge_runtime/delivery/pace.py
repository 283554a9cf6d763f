"""How slow a source may be: slow retrieval ends with a refusal, however steadily the bytes trickle.

A file has a time of grace, and a second more for each so many bytes that came; so has everything that is asked of a
source in one look. With a file's greatest length that makes a deadline. Headers, redirects and tries count as time, not
as bytes. Does not: know what is fetched or sent. Source: TUF 1.0.34, section 1.5.2, slow retrieval attacks.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from edge_runtime.delivery.access import Pace, is_loopback

__all__ = ["Watch", "paced_pool"]

SOCKET_TIMEOUT_S = 10
"""How long a source may say nothing at all."""


class Watch:
    """Measures one source in one look against its pace; what passes between its files does not count."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._began = 0.0
        self._file_bytes = self._bytes = 0
        self._spent_s = 0.0

    def begin(self) -> None:
        """A file is asked for."""
        self._began, self._file_bytes = time.monotonic(), 0

    def came(self, count: int) -> None:
        """So many bytes of it came."""
        self._file_bytes += count
        self._bytes += count

    def end(self) -> None:
        """It came, or it did not."""
        self._spent_s += time.monotonic() - self._began

    def left_s(self) -> float:
        """Return for how long to wait for more bytes of the file; 0 or less if it is too slow."""
        pace, took_s = self._pace, time.monotonic() - self._began
        file_s = pace.file_s + self._file_bytes / pace.min_bytes_per_s - took_s
        look_s = pace.look_s + self._bytes / pace.min_bytes_per_s - self._spent_s - took_s
        return min(file_s, look_s)

    @property
    def because(self) -> str:
        """Why a file was given up."""
        return f"expected a source that sends {self._pace.min_bytes_per_s} bytes in a second, got a slower one"


class _Paced(io.RawIOBase):
    """What is read from a socket, for as long as the watch says; each single wait included."""

    def __init__(self, sock: Any, watch: Watch) -> None:
        self._socket, self._file, self._watch = sock, sock.makefile("rb", buffering=0), watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._watch.left_s()
        if left_s <= 0:
            raise TimeoutError(self._watch.because)
        self._socket.settimeout(min(left_s, SOCKET_TIMEOUT_S))
        count: int | None = self._file.readinto(buffer)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Opened:
    """Stands for a socket where a response asks it for a file to read from."""

    def __init__(self, sock: Any, watch: Watch) -> None:
        self._socket, self._watch = sock, watch

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Paced(self._socket, self._watch))


def paced_pool(address: str, watch: Watch) -> urllib3.PoolManager:
    """Return connections to an address, by the proxy of the environment if it names one, that the watch ends."""
    parts = urlsplit(address)
    proxies = {} if is_loopback(address) or proxy_bypass(parts.hostname or "") else getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    pool = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    pool.pool_classes_by_scheme = _paced_classes(watch)
    return pool


def _paced_classes(watch: Watch) -> dict[str, type[urllib3.HTTPConnectionPool]]:

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(_Opened(sock, watch), *args, **options)  # type: ignore[arg-type]

    class Plain(HTTPConnection):
        response_class = Response

    class Encrypted(HTTPSConnection):
        response_class = Response

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
