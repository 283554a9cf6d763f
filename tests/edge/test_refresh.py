"""What a refresh asks for and costs, what a request gives away, and what stays of a refresh that failed."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from control_plane.repository import Site
from edge_runtime import EdgeRuntime, NotTrusted
from edge_runtime.core import canonical
from tests.edge.sources import SourceServer, serving
from tests.published import Published, adopted, fingerprint, published_once
from tests.simulator import prompt_document

NOTHING_NEW = ["/metadata/timestamp.json", "/log/checkpoint"]
NEW = {("prompt", "opener"): canonical.encode(prompt_document(fallback="New"))}


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path)


@pytest.fixture
def server(published: Published) -> Iterator[SourceServer]:
    """Its files over HTTP."""
    with serving(published.folder) as made:
        yield made


def device(published: Published, home: Path, server: SourceServer) -> EdgeRuntime:
    """A device that has adopted the release."""
    runtime = EdgeRuntime.open(home, trust=published.trust, source=server.address)
    assert runtime.refresh().ok
    return runtime


@pytest.mark.parametrize(("tags", "status"), [(True, 304), (False, 200)])
def test_nothing_new_is_two_requests_and_two_kilobytes(
    published: Published, tmp_path: Path, server: SourceServer, tags: bool, status: int
) -> None:
    """Counted on the wire, both ways: conditional requests, and no file is written; also at a source without tags."""
    server.tags = tags
    edge = device(published, tmp_path / "home", server)
    before, state = fingerprint(tmp_path / "home"), edge.state
    server.forget()

    result = edge.refresh()

    assert (result.ok, result.changed, edge.state is state) == (True, False, True)
    assert server.answered == [(status, path) for path in NOTHING_NEW]
    assert all(b"If-None-Match: " in request for request in server.asked)
    assert server.bytes <= 2_000, server.bytes
    assert fingerprint(tmp_path / "home") == before


def test_a_restarted_device_asks_on_condition_too(published: Published, tmp_path: Path, server: SourceServer) -> None:
    """What a device has is known from its home, not from an earlier connection."""
    device(published, tmp_path / "home", server)
    server.forget()
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=server.address).refresh().ok
    assert server.answered == [(304, path) for path in NOTHING_NEW]


def test_requests_of_two_devices_are_the_same_bytes(published: Published, tmp_path: Path, server: SourceServer) -> None:
    """A source that gives each device a tag, a cookie and a date of its own cannot tell them apart by requests."""
    requests = []
    for name in ("one", "two"):
        server.forget()
        own = {"Set-Cookie": f"device={name}; Path=/", "Last-Modified": f"Thu, 01 Jan 2026 00:00:0{len(name)} GMT"}
        server.says = {**own, "ETag": f'"{name}"', "Retry-After": "1"}
        edge = device(published, tmp_path / name, server)
        assert edge.refresh().ok
        requests.append(list(server.asked))
    assert requests[0] == requests[1]
    names = {line.split(b":")[0] for request in requests[0] for line in request.split(b"\r\n")[1:] if line}
    assert names <= {b"Host", b"Accept-Encoding", b"User-Agent", b"If-None-Match"}
    assert {line for r in requests[0] for line in r.split(b"\r\n") if line.startswith(b"User-Agent")} == {
        b"User-Agent: mentorplane"
    }


def test_a_source_that_stands_for_what_it_does_not_have_gains_nothing(
    published: Published, tmp_path: Path, server: SourceServer
) -> None:
    """A 304 to whom nothing was said that is held is no answer; one that freezes is found by age (see test_clock)."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=server.address)
    shutil.move(published.folder / "metadata" / "timestamp.json", tmp_path / "aside.json")
    result = edge.refresh()
    assert (result.ok, result.check, edge.state) == (False, "", None)


def rotated(published: Published) -> Ed25519PrivateKey:
    """Publish a root by which another key signs timestamps; return that key."""
    path = published.folder / "metadata"
    root = Metadata[Root].from_bytes((path / "1.root.json").read_bytes())
    old, new = CryptoSigner(published.keys.roles["timestamp"]), Ed25519PrivateKey.generate()
    root.signed.revoke_key(old.public_key.keyid, "timestamp")
    root.signed.add_key(CryptoSigner(new).public_key, "timestamp")
    root.signed.version = 2
    root.sign(CryptoSigner(published.keys.roles["root"]))
    (path / "2.root.json").write_bytes(root.to_bytes())
    return new


@pytest.mark.attack("rollback of root")
def test_a_stolen_key_that_a_newer_root_revoked_is_used_again(published: Published, tmp_path: Path) -> None:
    """Attack: the refresh that meets the newer root fails, and the root is then held back: it is kept all the same.

    The last known good goes on, also after a restart, and the genuine source is followed afterwards.
    """
    edge = adopted(published, tmp_path)
    published.release(NEW)  # signed by the key that is revoked now
    state, new = edge.state, rotated(published)
    assert edge.refresh().check == "V2"
    assert edge.state == state

    (published.folder / "metadata" / "2.root.json").rename(tmp_path / "held-back.json")
    before = fingerprint(tmp_path / "home")
    for device in (edge, EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))):
        assert device.refresh().check == "V2"
        assert device.state == state
        assert device.prompts() == ("opener",)
    assert fingerprint(tmp_path / "home") == before

    (tmp_path / "held-back.json").rename(published.folder / "metadata" / "2.root.json")
    keys = dataclasses.replace(published.keys, roles={**published.keys.roles, "timestamp": new})
    Site(published.folder, keys, published.now).renew()
    assert edge.refresh().release == 2
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust).status().release == 2


def test_a_kept_root_that_was_edited_does_not_open(published: Published, tmp_path: Path) -> None:
    """Attack: whoever edits or cuts the newer root in the home gets a refusal, not the older one."""
    edge = adopted(published, tmp_path)
    published.release(NEW)
    rotated(published)
    edge.refresh()
    home = tmp_path / "home"
    kept = home / "generations" / (home / "current").read_text() / "metadata" / "root_history" / "2.root.json"
    whole = kept.read_bytes()
    for data in (whole[:-30], whole.replace(b'"version":2', b'"version":3'), b""):
        kept.write_bytes(data)
        with pytest.raises(NotTrusted) as caught:
            EdgeRuntime.open(home, trust=published.trust)
        assert caught.value.check == "V1"


@pytest.mark.attack("rollback of root")
def test_a_newer_root_that_a_first_refresh_met_is_kept(published: Published, tmp_path: Path) -> None:
    """Attack: the very first refresh meets a newer root and fails; held back afterwards, the root counts all the same.

    A device that adopted nothing yet does not begin under the keys that the root revoked, also after a restart.
    """
    rotated(published)
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().check == "V2"
    (published.folder / "metadata" / "2.root.json").rename(tmp_path / "held-back.json")
    for device in (edge, EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))):
        assert device.refresh().check == "V2"
        assert (device.state, device.prompts()) == (None, ())
    assert sorted(path.name for path in (tmp_path / "home" / "roots").iterdir()) == ["1.root.json", "2.root.json"]
