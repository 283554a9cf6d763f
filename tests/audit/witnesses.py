"""Witnesses for the tests: a log with two histories, homes in memory, and a server on the loopback address."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.merkle import consistency_proof, leaf_hash, root_of
from audit.note import Verifier
from audit.witness.decide import PATH, AddCheckpoint
from audit.witness.server import Clocks, Limits, WitnessServer
from audit.witness.store import Home, Store, open_store
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.disks import Faulty

HONEST = [leaf_hash(b"%d" % index) for index in range(40)]
REWRITTEN = [*HONEST[:2], *(leaf_hash(b"other %d" % index) for index in range(2, 40))]
UNSAFE_SEED = b"\x31" * 32
NOW_S = 1_800_000_000


def signed(size: int, hashes: Sequence[bytes] = HONEST) -> bytes:
    """Return the log's own checkpoint over its first entries."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root_of(hashes[:size])), [UNSAFE_LOG_SIGNER])


def request(old: int, size: int, hashes: Sequence[bytes] = HONEST) -> bytes:
    """Return the request to cosign that an honest submitter makes."""
    return AddCheckpoint(old, consistency_proof(hashes[:size], old) if old else (), signed(size, hashes)).encode()


class HomeSteps(Faulty):
    """The steps on a witness's home, one of which may go wrong."""

    def private(self, path: str) -> bool:
        """Modes are those of the real home, if there is one."""
        return self.inner.private(path) if isinstance(self.inner, Home) else True


@dataclass
class Clock:
    """A clock that tests set."""

    now_s: int = NOW_S


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP."""

    status: int
    content_type: str
    body: bytes


@dataclass
class Running:
    """A witness that serves."""

    store: Store
    server: WitnessServer
    clock: Clock
    lines: list[str]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return str(self.server.server_address[0]), int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """Its submission prefix."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def post(self, body: bytes) -> Reply:
        """Ask it to cosign."""
        return call(self.address, "POST", PATH, body)

    def get(self, path: str) -> Reply:
        """Read from it."""
        return call(self.address, "GET", path)


def call(address: tuple[str, int], method: str, path: str, body: bytes | None = None) -> Reply:
    """Make one HTTP request on a connection of its own."""
    connection = http.client.HTTPConnection(*address)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return Reply(response.status, response.headers["Content-Type"], response.read())
    finally:
        connection.close()


@contextmanager
def running(
    home: Path | HomeSteps, logs: Sequence[Verifier] = (UNSAFE_LOG_SIGNER.verifier,), limits: Limits | None = None
) -> Iterator[Running]:
    """Run a witness in this process."""
    import time

    files = Home(home) if isinstance(home, Path) else home
    store = open_store(files, name="w.example", seed=lambda: UNSAFE_SEED)
    clock, lines = Clock(), list[str]()
    clocks = Clocks(lambda: clock.now_s, time.monotonic)
    server = WitnessServer(("127.0.0.1", 0), store, logs, clocks=clocks, log=lines.append, limits=limits or Limits())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Running(store, server, clock, lines)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        store.close()
