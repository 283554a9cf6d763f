"""The adapter against a real repository over HTTP: a TUF client's workflow, request by request, and attacks on it."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Timestamp

from control_plane.repository import Site
from edge_runtime.core import canonical
from edge_runtime.delivery import TRUST_PATH
from tests.conformance import client
from tests.published import Published, fingerprint, published_once
from tests.simulator import prompt_document

RELEASE = "channels/production.json"


class Repository(ThreadingHTTPServer):
    """What an organisation publishes, over HTTP, with the requests that were made for it."""

    daemon_threads = True

    def __init__(self, published: Published) -> None:
        self.published = published
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(published.folder)))
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def metadata(self) -> Path:
        """The folder of metadata."""
        return self.published.folder / "metadata"

    def site(self, later: dt.timedelta = dt.timedelta(0)) -> Site:
        """Return the repository, signing at another time."""
        return Site(self.published.folder, self.published.keys, self.published.now + later)

    def sign(self, role: str, metadata: Metadata, name: str) -> None:
        """Sign metadata with the key of a role and publish it."""
        metadata.sign(CryptoSigner(self.published.keys.roles[role]))
        (self.metadata / name).write_bytes(metadata.to_bytes())

    @contextmanager
    def next_timestamp(self, signed_by: str = "timestamp") -> Iterator[Timestamp]:
        """Give the next timestamp to be changed; then it is signed with the key of a role and published."""
        timestamp = Metadata[Timestamp].from_bytes((self.metadata / "timestamp.json").read_bytes())
        timestamp.signed.version += 1
        yield timestamp.signed
        self.sign(signed_by, timestamp, "timestamp.json")

    def change(self) -> None:
        """Publish another release."""
        document = canonical.encode(prompt_document(instruction="Briefly:\n{{ notes }}"))
        self.published.release({("prompt", "opener"): document})


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


class Client:
    """The adapter, with its folders."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.metadata.mkdir()
        self.targets.mkdir()
        self.repository = repository
        self.base = f"http://127.0.0.1:{repository.server_port}"

    def run(self, *arguments: str) -> int:
        """Run a command; the requests that were made before are forgotten."""
        self.repository.asked.clear()
        return client.main(["--metadata-dir", str(self.metadata), *arguments])

    def init(self, root: Path) -> int:
        """Hand the client the root that it is shipped with."""
        return self.run("init", str(root))

    def refresh(self) -> int:
        """Bring the metadata up to date."""
        return self.run("--metadata-url", f"{self.base}/metadata", "refresh")

    def download(self, name: str) -> int:
        """Fetch a target."""
        target = ["--target-name", name, "--target-base-url", f"{self.base}/targets", "--target-dir", str(self.targets)]
        return self.run("--metadata-url", f"{self.base}/metadata", *target, "download")

    def version(self, role: str) -> int:
        """Return the version of a role that the client holds."""
        return int(Metadata.from_file(str(self.metadata / f"{role}.json")).signed.version)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """A published release over HTTP."""
    made = Repository(published_once(tmp_path / "acme"))
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def device(tmp_path: Path, repository: Repository) -> Client:
    """A client with the organisation's root."""
    made = Client(tmp_path, repository)
    assert made.init(repository.published.trust / "root.json") == 0
    assert repository.asked == []
    return made


def test_the_workflow_asks_for_each_role_once(device: Client, repository: Repository) -> None:
    """The first refresh walks root, timestamp, snapshot, targets; the second stops at an unchanged timestamp."""
    assert device.refresh() == 0
    asked = [
        "/metadata/2.root.json",
        "/metadata/timestamp.json",
        "/metadata/1.snapshot.json",
        "/metadata/1.targets.json",
    ]
    assert repository.asked == asked
    assert [device.version(role) for role in client.TOP_LEVEL] == [1, 1, 1, 1]

    assert device.refresh() == 0
    assert repository.asked == asked[:2]


def test_a_target_is_fetched_once(device: Client, repository: Repository) -> None:
    """A target of the top level and a delegated one are verified and stored; what is held is not fetched again."""
    for name in (TRUST_PATH, RELEASE):
        assert device.download(name) == 0
        assert sum(path.startswith("/targets/") for path in repository.asked) == 1
        assert device.download(name) == 0
        assert not any(path.startswith("/targets/") for path in repository.asked)
    assert {file.read_bytes() for file in device.targets.iterdir()} == {
        repository.site().target(name) for name in (TRUST_PATH, RELEASE)
    }


def test_a_changed_target_is_fetched_under_its_name(device: Client, repository: Repository) -> None:
    """After a release the same name holds the new bytes, and only what changed was asked for."""
    assert device.download(RELEASE) == 0
    repository.change()
    assert device.download(RELEASE) == 0
    [file] = device.targets.iterdir()
    assert file.read_bytes() == repository.site().target(RELEASE)
    assert not any("targets.json" in path for path in repository.asked)


def test_a_target_that_is_not_there_is_refused(device: Client) -> None:
    """Nothing is stored for an unknown name; the metadata was brought up to date all the same."""
    assert device.download("channels/nowhere.json") == 1
    assert list(device.targets.iterdir()) == []
    assert device.version("targets") == 1


def test_a_rotated_root_is_followed(device: Client, repository: Repository) -> None:
    """A root signed by the keys before and after it takes their place."""
    root = Metadata[Root].from_bytes((repository.metadata / "1.root.json").read_bytes())
    new = CryptoSigner(Ed25519PrivateKey.generate())
    root.signed.add_key(new.public_key, "root")
    root.signed.version = 2
    root.sign(CryptoSigner(repository.published.keys.roles["root"]))
    root.sign(new, append=True)
    (repository.metadata / "2.root.json").write_bytes(root.to_bytes())
    assert device.refresh() == 0
    assert device.version("root") == 2


