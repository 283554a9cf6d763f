"""The device against a folder that is really published: open, refresh, keep the last known good."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot

from control_plane.repository import Site
from edge_runtime import EdgeRuntime, NotTrusted, Unavailable
from edge_runtime.core import canonical
from edge_runtime.core.parts import pack, unpack
from edge_runtime.core.release import closure_path
from tests.published import Published, adopted, fingerprint, published_once
from tests.simulator import prompt_document

NOTES = "We agreed on two things. I will write to Mara by Thursday. The weather was fine. Priya asked a good question."


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release in a folder."""
    return published_once(tmp_path)


@pytest.fixture
def edge(published: Published, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted it."""
    return adopted(published, tmp_path)


def change(text: str = "Briefly:\n{{ notes }}") -> dict[tuple[str, str], bytes]:
    return {("prompt", "opener"): canonical.encode(prompt_document(instruction=text))}


def refused(edge: EdgeRuntime, check: str, source: str | None = None, *, but: str = "nothing") -> None:
    """Assert that a refresh is refused at `check`, and that nothing on disk or in memory changed, `but` that folder."""
    before, state = fingerprint(edge.receipts._path.parent), edge.state
    result = edge.refresh(source)
    assert (result.ok, result.check) == (False, check), result
    assert edge.state is state
    after = fingerprint(edge.receipts._path.parent)
    assert {name: data for name, data in after.items() if not name.startswith(f"{but}/")} == before


def test_without_trust_nothing_opens(tmp_path: Path) -> None:
    """There is no trust on first use: opened without a root, the runtime refuses."""
    with pytest.raises(NotTrusted, match=r"root\.json"):
        EdgeRuntime.open(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_refresh_names_all_nine_checks(published: Published, tmp_path: Path) -> None:
    """An adoption says for each of V1 to V9 what was verified."""
    result = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder)).refresh()

    assert [step.check for step in result.steps] == [f"V{n}" for n in range(1, 10)]
    assert (result.ok, result.changed, result.release) == (True, True, 1)


def test_a_restart_without_a_source_runs_what_was_adopted(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """P5: with the source gone, a new process opens the last known good, verified again from disk."""
    shutil.rmtree(published.folder)

    again = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))

    assert again.state == edge.state
    assert again.session(learner="u1").run("opener", {"notes": NOTES}).route == "device"
    assert again.refresh().ok is False


def test_the_next_release_is_adopted(edge: EdgeRuntime, published: Published) -> None:
    """A new release replaces the old one, and the log's growth is proven from its tiles."""
    published.release(change())

    result = edge.refresh()

    assert (result.ok, result.changed, result.release) == (True, True, 2)
    assert edge.refresh().changed is False


def test_a_release_signed_by_every_server_key_but_unapproved_is_refused(
    edge: EdgeRuntime, published: Published
) -> None:
    """P1: TUF signatures, log entry and checkpoint are all genuine; people's approvals are missing."""
    forged = published.organisation.build(change("Do something else:\n{{ notes }}"))
    published.organisation.log_release(forged)
    published.publish(forged)

    refused(edge, "V6")


def test_a_closure_of_other_content_is_refused(edge: EdgeRuntime, published: Published) -> None:
    """V5: a prompt's bytes are those whose digest people signed."""
    manifest = published.release(change())
    entry = manifest.find("prompt", "opener")
    assert entry is not None
    closure = unpack((published.folder / closure_path(entry.digest)).read_bytes(), max_bytes=10**6)
    (published.folder / closure_path(entry.digest)).write_bytes(pack(closure.replace(b"Briefly", b"BRIEFLY")))

    refused(edge, "V5")


def test_a_source_that_is_gone_is_unavailable_and_changes_nothing(edge: EdgeRuntime, tmp_path: Path) -> None:
    """No source: a status, no exception, and what runs goes on running."""
    refused(edge, "", str(tmp_path / "nowhere"))
    refused(edge, "", "http://127.0.0.1:1/edge")


def test_an_edited_prompt_on_disk_does_not_run(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """A prompt changed in the home after adoption is refused when it is first used: a fixed text, and a reason."""
    entry = published.organisation.manifest.find("prompt", "opener")  # type: ignore[union-attr]
    path = tmp_path / "home" / "closures" / f"{entry.digest.removeprefix('sha256:')}.json"  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes().replace(b"Summarise", b"Translate"))

    session = EdgeRuntime.open(tmp_path / "home", trust=published.trust).session(learner="u1")
    reply = session.run("opener", {"notes": NOTES})
    assert (reply.route, reply.outcome, reply.sent_bytes) == ("block", "fallback", 0)
    assert "Translate" not in reply.text
    assert "digest" in str(reply.problems)


def test_a_clock_set_back_counts_as_expired(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Freshness is never gained by turning the clock back."""
    past = EdgeRuntime.open(tmp_path / "home", trust=published.trust, clock=lambda: 1.0)
    late = EdgeRuntime.open(tmp_path / "home", trust=published.trust, clock=lambda: 4_000_000_000.0)

    assert (edge.status().fresh, past.status().fresh, late.status().fresh) == ("fresh", "expired", "expired")


def test_status_says_self_contained(edge: EdgeRuntime) -> None:
    """With every key on one machine and no outside witness, the status claims no more."""
    status = edge.status()

    assert status.self_contained is True
    assert status.as_json()["release"] == 1


def test_a_home_that_cannot_be_written_is_a_clear_error(published: Published, tmp_path: Path) -> None:
    """A home that is a file, or lies below one, is `Unavailable`, not a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable):
        EdgeRuntime.open(tmp_path / "file", trust=published.trust)


def test_a_rotated_root_key_is_followed_and_opens_again(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """V1: a root signed by the old key and the new one is followed; the chain is walked again when the home opens."""
    metadata = published.folder / "metadata"
    root = Metadata[Root].from_bytes((metadata / "1.root.json").read_bytes())
    old = CryptoSigner(published.keys.roles["root"])
    new = CryptoSigner(Ed25519PrivateKey.generate())
    root.signed.revoke_key(old.public_key.keyid, "root")
    root.signed.add_key(new.public_key, "root")
    root.signed.version = 2
    root.sign(old)
    root.sign(new, append=True)
    (metadata / "2.root.json").write_bytes(root.to_bytes())
    Site(published.folder, published.keys, published.now).renew()

    assert edge.refresh().ok

    again = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    assert again.state == edge.state
    history = (
        tmp_path / "home" / "generations" / (tmp_path / "home" / "current").read_text() / "metadata" / "root_history"
    )
    second = (history / "2.root.json").read_bytes()
    root.signatures.pop(old.public_key.keyid)
    (history / "2.root.json").write_bytes(root.to_bytes())
    with pytest.raises(NotTrusted) as caught:
        EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    assert caught.value.check == "V1"
    (history / "2.root.json").write_bytes(second)
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust).state == edge.state


def test_a_file_below_the_threshold_of_its_role_does_not_open(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """V2: cached metadata without its signature, or with that of another role, is refused."""
    current = tmp_path / "home" / "generations" / (tmp_path / "home" / "current").read_text()
    path = current / "metadata" / "snapshot.json"
    snapshot = Metadata[Snapshot].from_bytes(path.read_bytes())
    snapshot.sign(CryptoSigner(published.keys.roles["timestamp"]))
    for signatures in (dict(snapshot.signatures), {}):
        snapshot.signatures = signatures
        path.write_bytes(snapshot.to_bytes())
        with pytest.raises(NotTrusted) as caught:
            EdgeRuntime.open(tmp_path / "home", trust=published.trust)
        assert caught.value.check == "V2"


def test_a_look_reads_no_content_that_it_knows(published: Published, tmp_path: Path) -> None:
    """With nothing new, what was found whole is not opened again; what somebody wrote or took away since is mended."""
    adopted(published, tmp_path)
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok  # reads each, once
    folder = tmp_path / "home" / "closures"
    whole = {file: file.read_bytes() for file in sorted(folder.iterdir())}
    opened: list[str] = []
    hearing = [True]
    sys.addaudithook(lambda event, said: opened.append(str(said[0])) if hearing and event == "open" else None)
    assert edge.refresh().ok
    assert any("parts" in path for path in opened)
    assert not [path for path in opened if path.startswith(str(folder))]
    first, second, *others = whole
    first.unlink()
    second.write_bytes(b"{}")
    assert edge.refresh().ok
    hearing.clear()
    assert {file: file.read_bytes() for file in folder.iterdir()} == whole
    assert not {str(path) for path in others} & set(opened)


@pytest.mark.parametrize(("kind", "name"), [("prompt", "opener"), ("policy", "organisation")])
def test_a_refresh_mends_a_damaged_file(
    edge: EdgeRuntime, published: Published, tmp_path: Path, kind: str, name: str
) -> None:
    """P5: what was damaged on disk is fetched again; nothing else is."""
    entry = published.organisation.manifest.find(kind, name)  # type: ignore[union-attr]
    folder = tmp_path / "home" / "closures"
    path = folder / f"{entry.digest.removeprefix('sha256:')}.json"  # type: ignore[union-attr]
    whole = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    path.write_bytes(b"damaged")

    assert edge.refresh().ok

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {n: data for n, (data, _) in whole.items()}
    untouched = {file.name: file.stat().st_mtime_ns for file in folder.iterdir() if file != path}
    assert untouched == {n: time for n, (_, time) in whole.items() if n != path.name}
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust).state == edge.state
