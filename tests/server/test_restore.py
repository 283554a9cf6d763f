"""A database that comes back from a backup: the log never forks, and goes on once its entries are brought back."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.record import Act, Auth, LeafObject, LeafRecord, parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts import tokens
from control_plane.cli.audit import app
from control_plane.errors import Conflict
from control_plane.lifecycle import releases
from control_plane.plane import ControlPlane, open_plane
from control_plane.tables.registry import LeafRow
from control_plane.verifying.restore import restore
from edge_runtime.core.errors import Unavailable
from tests.server.acts import Acts

DATABASE = "registry.db"

pytestmark = pytest.mark.usefixtures("sqlite_only")


def close_files(plane: ControlPlane) -> Path:
    """Let the database be one file, and return it."""
    with plane.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    plane.close()
    return plane.settings.home / DATABASE


def back_up(plane: ControlPlane, to: Path) -> Path:
    """Copy the database's file."""
    return Path(shutil.copy(close_files(plane), to / "backup.db"))


def bring_back(plane: ControlPlane, backup: Path) -> ControlPlane:
    """Put the copy in the place of the database and open the home again."""
    database = close_files(plane)
    for path in database.parent.glob(f"{DATABASE}*"):
        path.unlink()
    shutil.copy(backup, database)
    return open_plane(plane.settings, clock=plane.clock)


def ever_published(plane: ControlPlane) -> list[Checkpoint]:
    """Every checkpoint that was ever signed and remembered."""
    key = plane.keys.log
    lines = (plane.settings.home / "checkpoints.log").read_bytes().split()
    return [open_checkpoint(base64.b64decode(line), [key.verifier], key.name).checkpoint for line in lines]


def require_one_history(plane: ControlPlane, *, extended: bool = True) -> None:
    """No two checkpoints of one size differ, and the log in the database extends them all, or does not."""
    roots: dict[int, bytes] = {}
    for one in ever_published(plane):
        assert roots.setdefault(one.size, one.root) == one.root
    assert extended is not any("does not extend" in problem for problem in verifying.verify(plane).problems)


@pytest.fixture
def restored(acts: Acts, tmp_path: Path) -> ControlPlane:
    """A home whose database is older than its published log by a token, an approval and a release."""
    backup = back_up(acts.plane, tmp_path)
    tokens.issue_token(acts.plane, "tom")
    acts.approve_fully()
    acts.release()
    return bring_back(acts.plane, backup)


def size_of(plane: ControlPlane) -> int:
    """How many entries the database holds."""
    with db.read(plane.engine) as session:
        return len(session.exec(select(LeafRow.seq)).all())


def test_an_older_database_refuses_every_act_and_publishes_nothing(restored: ControlPlane) -> None:
    """Nothing is written to a database that is behind: no act, no publication, no start changes anything."""
    before, size = ledger.checkpoint(restored), size_of(restored)
    signed = ever_published(restored)
    attempts = (
        lambda: tokens.issue_token(restored, "tom"),
        lambda: ledger.publish_log(restored),
        lambda: ledger.publish_log(restored, afresh=True),
        lambda: releases.recover(restored),
    )
    for attempt in attempts:
        with pytest.raises(Unavailable, match="expected a log of at least the"):
            attempt()
    assert (ledger.checkpoint(restored), size_of(restored), ever_published(restored)) == (before, size, signed)


def test_entries_come_back_from_the_published_files_and_the_log_goes_on(restored: ControlPlane) -> None:
    """The same bytes stand in the database again, an entry says so, and later acts extend every checkpoint."""
    lacking, known = size_of(restored), ever_published(restored)[-1]
    done = restore(restored)
    assert (done.first, done.last, done.leaf) == (lacking, known.size - 1, known.size)
    with db.read(restored.engine) as session:
        data = session.exec(select(LeafRow.data).order_by(col(LeafRow.seq))).all()
    said = parse_leaf(data[done.leaf])
    assert (said.act, said.object.name) == (Act.RECOVERED, f"entries-{done.first}-{done.last}")
    assert said.after == f"sha256:{known.root.hex()}"
    assert [parse_leaf(one).seq for one in data] == list(range(len(data)))
    tokens.issue_token(restored, "tom")
    require_one_history(restored)
    assert ever_published(restored)[-1].size == known.size + 2
    assert ledger.search(restored, act="released", limit=1)[0].index in range(done.first, done.last + 1)


