"""Publishing to a bucket: the order of copying, and what a device sees of it on a real S3-compatible store."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest
from typer.testing import CliRunner, Result

from audit.tiles import tiles_for
from control_plane.bucket import copy, shown
from control_plane.bucket.s3 import S3
from control_plane.cli import app
from control_plane.published import cache_control
from control_plane.repository import Site
from control_plane.settings import Bucket
from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.release import CHECKPOINT_PATH, TIMESTAMP_PATH
from tests.conftest import places
from tests.published import Published, published_once
from tests.server.acts import Acts
from tests.simulator import prompt_document
from tests.store import RunningStore, environment

MARK = "metadata/1.root.json"
MOVING = (CHECKPOINT_PATH, TIMESTAMP_PATH)


@dataclass
class Kept:
    """A store in memory that knows what was asked of it; `before` is called before each write."""

    objects: dict[str, bytes] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    asked: int = 0

    def read(self, path: str) -> bytes | None:
        self.asked += 1
        return self.objects.get(path)

    def write(self, path: str, data: bytes) -> None:
        self.before(path)
        self.written.append(path)
        self.objects[path] = data

    def paths(self) -> set[str]:
        self.asked += 1
        return set(self.objects)


def push(published: Published, to: Kept | S3) -> int:
    """Copy as a process does that begins: it asks what is there."""
    here = shown(published.folder)
    assert here is not None
    return copy(published.folder, to, here=here, known=to.paths())


def files(folder: Path) -> dict[str, bytes]:
    """Every published file by its path, but for those of the log that only older checkpoints imply."""
    here = shown(folder)
    assert here is not None
    implied = {f"log/{tile.path}" for tile in tiles_for(here.size)}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    kept = {name for name, path in found.items() if not path.name.startswith(".") and not name.startswith("log/tile")}
    return {name: found[name].read_bytes() for name in kept | implied}


def change(published: Published, word: str) -> None:
    """Release another wording of every prompt."""
    documents = published.organisation.base_documents()
    prompts = [name for kind, name in documents if kind == "prompt"]
    changed = {("prompt", name): canonical.encode(prompt_document(name, fallback=word)) for name in prompts}
    published.release(documents | changed)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A folder with one release."""
    return published_once(tmp_path / "published")


def test_a_device_refreshes_from_a_bucket(
    published: Published, place: Bucket, store: RunningStore, tmp_path: Path
) -> None:
    """Its source is the bucket's public address; every object says for how long it may be kept."""
    source = store.public(place)
    push(published, S3(place))
    edge = EdgeRuntime.open(tmp_path / "device", trust=published.trust, source=source)
    assert edge.refresh().release == 1
    change(published, "Anew.")
    assert push(published, S3(place)) < len(files(published.folder))
    assert edge.refresh().release == 2
    assert {edge.prompt(name).fallback for name in edge.prompts()} == {"Anew."}
    for path, data in files(published.folder).items():
        with urllib.request.urlopen(f"{source}/{path}") as answer:
            assert answer.read() == data
            assert answer.headers["Cache-Control"] == cache_control(path)


def test_copying_again_writes_nothing(published: Published, place: Bucket) -> None:
    """The store is asked what it has, and has it all."""
    to = S3(place)
    assert push(published, to) == len(files(published.folder))
    assert to.paths() == set(files(published.folder))
    assert push(published, to) == 0


class Dying(S3):
    """A store whose publisher is killed just before or after it writes for the `left`th time, or writes `at`."""

    def __init__(self, place: Bucket, client: object, *, left: int = -1, at: str = "", after: bool = False) -> None:
        super().__init__(place)
        self._client = client  # made once, as that takes long; no process but a dying one connects with it
        self._left, self._at, self._after, self._turn = left, at, after, Lock()

    def write(self, path: str, data: bytes) -> None:
        with self._turn:
            self._left -= 1
            is_last = self._left == 0 or path == self._at
            if not (is_last and not self._after):
                super().write(path, data)
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)


def killed(published: Published, to: Dying) -> bool:
    """Let a process of its own copy; whether it was killed on the way."""
    if (child := os.fork()) == 0:
        try:
            push(published, to)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.sampled