@pytest.mark.parametrize(
    "spoil", [lambda root: root[:-20], lambda root: root.replace(b'"version":1}', b'"version":2}')]
)
def test_a_spoilt_first_root_is_refused_before_anything_is_asked(
    tmp_path: Path, repository: Repository, spoil: Callable[[bytes], bytes]
) -> None:
    """A root that is no JSON, or is not signed by its own keys, is refused without a request."""
    made = Client(tmp_path, repository)
    root = tmp_path / "root.json"
    genuine = (repository.published.trust / "root.json").read_bytes()
    root.write_bytes(spoil(genuine))
    assert root.read_bytes() != genuine
    made.init(root)
    assert made.refresh() == 1
    assert repository.asked == []


def _root_of_another(repository: Repository) -> None:
    """Arbitrary installation: somebody else's root as the next one."""
    root = Metadata[Root].from_bytes((repository.metadata / "1.root.json").read_bytes())
    root.signed.version = 2
    root.sign(CryptoSigner(Ed25519PrivateKey.generate()))
    (repository.metadata / "2.root.json").write_bytes(root.to_bytes())


def _root_that_skips(repository: Repository) -> None:
    """Fast-forward of the root: version 3 under the name of version 2."""
    root = Metadata[Root].from_bytes((repository.metadata / "1.root.json").read_bytes())
    root.signed.version = 3
    repository.sign("root", root, "2.root.json")


def _older_timestamp(repository: Repository) -> None:
    """Rollback: yesterday's timestamp, signed as ever."""
    shutil.copy(repository.published.folder.parent / "yesterday.json", repository.metadata / "timestamp.json")


def _timestamp_of_another(repository: Repository) -> None:
    """Arbitrary metadata: a timestamp signed with the key of another role."""
    with repository.next_timestamp(signed_by="snapshot"):
        pass


def _expired_timestamp(repository: Repository) -> None:
    """Indefinite freeze: a timestamp that ended long ago."""
    with repository.next_timestamp() as timestamp:
        timestamp.expires = repository.published.now - dt.timedelta(days=1)


def _endless_timestamp(repository: Repository) -> None:
    """Endless data: a timestamp far longer than any is."""
    (repository.metadata / "timestamp.json").write_bytes(b"{" + b" " * 50_000_000)


def _mixed_snapshot(repository: Repository) -> None:
    """Mix-and-match: a snapshot that goes back to older targets than were held."""
    snapshot = Metadata[Snapshot].from_bytes((repository.metadata / "2.snapshot.json").read_bytes())
    snapshot.signed.version = 3
    snapshot.signed.meta["releases.json"].version = 1
    repository.sign("snapshot", snapshot, "3.snapshot.json")
    with repository.next_timestamp() as timestamp:
        timestamp.snapshot_meta.version = 3


def _missing_snapshot(repository: Repository) -> None:
    """A timestamp that names a snapshot that nobody published."""
    with repository.next_timestamp() as timestamp:
        timestamp.snapshot_meta.version = 100


@pytest.mark.parametrize(
    "attack",
    [
        _root_of_another,
        _root_that_skips,
        _older_timestamp,
        _timestamp_of_another,
        _expired_timestamp,
        _endless_timestamp,
        _mixed_snapshot,
        _missing_snapshot,
    ],
)
def test_attacks_on_metadata(device: Client, repository: Repository, attack: Callable[[Repository], None]) -> None:
    """Each is refused, and every file of the client stays as it was; the genuine repository is followed afterwards."""
    shutil.copy(repository.metadata / "timestamp.json", repository.published.folder.parent / "yesterday.json")
    repository.change()
    assert device.download(RELEASE) == 0
    held = fingerprint(device.metadata / ".device" / "held") | fingerprint(device.targets)
    genuine = (repository.metadata / "timestamp.json").read_bytes()

    attack(repository)
    assert device.refresh() == 1

    assert fingerprint(device.metadata / ".device" / "held") | fingerprint(device.targets) == held
    (repository.metadata / "2.root.json").unlink(missing_ok=True)
    (repository.metadata / "timestamp.json").write_bytes(genuine)
    assert device.refresh() == 0


@pytest.mark.parametrize("spoil", [lambda data: data[:-1] + b" ", lambda data: data + b" ", lambda data: data[:-1]])
def test_another_target_than_the_one_that_is_named(
    device: Client, repository: Repository, spoil: Callable[[bytes], bytes]
) -> None:
    """Wrong software: a target of another content or length is refused, and nothing of it is stored."""
    assert device.refresh() == 0
    [path] = (repository.published.folder / "targets" / "channels").glob("*.production.json")
    path.write_bytes(spoil(path.read_bytes()))
    assert device.download(RELEASE) == 1
    assert list(device.targets.iterdir()) == []
    assert list((device.metadata / ".device" / "held" / "targets").iterdir()) == []


def test_it_runs_as_a_program(device: Client) -> None:
    """The suite starts it as an executable, with exit codes 0 and 1."""
    program = [sys.executable, client.__file__, "--metadata-dir", str(device.metadata)]
    done = subprocess.run(
        [*program, "--metadata-url", f"{device.base}/metadata", "refresh"], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert device.version("timestamp") == 1
