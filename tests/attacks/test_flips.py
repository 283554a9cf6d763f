"""Single-byte flips: no byte of any published file can change without a refusal by whoever reads it.

What a device reads passes `load_cached` and `adopt`, `unpack` or `read_checkpoint` before it counts, so these are asked
directly; `test_delivery` spoils the same files under a device. Entries and tiles of the log are read whole by auditors:
tests/audit/test_audit_verify.py. `make fuzz` flips every bit of every byte.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from audit.errors import AuditError
from audit.folder import folder_reader
from audit.verify import check_log
from edge_runtime import EdgeRuntime, MentorplaneError
from edge_runtime.core.canonical import digest
from edge_runtime.core.checkpoints import read_checkpoint
from edge_runtime.core.packs import packs_of, split
from edge_runtime.core.parts import unpack
from edge_runtime.delivery.cached import load_cached
from tests.attacks.world import World
from tests.conftest import USUAL, places
from tests.published import Published, adopted
from tests.simulator import CHANNEL

Reads = Callable[[bytes], object]


def flips(data: bytes, about: int) -> Iterator[tuple[int, bytes]]:
    """Yield the data with a bit flipped at about so many places, another bit at each; with every bit in `make fuzz`.

    A letter in the other case and another white space are a bit away, or are tried besides.
    """
    every = settings().max_examples > USUAL
    for at in places(len(data), about):
        masks = {1 << bit for bit in range(8)} if every else {1 << at % 8, 0x20}
        for mask in masks | {0x29, 0x2A} if every else masks:
            yield at, data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, EdgeRuntime]:
    """An organisation with two roots and one release, and a device that adopted it."""
    folder = tmp_path_factory.mktemp("flips")
    published = Published(folder)
    published.organisation.release(published.organisation.base_documents())
    published.organisation.withdraw("prompt", "opener")
    published.publish()
    published.write_packs()
    World(folder, published).rotate("root")
    return published, adopted(published, folder)


def _readers(published: Published, edge: EdgeRuntime, folder: Path) -> dict[str, tuple[Reads, int]]:
    """Return what reads each published file, and how many places of it to try."""
    home, site, root = edge.receipts._path.parent, published.folder, edge._adopter.root
    generation = folder / "generation"
    shutil.copytree(home / "generations" / (home / "current").read_text(), generation, symlinks=True)

    def kept(path: Path) -> Reads:
        def read(data: bytes) -> object:
            path.write_bytes(data)
            return load_cached(generation, root, channel=CHANNEL)

        return read

    def packed(path: Path) -> Reads:
        def read(data: bytes) -> object:
            plain = unpack(data, max_bytes=10**6)
            assert digest(plain) == f"sha256:{path.stem}"
            return plain

        return read

    def many(path: Path) -> Reads:
        manifest = published.organisation.manifest
        assert manifest is not None
        digests = packs_of(manifest)[f"sha256:{path.stem}"]
        return lambda data: split(unpack(data, max_bytes=10**6), digests)

    log = site / "log"

    def audited(path: Path) -> Reads:
        def read(data: bytes) -> object:
            whole = folder_reader(log)
            name = path.relative_to(log).as_posix()
            report = check_log(
                lambda asked: data if asked == name else whole(asked), [published.organisation.log_key.verifier]
            )
            if not report.ok:
                raise MentorplaneError(str(report.findings))
            return report

        return read

    vkey = published.organisation.log_key.verifier.vkey
    found: dict[str, tuple[Reads, int]] = {}
    for path in (one for one in site.rglob("*") if one.is_file()):
        name = path.relative_to(site).as_posix()
        match name.split("/"):
            case ["metadata", "1.root.json"]:
                found[name] = (lambda data: load_cached(generation, data, channel=CHANNEL)), 60
            case ["metadata", file] if file.endswith(".root.json"):
                found[name] = kept(generation / "metadata" / "root_history" / file), 60
            case ["metadata", file]:
                found[name] = kept(generation / "metadata" / file.lstrip("0123456789.")), 60
            case ["targets", *folders]:
                plain = "%2F".join([*folders[:-1], folders[-1].split(".", 1)[1]])
                found[name] = kept(generation / "targets" / plain), 20
            case ["parts" | "closures", _]:
                found[name] = packed(path), 10_000
            case ["packs", _]:
                found[name] = many(path), 10_000
            case ["log", "checkpoint"]:
                found[name] = (lambda data: read_checkpoint(data, vkey)), 10_000
            case _:
                found[name] = audited(path), 60
    return found


@pytest.mark.sampled
@pytest.mark.attack("single-byte flip")
def test_no_byte_of_a_published_file_is_free(device: tuple[Published, EdgeRuntime], tmp_path: Path) -> None:
    """Whoever reads a published file reads it as it is, and refuses it with any of its bytes changed."""
    published, edge = device
    readers = _readers(published, edge, tmp_path)
    folders = {name.split("/")[0] for name in readers}
    assert folders == {"closures", "log", "metadata", "packs", "parts", "targets"}
    accepted = []
    for name, (read, about) in readers.items():
        whole = (published.folder / name).read_bytes()
        read(whole)
        for at, data in flips(whole, about):
            try:
                read(data)
            except (MentorplaneError, AuditError, AssertionError):
                continue
            accepted.append(f"{name} at {at}: {data[max(at - 20, 0) : at + 20]!r}")
        read(whole)
    assert accepted == []
