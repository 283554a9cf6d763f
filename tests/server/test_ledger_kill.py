"""A server that is killed in the middle of acts: nothing acknowledged is lost, and the log never has two histories."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from sqlmodel import col, select

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.merkle import Frontier, leaf_hash
from control_plane import db, ledger, verifying
from control_plane.accounts import people, tokens
from control_plane.lifecycle import releases
from control_plane.plane import ControlPlane, open_plane
from control_plane.tables.registry import LeafRow, TextKeyRow
from tests.postgres import drop_database
from tests.server.acts import whose
from tests.server.conftest import POSTGRES, SQLITE, Template, copied, seeded
from tests.server.kill_child import ERASED, copy, settings_of

SOME = {SQLITE: 11, POSTGRES: 47}
"""Every few steps are enough here: the steps of one publication come again with each act, at other remainders.

`make soak` kills at each."""


@dataclass(frozen=True, slots=True)
class Killed:
    """A home that a killed process left, and what that process had been told and shown."""

    home: Path
    acknowledged: dict[int, bytes]
    seen: tuple[bytes, ...]


Folder = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def ran(templates: Callable[..., Template], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """Run the program that kills processes acting on a kind of database, once with each argument; give its folder."""
    with ExitStack() as stack:

        @cache
        def folder(server: str, argument: str) -> Path:
            made = tmp_path_factory.mktemp("killed")
            stack.callback(dropped, server, made)
            copy(templates(server, seeded).settings, made / "template", server)
            command = [sys.executable, "-m", "tests.server.kill_child", str(made), argument, server]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (made / "said").write_text(done.stdout, "utf-8")
            return made

        yield folder


def dropped(server: str, folder: Path) -> None:
    """Drop the databases that were made for the homes in a folder."""
    for path in folder.glob("*/database"):
        if url := path.read_text("utf-8"):
            drop_database(server, url)


@pytest.fixture(params=["some", pytest.param("every", marks=(pytest.mark.soak, pytest.mark.timeout(0)))])
def killed(request: pytest.FixtureRequest, ran: Folder, kind: str, server: str) -> list[Killed]:
    """Homes of processes that were killed, one at each step that is tried; the last came through."""
    every = SOME[kind] if request.param == "some" else 1
    folder = ran(server, str(every))
    *ends, last = (folder / "said").read_text("utf-8").splitlines()
    assert last.endswith("done")
    assert len(ends) * every > 75
    assert all(line.endswith("killed") for line in ends)
    return [_left(one) for one in sorted(folder.glob("[0-9]*"))]


def _left(folder: Path) -> Killed:
    known, seen = folder / "acknowledged", folder / "seen"
    lines = [line.split() for line in known.read_bytes().splitlines()] if known.exists() else []
    return Killed(
        folder / "home",
        {int(index): bytes.fromhex(value.decode()) for index, value in lines},
        tuple(map(base64.b64decode, seen.read_bytes().split())) if seen.exists() else (),
    )


@contextmanager
def again(one: Killed, folder: Path, server: str) -> Iterator[ControlPlane]:
    """Open a copy of a home that a killed process left."""
    with copied(Template(settings_of(one.home), datetime.now(UTC)), server, folder / one.home.parent.name) as settings:
        plane = open_plane(settings)
        try:
            yield plane
        finally:
            plane.close()


def entries(plane: ControlPlane) -> list[bytes]:
    """Every entry in the database."""
    with db.read(plane.engine) as session:
        return list(session.exec(select(LeafRow.data).order_by(col(LeafRow.seq))))


def signed(plane: ControlPlane, notes: tuple[bytes, ...]) -> list[Checkpoint]:
    """Every checkpoint that the log ever signed, as far as it was remembered or seen."""
    key = plane.keys.log
    lines = (plane.settings.home / "checkpoints.log").read_bytes().split()
    return [
        open_checkpoint(note, [key.verifier], key.name).checkpoint for note in (*map(base64.b64decode, lines), *notes)
    ]


def require_one_history(plane: ControlPlane, notes: tuple[bytes, ...]) -> None:
    """Every checkpoint that was ever signed is one of the log in the database: none of one size differ."""
    hashes = [leaf_hash(entry) for entry in entries(plane)]
    roots = {}
    tree = Frontier()
    for size, value in enumerate(hashes, 1):
        tree = tree.append(value)
        roots[size] = tree.root
    for one in signed(plane, notes):
        assert roots[one.size] == one.root


@pytest.mark.databases
def test_kill_9_in_the_middle_of_acts_loses_nothing_acknowledged_and_forks_nothing(
    killed: list[Killed], server: str, tmp_path: Path
) -> None:
    """Opened again: every acknowledged entry is there, what anybody saw is extended, all verifies, and acts go on."""
    for one in killed:
        with again(one, tmp_path, server) as plane:
            held = entries(plane)
            assert all(leaf_hash(held[index]) == value for index, value in one.acknowledged.items())
            require_one_history(plane, one.seen)
            releases.recover(plane)
            report = verifying.verify(plane)
            assert (report.ok, report.problems, report.size) == (True, (), len(held))
            tokens.issue_token(plane, "maya")
            report = verifying.verify(plane)
            assert (report.ok, report.problems, report.size) == (True, (), len(held) + 1)
            require_one_history(plane, one.seen)


@pytest.mark.databases
def test_the_next_act_alone_finishes_what_a_killed_process_left(
    killed: list[Killed], server: str, tmp_path: Path
) -> None:
    """Without a restart of the server too: whoever acts next publishes what was committed, and all verifies."""
    for one in killed[1::4] or killed[-1:]:
        with again(one, tmp_path, server) as plane:
            tokens.issue_token(plane, "maya")
            report = verifying.verify(plane)
            assert (report.ok, report.problems) == (True, ())


@pytest.mark.databases
def test_kill_9_after_an_erasure_leaves_no_key_to_find_after_the_next_start(
    killed: list[Killed], server: str, tmp_path: Path
) -> None:
    """The key is gone from the rows in the transaction of its entry, and from every file of the home after a start."""
    with again(killed[0], tmp_path / "before", server) as plane:
        who = people.find_person(plane, ERASED).id
        with db.read(plane.engine) as session:
            rows = session.exec(select(TextKeyRow).where(TextKeyRow.person == who))
            wrapped = {row.id: row.wrapped for row in rows}
    tried = 0
    for one in killed:
        with again(one, tmp_path, server) as plane:
            with db.read(plane.engine) as session:
                rows = session.exec(select(TextKeyRow).where(col(TextKeyRow.id).in_(wrapped)))
                gone = {row.id for row in rows if row.erased_by is not None}
            assert gone in (set(), set(wrapped))
            if gone:
                tried += 1
                releases.recover(plane)
                files = [path.read_bytes() for path in plane.settings.home.rglob("*") if path.is_file()]
                assert not [key for key in wrapped.values() if any(key in data for data in files)]
    assert tried


def test_processes_at_once_some_of_them_killed_leave_one_history(ran: Folder, server: str) -> None:
    """Six processes act on one home and three are killed: every token that one was given counts, and all verifies."""
    folder = ran(server, "crowd")
    assert (folder / "said").read_text("utf-8") == "3\n"
    given = (folder / "crowd" / "tokens").read_text().split()
    assert len(given) >= 3 * 8
    plane = open_plane(settings_of(folder / "crowd" / "home"))
    try:
        assert {whose(plane, token) for token in given} == {"tom"}
        logged = {one.digest for one in ledger.search(plane, act="token-issued", limit=1000)}
        assert {tokens.token_digest(token) for token in given} <= logged
        require_one_history(plane, ())
        releases.recover(plane)
        report = verifying.verify(plane)
        assert (report.ok, report.problems) == (True, ())
    finally:
        plane.close()