def test_a_publisher_that_is_killed_leaves_the_old_or_the_new_release_whole(
    published: Published, place: Bucket, store: RunningStore, tmp_path: Path
) -> None:
    """At every step: before or after an object, the checkpoint and the timestamp; the next one goes on from there."""
    source = store.public(place)
    push(published, S3(place))
    old = tmp_path / "old"
    assert EdgeRuntime.open(old, trust=published.trust, source=source).refresh().ok
    before = set(files(published.folder))
    change(published, "Anew.")
    steps = len(files(published.folder).keys() - before)
    dying = partial(Dying, place, S3(place)._client)
    deaths = [dying(left=places(steps, 4).step, after=bool(n % 2)) for n in places(steps, 4)]
    deaths += [dying(at=path, after=after) for path in MOVING for after in (False, True)]
    seen = []
    for number, death in enumerate(deaths):
        was_killed = killed(published, death)
        shutil.copytree(old, tmp_path / str(number))
        edge = EdgeRuntime.open(tmp_path / str(number), trust=published.trust, source=source)
        refreshed = edge.refresh()
        assert refreshed.ok, refreshed
        texts = {edge.prompt(name).fallback for name in edge.prompts()}
        assert (refreshed.release == 2) == (texts == {"Anew."})
        seen.append((was_killed, refreshed.release))
    assert seen == [(True, 1)] * (len(deaths) - 1) + [(True, 2)]
    assert push(published, S3(place)) == 0


def test_what_says_what_is_in_force_is_written_last(published: Published) -> None:
    """The root that marks the bucket, whatever never changes, the checkpoint, the timestamp, newer roots."""
    Site(published.folder, published.keys, published.now + timedelta(days=200)).renew()
    to = Kept()
    push(published, to)
    assert to.written[0] == MARK
    assert to.written[-3:] == [CHECKPOINT_PATH, TIMESTAMP_PATH, "metadata/2.root.json"]
    assert to.objects == files(published.folder)
    del to.objects["metadata/2.root.json"]
    assert push(published, to) == 1, "a crash before the newest root is seen"


def test_halves_of_files_are_not_copied(published: Published) -> None:
    """What a crash left beyond the checkpoint, or under a hidden name, stays where it is."""
    size = len(published.organisation.leaves)
    for path in (f"log/tile/0/000.p/{size + 1}", f"log/tile/entries/000.p/{size + 1}", "targets/.half"):
        (published.folder / path).write_bytes(b"half of it")
    to = Kept()
    push(published, to)
    assert b"half of it" not in to.objects.values()
    assert to.objects[CHECKPOINT_PATH] == files(published.folder)[CHECKPOINT_PATH]


def test_a_malformed_tile_is_not_copied(published: Published) -> None:
    """A file of the log that is not of its form stops the copy before anything is in force."""
    tile = published.folder / f"log/tile/0/000.p/{len(published.organisation.leaves)}"
    tile.write_bytes(tile.read_bytes()[:-1])
    to = Kept()
    with pytest.raises(Unavailable, match="malformed"):
        push(published, to)
    assert TIMESTAMP_PATH not in to.objects


def test_a_log_that_grows_meanwhile_is_looked_at_again(published: Published) -> None:
    """A partial tile that made way for the full one is missed, and what is in force stays."""
    to, here = Kept(), shown(published.folder)
    assert here is not None
    (published.folder / f"log/tile/0/000.p/{here.size}").unlink()
    with pytest.raises(FileNotFoundError):
        copy(published.folder, to, here=here, known=set())
    assert not {CHECKPOINT_PATH, TIMESTAMP_PATH} & set(to.objects)
    published.organisation.leaves += [b'{"act":"read"}'] * 300
    published.publish()
    push(published, to)
    assert to.objects[TIMESTAMP_PATH] == files(published.folder)[TIMESTAMP_PATH]


def ahead(published: Published, to: Kept) -> None:
    """The folder is an old copy of itself."""
    old = published.folder.with_name("old")
    shutil.copytree(published.folder, old)
    change(published, "Anew.")
    push(published, to)
    shutil.rmtree(published.folder)
    old.rename(published.folder)


def foreign(published: Published, to: Kept) -> None:
    """The bucket is another installation's."""
    push(published_once(published.folder.parent / "other"), to)


def unmarked(published: Published, to: Kept) -> None:
    """The bucket is nobody knows whose."""
    push(published_once(published.folder.parent / "other"), to)
    del to.objects[MARK]


