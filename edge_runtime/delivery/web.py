"""HTTP as a device speaks it: nothing in a request tells one device from another.

Promises:
1. A request has a method, a path, the host, the name of the product, and of a private channel the token of the app:
   no cookie, no version, no clock, nothing that a source once said.
2. A file that this device has is asked for on condition, by tags that it computes from its bytes. A source may answer
   304 and stands for those very bytes. Its own tags and dates are never sent back: one made up for each device would be
   a name for it.
3. A redirect is never followed with a token.
4. A source that is slower than its pace is given up (see `pace`).

Does not: judge what it fetches; everything goes through the same checks as ever. Source: RFC 9110 section 13.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import urllib3
from tuf.api.exceptions import DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from edge_runtime.delivery.access import USER_AGENT, Access, Pace
from edge_runtime.delivery.pace import SOCKET_TIMEOUT_S, Watch, paced_pool

__all__ = ["WebFetcher"]

CHUNK_BYTES = 262_144
_TRIES = urllib3.Retry(total=3, connect=1, read=1, redirect=3, other=0, respect_retry_after_header=False)
"""No source tells a device to wait: the home is locked meanwhile."""


class MemoryFetcher(FetcherInterface):
    """Keeps what it fetches in memory, where others take a temporary file: nothing is written but in a home."""

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Give what lies at an address.

        Raises:
            DownloadError: it cannot be had, or is longer than `max_length` bytes.
        """
        held = io.BytesIO()
        for chunk in self.fetch(url):
            if held.tell() + len(chunk) > max_length:
                raise DownloadLengthMismatchError(f"expected at most {max_length} bytes, got more")
            held.write(chunk)
        held.seek(0)
        yield held


class WebFetcher(MemoryFetcher):
    """Fetches what lies below one address; `held` are the bytes that this device has, by their full address."""

    def __init__(self, address: str, access: Access | None = None, pace: Pace | None = None) -> None:
        self.held: dict[str, bytes] = {}
        self._token = access.headers(address) if access else {}
        self._watch = Watch(pace or Pace())
        self._pool = paced_pool(address, self._watch)

    def _fetch(self, url: str) -> Iterator[bytes]:
        self._watch.begin()
        try:
            chunks = self._chunks(url)
            yield from chunks
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if self._watch.left_s() <= 0:
                raise SlowRetrievalError(self._watch.because) from error
            raise
        finally:
            self._watch.end()

    def _chunks(self, url: str) -> Iterator[bytes]:
        held = self.held.get(url)
        response = self._pool.request(
            "GET",
            url,
            headers={"User-Agent": USER_AGENT, **({"If-None-Match": _tags(held)} if held else {}), **self._token},
            preload_content=False,
            redirect=not self._token,
            retries=_TRIES,
            timeout=urllib3.Timeout(SOCKET_TIMEOUT_S),
        )
        if response.status == 304 and held:
            response.drain_conn()
            response.release_conn()
            yield held
            return
        if response.status != 200:
            response.close()
            raise DownloadHTTPError(f"HTTP status {response.status}", response.status)
        try:
            # Not decoded: nothing but the bytes themselves was asked for.
            while chunk := response.read1(CHUNK_BYTES, decode_content=False):
                self._watch.came(len(chunk))
                yield chunk
        finally:
            response.release_conn()


def _tags(data: bytes) -> str:
    """Return the tags that a source may know these bytes by: our servers say SHA-256, S3-compatible stores MD5."""
    return f'"{hashlib.sha256(data).hexdigest()}", "{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