def test_what_is_lost_with_the_database_is_reported(restored: ControlPlane) -> None:
    """The release and the statements behind entries that came back are gone, and each is named."""
    lost = "\n".join(restore(restored).lost)
    assert "its release is gone" in lost
    assert "its statement is gone" in lost


def test_restoring_twice_changes_nothing_more(restored: ControlPlane) -> None:
    """A database that lacks nothing is left alone."""
    restore(restored)
    before = ledger.checkpoint(restored)
    with pytest.raises(Conflict, match="lacks published entries"):
        restore(restored)
    assert ledger.checkpoint(restored) == before


def test_attack_acts_on_an_older_database_before_it_is_brought_back(restored: ControlPlane) -> None:
    """Entries made behind the guard are another history: neither published nor mixed with the published ones."""
    event = ledger.Event(
        Act.TOKEN_ISSUED, actor=ledger.SYSTEM, role=ledger.SYSTEM, auth=Auth.SYSTEM, target=LeafObject("token")
    )
    with db.write(restored.engine) as session:
        ledger.append(restored, session, event)
    size = size_of(restored)
    with pytest.raises(Unavailable, match="as it was published, got another"):
        restore(restored)
    assert size_of(restored) == size
    with pytest.raises(Unavailable, match="expected a log"):
        ledger.publish_log(restored)
    require_one_history(restored, extended=False)


@pytest.mark.parametrize("kind", ["entries", "0"])
def test_attack_published_files_changed_before_the_restore(restored: ControlPlane, kind: str) -> None:
    """Files that do not lead to the newest signed checkpoint bring nothing back."""
    [path] = sorted((restored.site / "log" / "tile" / kind / "000.p").iterdir(), key=lambda at: int(at.name))[-1:]
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    size = size_of(restored)
    with pytest.raises(Unavailable, match="lead to the newest checkpoint"):
        restore(restored)
    assert size_of(restored) == size


def test_attack_an_older_checkpoint_published_beside_the_older_database(restored: ControlPlane) -> None:
    """With the published checkpoint set back as well, the remembered ones still say what was signed last."""
    remembered = (restored.settings.home / "checkpoints.log").read_bytes().split()
    (restored.site / "log" / "checkpoint").write_bytes(base64.b64decode(remembered[-4]))
    with pytest.raises(Unavailable, match="expected a log of at least the"):
        tokens.issue_token(restored, "tom")
    assert restore(restored).last == ever_published(restored)[-2].size - 1
    require_one_history(restored)


def test_erasures_are_done_again_in_the_same_transaction(restored: ControlPlane) -> None:
    """What does them is handed exactly the entries that came back; if it fails, nothing comes back."""
    size, seen = size_of(restored), []

    def fail(_session: object, records: object) -> int:
        raise Unavailable("expected to destroy a key")

    with pytest.raises(Unavailable, match="destroy"):
        restore(restored, replay=fail)
    assert size_of(restored) == size

    def note(_session: object, records: list[LeafRecord]) -> int:
        seen.extend(records)
        return len(seen)

    done = restore(restored, replay=note)  # type: ignore[arg-type]
    assert [one.seq for one in seen] == list(range(done.first, done.last + 1))
    assert done.erased == len(seen)


def test_a_log_of_which_nothing_is_published_brings_nothing_back(restored: ControlPlane) -> None:
    """Without a published checkpoint and without remembered ones there is nothing to restore from."""
    (restored.settings.home / "checkpoints.log").unlink()
    shutil.rmtree(restored.site)
    with pytest.raises(Unavailable, match="published log to restore from"):
        restore(restored)


def test_the_command_says_what_came_back_and_what_is_lost(restored: ControlPlane) -> None:
    """`mentorplane audit restore` prints the range, the entry that says so, and each lost row."""
    restored.close()
    done = CliRunner().invoke(app, ["restore", "--home", str(restored.settings.home)])
    assert done.exit_code == 0, done.output
    assert "brought back: entries" in done.output
    assert "its release is gone" in done.output
    again = CliRunner().invoke(app, ["restore", "--home", str(restored.settings.home)])
    assert again.exit_code == 2
