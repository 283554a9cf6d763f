"""Packs over HTTP: a first adoption is few requests, and what a pack should not be is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.packs import join, pack_path, packs_of, split
from edge_runtime.core.parts import pack, packed_bytes
from tests.counting import Counting
from tests.published import Published, fingerprint
from tests.simulator import prompt_document

PROMPTS = 140


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """An organisation with enough prompts for two shards, and their packs."""
    made = Published(tmp_path_factory.mktemp("packs"))
    documents = made.organisation.base_documents()
    documents |= {("prompt", f"p{n}"): canonical.encode(prompt_document(f"p{n}")) for n in range(PROMPTS)}
    made.release(documents)
    made.write_packs()
    return made


@pytest.fixture
def server(published: Published) -> Iterator[Counting]:
    """What is published, over HTTP."""
    with Counting(published.folder) as server:
        yield server


def device(published: Published, home: Path, server: Counting) -> EdgeRuntime:
    """Return a device that has nothing yet."""
    return EdgeRuntime.open(home, trust=published.trust, source=server.address)


def closures(home: Path) -> int:
    """Return how many contents a device holds."""
    return len(list((home / "closures").iterdir()))


def test_a_first_adoption_is_few_requests(published: Published, server: Counting, tmp_path: Path) -> None:
    """Two packs instead of 140 closures; only what has to be judged before anything is kept comes by itself."""
    edge = device(published, tmp_path / "home", server)
    assert edge.refresh().ok
    assert len([path for path in server.paths if path.startswith("/packs/")]) == 2
    assert len(server.paths) <= 20, server.paths
    assert closures(tmp_path / "home") >= PROMPTS
    assert edge.prompt("p7").name == "p7"


def test_without_packs_closures_come_one_by_one(published: Published, server: Counting, tmp_path: Path) -> None:
    """A source of before, or one that has not made them yet: it is asked for one pack, and then for no other."""
    folder = published.folder / "packs"
    folder.rename(published.folder / "hidden")
    try:
        assert device(published, tmp_path / "home", server).refresh().ok
    finally:
        (published.folder / "hidden").rename(folder)
    assert len([path for path in server.paths if path.startswith("/packs/")]) == 1
    assert closures(tmp_path / "home") >= PROMPTS


def test_what_is_lacking_here_and_there_comes_one_by_one(
    published: Published, server: Counting, tmp_path: Path
) -> None:
    """A pack is for a shard of which half is lacking or more."""
    edge = device(published, tmp_path / "home", server)
    assert edge.refresh().ok
    lost = sorted((tmp_path / "home" / "closures").iterdir())[:5]
    for path in lost:
        path.unlink()
    server.forget()
    assert edge.refresh().ok
    assert not [path for path in server.paths if path.startswith("/packs/")]
    assert all(path.exists() for path in lost)


@pytest.mark.parametrize("attack", ["bomb", "cut", "another", "swapped", "flipped"])
def test_a_pack_that_is_not_what_was_approved_is_refused(
    published: Published, server: Counting, tmp_path: Path, attack: str
) -> None:
    """Attack: a bomb, a cut file, another content, two contents swapped, any byte flipped: refused, nothing adopted."""
    shard, digests = next(iter(packs_of(_manifest(published)).items()))
    path = published.folder / pack_path(shard)
    whole = path.read_bytes()
    held = [published.organisation.closures[one] for one in digests]
    if attack == "flipped":
        places = range(0, len(whole), len(whole) // 3)
        spoilt = [whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :] for at in places]
    else:
        spoilt = [
            {
                "bomb": pack(bytes(packed_bytes(17_000_000))),
                "cut": whole[:-9],
                "another": pack(join([*held[:-1], held[0]])),
                "swapped": pack(join([*held[:-2], held[-1], held[-2]])),
            }[attack]
        ]
    edge = device(published, tmp_path / "home", server)
    before = fingerprint(tmp_path / "home")
    try:
        for data in spoilt:
            path.write_bytes(data)
            result = edge.refresh()
            assert (result.ok, result.check in {"V4", "V5"}, edge.state) == (False, True, None), result
            kept = fingerprint(tmp_path / "home")
            assert {name: one for name, one in kept.items() if not name.startswith(("closures/", "roots/"))} == before
    finally:
        path.write_bytes(whole)
    assert edge.refresh().ok


def _manifest(published: Published) -> Manifest:
    manifest = published.organisation.manifest
    assert manifest is not None
    return manifest


def test_a_pack_is_split_into_the_very_contents() -> None:
    """Round trip; one more, one less, another order or another byte is refused."""
    held = [b'{"a":1}', b'{"b":2}', b"{}"]
    digests = [canonical.digest(one) for one in held]
    assert split(join(held), digests) == dict(zip(digests, held, strict=True))
    for wrong in ([*held, b"{}"], held[:2], held[::-1], [b'{"a":2}', *held[1:]], []):
        with pytest.raises(NotTrusted):
            split(join(wrong), digests)
