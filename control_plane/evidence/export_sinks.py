"""Where exported lines go: standard output, a file, or a webhook.

Promises: `send` returns only after the lines are where they belong (flushed; on the disk; an answer of 2xx), else it
raises `SinkRefused`; a webhook's batch is signed with a secret that came from a file, over its id, time and body; plain
HTTP is refused but on loopback; redirects are not followed, and the secret is in no message.
Does not: try again (see `export`). Source: Standard Webhooks 1.0 (headers and signature).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import SplitResult, urlsplit

from control_plane.webhooks.signing import secret_bytes, signed_headers
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.hosts import is_this_machine

__all__ = [
    "STDOUT",
    "Batch",
    "FileSink",
    "Sink",
    "SinkRefused",
    "StreamSink",
    "WebhookSink",
    "read_secret",
]

STDOUT = "stdout"
TIMEOUT_S = 30.0
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
MAX_RETRY_AFTER_S = 300.0
_GONE = 410


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries `first` up to `last` as lines; the id is the same whenever just these entries of this log are sent."""

    origin: str
    first: int
    body: bytes
    count: int

    @property
    def last(self) -> int:
        """The last entry."""
        return self.first + self.count - 1

    @property
    def id(self) -> str:
        """What a receiver tells a repetition by."""
        return f"{hashlib.sha256(self.origin.encode()).hexdigest()[:16]}-{self.first}-{self.last}"


class SinkRefused(MentorplaneError):
    """The sink did not confirm; `final` if it never will, `after_s` if it said when to come again."""

    def __init__(self, message: str, *, final: bool = False, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.final = final
        self.after_s = after_s


class Sink(Protocol):
    """Where lines go; `target` names it in the cursor and, as a digest, in the log."""

    @property
    def kind(self) -> str:
        """One word for it."""

    @property
    def target(self) -> str:
        """Its name."""

    def send(self, batch: Batch) -> None:
        """Send a batch; return once it is confirmed."""


@dataclass(frozen=True, slots=True)
class StreamSink:
    """Standard output, or another stream; confirmed once it is flushed."""

    stream: BinaryIO
    target: str = STDOUT
    kind: str = STDOUT

    def send(self, batch: Batch) -> None:
        """Write and flush."""
        try:
            self.stream.write(batch.body)
            self.stream.flush()
        except OSError as error:
            raise SinkRefused(f"the stream failed: {error.strerror}", final=True) from error


@dataclass(frozen=True, slots=True)
class FileSink:
    """A file that lines are appended to; confirmed once they are on the disk."""

    path: Path
    kind: str = "file"

    @property
    def target(self) -> str:
        """The absolute path."""
        return str(self.path.absolute())

    def send(self, batch: Batch) -> None:
        """Append and fsync; half of a line that a crash left is cut off first."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+b") as stream:
                _cut_half_line(stream)
                stream.write(batch.body)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise SinkRefused(f"the file failed: {error.strerror}") from error


def _cut_half_line(stream: BinaryIO) -> None:
    end = stream.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65_536)
        stream.seek(start)
        found = stream.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    stream.seek(end)
    stream.truncate()


@dataclass(frozen=True, slots=True)
class WebhookSink:
    """A URL that takes lines by POST; confirmed by an answer of 2xx.

    Raises:
        InvalidDocument: not an https URL, or http beyond loopback.
    """

    url: str
    secret: bytes = field(repr=False)
    now_s: Callable[[], int]
    timeout_s: float = TIMEOUT_S
    kind: str = "webhook"

    def __post_init__(self) -> None:
        _checked(self.url)

    @property
    def target(self) -> str:
        """The URL."""
        return self.url

    def send(self, batch: Batch) -> None:
        """Post, signed; anything but 2xx is a refusal."""
        parts = _checked(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _connection(parts, self.timeout_s)
        try:
            connection.request("POST", path, batch.body, self._headers(batch))
            answer = connection.getresponse()
            answer.read(65_536)
            status, after = answer.status, answer.getheader("Retry-After", "")
        except (OSError, http.client.HTTPException) as error:
            raise SinkRefused(f"no answer: {type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            after_s = min(float(after), MAX_RETRY_AFTER_S) if after.isascii() and after.isdigit() else 0.0
            raise SinkRefused(f"the answer {status}", final=status == _GONE, after_s=after_s)

    def _headers(self, batch: Batch) -> dict[str, str]:
        return {
            "Content-Type": "application/x-ndjson",
            "User-Agent": "mentorplane-export/1",
            **signed_headers([self.secret], batch.id, timestamp=self.now_s(), body=batch.body),
        }


def read_secret(file: Path) -> bytes:
    """Return the secret in a file: `whsec_` and base64, or base64 alone, of 24 to 64 bytes.

    Raises:
        InvalidDocument: the file cannot be read, or holds no such secret.
    """
    try:
        secret = secret_bytes(file.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise InvalidDocument("expected a secret in base64 in the secret file, got something else") from error
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise InvalidDocument(f"expected a secret of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, got another")
    return secret


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidDocument("expected a URL, got something else") from error
    plain = not any(c.isspace() or ord(c) < 0x21 or ord(c) > 0x7E for c in url)
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.fragment or not plain:
        raise InvalidDocument("expected an https URL without user and fragment, got another")
    if parts.scheme == "http" and not is_this_machine(host):
        raise InvalidDocument("expected https, or http on this machine only, got http to another")
    return parts


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
