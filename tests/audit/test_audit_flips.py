"""Every byte of a published log: flipped one at a time, in every tile, bundle and note, and noticed each time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from audit.checkpoint import Checkpoint, cosign
from audit.merkle import Frontier, leaf_hash
from audit.note import Algorithm, Signer, add_signatures
from audit.tiles import tiles_for
from audit.verify import check_log
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, publish, reader
from tests.conftest import places

SIZE = 258
LOG = [b"%d" % index for index in range(SIZE)]
UNSAFE_WITNESS = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
KEYS = [UNSAFE_LOG_SIGNER.verifier, UNSAFE_WITNESS.verifier]


def cosigned(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with a witness's line under the checkpoint."""
    note = files["checkpoint"]
    return {**files, "checkpoint": add_signatures(note, cosign(note, UNSAFE_WITNESS, time_s=1_800_000_000))}


FILES = cosigned(publish(LOG))


def test_the_log_has_every_kind_of_file() -> None:
    """Full and partial bundles and tiles of two levels, and a note with two signatures: and it verifies."""
    assert set(FILES) == {tile.path for tile in tiles_for(SIZE)} | {"checkpoint"}
    assert {path.partition(".p/")[0] for path in FILES if ".p/" in path} == {
        "tile/entries/001",
        "tile/0/001",
        "tile/1/000",
    }
    report = check_log(reader(FILES), KEYS, opaque=True)
    assert (report.ok, report.self_contained) == (True, False)


@pytest.mark.sampled
@pytest.mark.parametrize("path", sorted(FILES))
def test_every_flipped_byte_is_noticed(path: str) -> None:
    """Whatever byte of whatever file differs, the log does not verify, and the file or its entry is named."""
    data = FILES[path]
    root = Frontier().extend(leaf_hash(entry) for entry in LOG).root
    for at in places(len(data), about=100):
        changed = data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]
        report = check_log(reader({**FILES, path: changed}), KEYS if path == "checkpoint" else KEYS[:1], opaque=True)
        honest = Checkpoint(report.origin, report.size, report.root) == Checkpoint(ORIGIN, SIZE, root)
        if path == "checkpoint":
            # A line whose name or key id changed is that of a stranger: carried along, and no witness counts any more.
            assert not report.integrity or (honest and report.self_contained), at
        else:
            assert not report.ok, at
            assert path in {one.path for one in report.findings} or report.findings[0].first is not None, at


@pytest.mark.sampled
@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_of_a_note_without_strangers_is_noticed(bit: int) -> None:
    """A note with the log's own signature alone has no byte that may differ."""
    data = publish(LOG[:5])["checkpoint"]
    files = publish(LOG[:5])
    for at in places(len(data), about=40):
        changed = data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
        assert not check_log(reader({**files, "checkpoint": changed}), KEYS, opaque=True).integrity, at
