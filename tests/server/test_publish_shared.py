"""Publishing beside the database: acts at once share it, and what a crash left between its steps is finished."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import func, select

from audit.checkpoint import parse_checkpoint
from audit.note import parse_note
from audit.record import Act, Auth, LeafObject
from audit.writer import NEXT_PATH
from control_plane import db, ledger, verifying
from control_plane.accounts import tokens
from control_plane.ledger.publish import publishing
from control_plane.lifecycle import releases
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from tests.server.acts import Acts

ACTS = 6


def size_of(plane: ControlPlane) -> int:
    """How many entries the database holds."""
    with db.read(plane.engine) as session:
        return session.exec(select(func.count()).select_from(LeafRow)).one()


def remembered(plane: ControlPlane) -> list[bytes]:
    """Every checkpoint that was remembered, a line each."""
    return (plane.settings.home / "checkpoints.log").read_bytes().splitlines()


def published_size(plane: ControlPlane) -> int:
    """The size in the published checkpoint."""
    return parse_checkpoint(parse_note(ledger.checkpoint(plane)).text).size


@pytest.mark.databases
def test_acts_at_once_share_one_publication(acts: Acts) -> None:
    """Acts commit while a publication is under way, none returns before it is covered, and one more covers them all."""
    plane = acts.plane
    before, lines = size_of(plane), len(remembered(plane))
    with ThreadPoolExecutor(ACTS) as pool:
        with publishing(plane):
            acting = [pool.submit(tokens.issue_token, plane, "tom") for _ in range(ACTS)]
            while size_of(plane) < before + ACTS:
                assert not any(one.done() and one.exception() for one in acting)
            assert published_size(plane) == before
            assert not any(one.done() for one in acting)
        assert len({one.result() for one in acting}) == ACTS
    assert published_size(plane) == before + ACTS
    assert len(remembered(plane)) == lines + 1
    assert verifying.verify(plane).ok


def test_a_checkpoint_remembered_and_not_published_is_published_by_the_next_start(acts: Acts) -> None:
    """A crash between the two leaves the old checkpoint; the same bytes are published afterwards, and no others."""
    path, lines = acts.plane.site / "log" / "checkpoint", remembered(acts.plane)
    old = path.read_bytes()
    tokens.issue_token(acts.plane, "tom")
    new = path.read_bytes()
    path.write_bytes(old)
    assert releases.recover(acts.plane)
    assert path.read_bytes() == new
    assert len(remembered(acts.plane)) == len(lines) + 1
    assert verifying.verify(acts.plane).ok


@pytest.mark.parametrize("kind", ["entries", "0"])
def test_files_of_a_publication_that_was_cut_short_are_written_over(acts: Acts, kind: str) -> None:
    """Halves of the files of the next size, and of its checkpoint, do no harm and are replaced."""
    size, log = size_of(acts.plane), acts.plane.site / "log"
    half = log / "tile" / kind / "000.p" / str(size + 1)
    half.write_bytes(b"half of it")
    (log / NEXT_PATH).write_bytes(b"half of a checkpoint")
    tokens.issue_token(acts.plane, "tom")
    assert half.read_bytes() != b"half of it"
    assert not (log / NEXT_PATH).exists()
    assert verifying.verify(acts.plane).ok


def test_partial_files_go_when_a_tile_is_full(acts: Acts) -> None:
    """Once 256 entries are published, the partial files of the first tile go, a few at each act."""
    plane = acts.plane
    while size_of(plane) < 250:
        with db.write(plane.engine) as session:
            ledger.append(plane, session, _event())
    for _ in range(12):
        tokens.issue_token(plane, "tom")
    tiles = plane.site / "log" / "tile"
    assert not [path for path in (tiles / "0" / "000.p", tiles / "entries" / "000.p") if path.exists()]
    assert sorted(path.name for path in Path(tiles / "0").iterdir()) == ["000", "001.p"]


def _event() -> ledger.Event:
    return ledger.Event(
        Act.RECOVERED, actor=ledger.SYSTEM, role=ledger.SYSTEM, auth=Auth.SYSTEM, target=LeafObject("log")
    )