@pytest.mark.parametrize("spoil", [ahead, foreign, unmarked])
def test_attack_a_bucket_does_not_go_backwards_nor_is_it_mixed(
    published: Published, spoil: Callable[[Published, Kept], None]
) -> None:
    """A folder that is older than the bucket, or not the one that it is a copy of, changes nothing in it."""
    to = Kept()
    spoil(published, to)
    before = dict(to.objects)
    with pytest.raises(Unavailable, match="expected a"):
        push(published, to)
    assert to.objects == before


@contextmanager
def as_somebody(monkeypatch: pytest.MonkeyPatch, *, key: str, secret: str) -> Iterator[None]:
    """Ask the store as somebody else."""
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", key)
        patched.setenv("AWS_SECRET_ACCESS_KEY", secret)
        yield


@pytest.mark.parametrize(("key", "code"), [("publisher", "SignatureDoesNotMatch"), ("nobody", "InvalidAccessKeyId")])
def test_attack_a_wrong_secret_changes_nothing_and_is_told_nowhere(
    published: Published, place: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    key: str, code: str,
) -> None:  # fmt: skip
    """The store refuses; neither errors, with what led to them, nor logs at their most talkative hold the secret."""
    caplog.set_level("DEBUG")
    with as_somebody(monkeypatch, key=key, secret="a-wrong-secret"), pytest.raises(Unavailable, match=code) as caught:
        S3(place).write("trust.json", b"{}")
    assert "a-wrong-secret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.hint} {caplog.text}"
    assert S3(place).paths() == set()


def test_who_we_are_may_stand_in_a_file(place: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file that tools for such stores share serves as well as the environment; with neither, nothing is asked."""
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Unavailable, match="NoCredentialsError"):
        S3(place).write("a.json", b"{}")
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id = publisher\naws_secret_access_key = {secret}\n", "utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    S3(place).write("a.json", b"{}")
    assert S3(place).read("a.json") == b"{}"
    assert S3(place).read("b.json") is None


def test_a_server_without_the_extra_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a bucket and did not install the extra is told to."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(Unavailable, match="the extra s3"):
        S3(Bucket("coach")).paths()


class _Page(BaseHTTPRequestHandler):
    """Answers everything with a page, as a proxy does that wants somebody to sign in."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><p>Please sign in.</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_answer_that_is_none_of_a_store_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else that answers at the store's address is an outage like any other."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pytest.raises(Unavailable, match="list its objects"):
            S3(Bucket("coach", endpoint=f"http://127.0.0.1:{server.server_port}", region="us-east-1")).paths()
        server.shutdown()


def run(acts: Acts, place: Bucket, *arguments: str) -> Result:
    """Run a command on the home whose bucket this is."""
    there = {"NAME": place.name, "PREFIX": place.prefix, "ENDPOINT": place.endpoint, "REGION": place.region}
    said = {f"MENTORPLANE_S3_{'BUCKET' if name == 'NAME' else name}": value for name, value in there.items()}
    home = {"MENTORPLANE_HOME": str(acts.plane.settings.home), "DATABASE_URL": acts.plane.settings.database_url}
    return CliRunner().invoke(app, ["bucket", *arguments], env=environment() | said | home)


def test_the_commands_say_what_the_bucket_lacks_and_copy_it(acts: Acts, place: Bucket) -> None:
    """`bucket status` exits 2 while it lags and 0 when it does not; `bucket push` copies; without one both exit 3."""
    assert run(acts, Bucket(""), "status").exit_code == 3
    assert run(acts, place, "status").exit_code == 2
    pushed = run(acts, place, "push", "--json")
    assert json.loads(pushed.stdout)["written"] == len(files(acts.plane.site))
    said = run(acts, place, "status")
    assert (said.exit_code, said.stdout.split(":")[0]) == (0, "the bucket shows what is published")
    acts.approve_fully()
    behind = json.loads(run(acts, place, "status", "--json").stdout)
    assert behind["lags"]
    assert behind["folder"] != behind["bucket"]
    assert run(acts, replace(place, name="nobodys"), "push").exit_code == 1
    assert S3(place).read(MARK) == (acts.plane.site / MARK).read_bytes()
