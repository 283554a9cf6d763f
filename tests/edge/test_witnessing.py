"""The fleet witnesses the log: a device that sees two histories refuses, keeps what proves it, and hands it on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.__main__ import DONE, NOT_VERIFIED, main
from audit.fork import parse_fork, verify_fork
from audit.note import parse_vkey
from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from tests.edge.test_cli import invoke
from tests.published import Published, adopted, fingerprint, published_once
from tests.simulator import prompt_document

NEW = {("prompt", "opener"): canonical.encode(prompt_document(fallback="New"))}


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release, after which more was logged."""
    made = published_once(tmp_path)
    grow(made, 4)
    return made


@pytest.fixture
def edge(published: Published, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted it."""
    return adopted(published, tmp_path)


def grow(published: Published, count: int) -> None:
    """Log more acts, and publish the log alone."""
    organisation = published.organisation
    for _ in range(count):
        assert organisation.manifest is not None
        organisation.log_release(organisation.manifest)
    published.write_log()


def rewrite(published: Published, at: int) -> None:
    """Change an entry of the log, and publish the log alone."""
    leaves = published.organisation.leaves
    leaves[at] = leaves[at].replace(b"p-sam", b"p-tom")
    published.write_log()


def head(home: Path) -> bytes:
    """The newest checkpoint that a device keeps."""
    return (home / "generations" / (home / "current").read_text() / "log-head").read_bytes()


def test_the_newest_checkpoint_is_remembered(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Whatever was logged since the release counts: each look remembers the newest checkpoint, and an older one not."""
    older = (published.folder / "log" / "checkpoint").read_bytes()
    assert head(tmp_path / "home") == older
    grow(published, 300)
    assert edge.refresh().ok
    newer = head(tmp_path / "home")
    assert newer == (published.folder / "log" / "checkpoint").read_bytes() != older
    before = fingerprint(tmp_path / "home")
    (published.folder / "log" / "checkpoint").write_bytes(older)  # a mirror that lags behind
    for device in (edge, EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))):
        assert device.refresh().ok
    assert fingerprint(tmp_path / "home") == before
    assert edge.evidence() == ()


@pytest.mark.parametrize("more", [0, 3, 300])
@pytest.mark.attack("log fork")
def test_the_log_is_forked(edge: EdgeRuntime, published: Published, tmp_path: Path, more: int) -> None:
    """Attack: another history after the release, of the same size or a larger one, is shown to a device.

    Refused; nothing else changes; the evidence is kept over restarts, shown by the status, written by one command, and
    proves to somebody outside, with the log's key alone, that it signed two histories.
    """
    home, state = tmp_path / "home", edge.state
    before = fingerprint(home)
    rewrite(published, 3)
    grow(published, more)
    for device in (edge, EdgeRuntime.open(home, trust=published.trust, source=str(published.folder))):
        result = device.refresh()
        assert (result.ok, result.check, device.state == state) == (False, "V7", True)
        assert device.status().forks == 1
    after = fingerprint(home)
    assert {name: data for name, data in after.items() if not name.startswith("evidence/")} == before

    options = ["--home", str(home), "--trust", str(published.trust)]
    assert "the log showed two histories" in invoke("status", *options).stdout
    assert json.loads(invoke("status", *options, "--json").stdout)["forks"] == 1
    file = tmp_path / "acme.log-fork"
    assert invoke("evidence", str(file), "--home", str(home)).exit_code == 0
    vkey = published.organisation.log_key.verifier.vkey
    assert main(["verify", str(file), "--vkey", vkey]) == DONE
    assert main(["verify", str(file)]) == NOT_VERIFIED
    older, newer = verify_fork(parse_fork(file.read_bytes()), [parse_vkey(vkey)])
    assert (older.checkpoint.size, newer.checkpoint.size) == (5, 5 + more)


def test_the_log_is_forked_before_a_release(edge: EdgeRuntime, published: Published) -> None:
    """Attack: a release that everybody approved stands in a rewritten log: refused, with the evidence."""
    rewrite(published, 2)
    published.release(NEW)
    result = edge.refresh()
    assert (result.ok, result.check, result.release) == (False, "V7", 1)
    assert len(edge.evidence()) == 1


def test_a_release_stands_in_another_history_than_the_newest_checkpoint(published: Published, tmp_path: Path) -> None:
    """Attack: a first installation knows no history; the release and the checkpoint must be of one all the same."""
    rewrite(published, 0)
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    result = edge.refresh()
    assert (result.ok, result.check, edge.state, len(edge.evidence())) == (False, "V7", None, 1)


def test_somebody_else_signs_a_checkpoint(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Attack: a mirror accuses the log with a checkpoint of its own: refused, and kept as evidence against nobody."""
    before = fingerprint(tmp_path / "home")
    note = (published.folder / "log" / "checkpoint").read_bytes()
    for data in (note[:-20] + note[-20:].swapcase(), note[:-9], b"", note.replace(b"\n5\n", b"\n4\n")):
        (published.folder / "log" / "checkpoint").write_bytes(data)
        assert edge.refresh().check == "V7"
    (published.folder / "log" / "checkpoint").unlink()
    assert edge.refresh().ok is False
    assert fingerprint(tmp_path / "home") == before
    assert edge.evidence() == ()


def test_a_remembered_checkpoint_that_was_edited_does_not_open(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """Attack: the checkpoint in the home is changed or cut: a refusal."""
    home = tmp_path / "home"
    assert edge.refresh().ok
    kept = home / "generations" / (home / "current").read_text() / "log-head"
    whole = kept.read_bytes()
    for data in (whole[:-9], whole.replace(b"\n5\n", b"\n4\n")):
        kept.write_bytes(data)
        with pytest.raises(Exception, match="checkpoint"):
            EdgeRuntime.open(home, trust=published.trust)


def test_no_evidence_is_said_so(edge: EdgeRuntime, tmp_path: Path) -> None:
    """Exit code 2, and no file."""
    assert edge.evidence() == ()
    for home in (tmp_path / "home", tmp_path / "none"):
        assert invoke("evidence", str(tmp_path / "x"), "--home", str(home)).exit_code == 2
    assert not (tmp_path / "x").exists()
