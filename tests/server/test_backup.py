"""Backups: made while the server runs, verified by themselves, restored to either database, with the log's check."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData
from sqlmodel import select
from typer.testing import CliRunner

from control_plane import db, ledger, verifying
from control_plane.backup.archive import Reader
from control_plane.backup.making import make
from control_plane.backup.restoring import restore
from control_plane.backup.verifying import verify
from control_plane.cli import app
from control_plane.errors import Conflict, Refused
from control_plane.keeping import erasing
from control_plane.keeping.keepers import Asking
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from control_plane.tables.registry import TextKeyRow
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts, newest
from tests.server.conftest import CHEAP, SQLITE, Clock, database
from tests.server.test_migrations import in_utc

SECRET = "a passphrase for the keys"


@pytest.fixture
def other(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Settings]:
    """The settings of an empty home on the other kind of database."""
    server = str(request.getfixturevalue("postgres")) if kind == SQLITE else ""
    with database(server) as url:
        yield Settings(home=tmp_path / "other", argon2=CHEAP, database_url=url)


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """The settings of an empty home on SQLite."""
    return Settings(home=tmp_path / "here", argon2=CHEAP)


def comparable(plane: ControlPlane) -> dict[str, Any]:
    """Return all rows as either database describes them, but for those that a restore leaves out."""
    metadata = MetaData()
    metadata.reflect(plane.engine)
    with plane.engine.connect() as connection:
        return {
            name: sorted((in_utc(dict(row)) for row in connection.execute(select(table)).mappings()), key=repr)
            for name, table in metadata.tables.items()
            if name not in {"alembic_version", "request_claim", "schema_version", "session"}
        }


@pytest.mark.databases
def test_a_registry_moves_to_the_other_database_with_every_row(
    plane: ControlPlane, other: Settings, tmp_path: Path, clock: Clock
) -> None:
    """SQLite to PostgreSQL and back: the same rows and log, which goes on; numbers go on after those that are there."""
    made = make(plane, tmp_path / "a.backup", passphrase=SECRET)
    assert made.entries == newest(plane).seq + 1
    done = restore(other, Path(made.path), passphrase=SECRET, clock=clock)
    assert (done.brought_back, done.behind, done.lost) == (0, 0, ())
    moved = open_plane(other, clock=clock)
    try:
        assert comparable(moved) == comparable(plane)
        shutil.copy(plane.settings.home / "demo-people.json", other.home)
        acts = Acts(moved)
        acts.approve_fully()
        acts.release()
        assert verifying.verify(moved).ok
    finally:
        moved.close()


def test_a_backup_is_of_one_moment_while_people_act(acts: Acts, here: Settings, tmp_path: Path, clock: Clock) -> None:
    """An act in the middle of a backup is in it wholly or not at all: the log in it verifies, and so do the rows."""
    before = newest(acts.plane).seq + 1

    acts.approve_fully()
    made = make(acts.plane, tmp_path, passphrase=SECRET)
    acts.release()
    assert made.entries > before
    with Reader(Path(made.path)) as reader:
        assert verify(reader).root == made.root
    done = restore(here, Path(made.path), passphrase=SECRET, clock=clock)
    assert done.backup.entries == made.entries


def test_what_was_published_since_comes_back_and_what_was_erased_is_erased_again(
    acts: Acts, here: Settings, tmp_path: Path, clock: Clock
) -> None:
    """With the newer published files beside it the log goes on where it was; no erased key is ever opened again."""
    plane = acts.plane
    made = make(plane, tmp_path / "a.backup", passphrase=SECRET)
    with db.read(plane.engine) as session:
        lisa = acts.people["lisa"]["id"] if "lisa" in acts.people else acts.people["maya"]["id"]
    erasing.erase(
        plane, lisa, asking=Asking(by=acts.people["ruth"]["id"], reason="asked", passphrase=acts.passphrase("ruth"))
    )
    size = newest(plane).seq + 1
    here.home.mkdir()
    shutil.copytree(plane.site, here.site)
    shutil.copy(plane.settings.home / "checkpoints.log", here.home)
    done = restore(here, Path(made.path), passphrase=SECRET, clock=clock)
    assert done.brought_back == size - made.entries > 0
    assert done.erased > 0
    restored = open_plane(here, clock=clock)
    with db.read(restored.engine) as session:
        living = select(TextKeyRow.id).where(TextKeyRow.person == lisa, TextKeyRow.erased_by == None)  # noqa: E711
        assert session.exec(living).all() == []
    assert newest(restored).seq == size  # one more: the entry that says what came back
    restored.close()


def test_a_backup_older_than_what_a_witness_saw_is_told(
    acts: Acts, here: Settings, tmp_path: Path, clock: Clock
) -> None:
    """A checkpoint kept elsewhere says how many entries are missing; nobody is told that all is there."""
    made = make(acts.plane, tmp_path / "a.backup", passphrase=SECRET)
    acts.approve_fully()
    seen = ledger.checkpoint(acts.plane)
    missing = newest(acts.plane).seq + 1 - made.entries
    given = seen if isinstance(seen, bytes) else str(seen).encode()
    with Reader(Path(made.path)) as reader:
        assert verify(reader, seen=given, log=acts.plane.keys.log.verifier).behind == missing
    assert restore(here, Path(made.path), passphrase=SECRET, seen=given, clock=clock).behind == missing


def test_attack_an_index_that_lists_no_members(tmp_path: Path) -> None:
    """A number where the members should be: no backup, whatever else the index says."""
    index = {"at": "", "organisation": "o", "revision": "r", "size": 0, "root": "", "rows": {}, "members": 5}
    with zipfile.ZipFile(tmp_path / "x.backup", "w") as file:
        file.writestr("backup.json", json.dumps({**index, "format": "mentorplane-backup/1"}))
    with pytest.raises(InvalidDocument):
        Reader(tmp_path / "x.backup")


def test_attack_a_backup_that_was_changed(plane: ControlPlane, here: Settings, tmp_path: Path) -> None:
    """A row changed, a member gone or added, an entry cut off, with the digests made to fit: nothing is restored."""
    made = make(plane, tmp_path / "a.backup", passphrase=SECRET)
    original = {name: zipfile.ZipFile(made.path).read(name) for name in zipfile.ZipFile(made.path).namelist()}

    def without_last(data: bytes) -> bytes:
        return b"\n".join(data.split(b"\n")[:-2]) + b"\n"

    changes: list[Callable[[dict[str, bytes]], Any]] = [
        lambda m: m.update({"tables/leaf.jsonl": m["tables/leaf.jsonl"].replace(b'"seq":1,', b'"seq":2,')}),
        lambda m: m.pop("tables/closure.jsonl"),
        lambda m: m.update({"files/../../escape": b"x"}),
        lambda m: m.update({"tables/leaf.jsonl": without_last(m["tables/leaf.jsonl"])}),
        lambda m: m.update({"tables/log_head.jsonl": b'{"id":1,"frontier":""}\n'}),
    ]
    for number, change in enumerate(changes):
        for fitted in (False, True):
            members = dict(original)
            change(members)
            if fitted:
                fit(members)
            path = tmp_path / f"changed-{number}-{fitted}"
            with zipfile.ZipFile(path, "w") as archive:
                for name, data in members.items():
                    archive.writestr(name, data)
            with pytest.raises((InvalidDocument, Unavailable)):
                restore(here, path, passphrase=SECRET)
            assert not (here.home / "registry.db").exists() or (here.home / db.RESTORING).exists()
            shutil.rmtree(here.home, ignore_errors=True)
    assert not (tmp_path.parent / "escape").exists()


def fit(members: dict[str, bytes]) -> None:
    """Make the index of a changed backup fit its members."""
    import hashlib

    index = json.loads(members["backup.json"])
    index["members"] = {n: hashlib.sha256(d).hexdigest() for n, d in members.items() if n != "backup.json"}
    for name, data in members.items():
        if name.startswith("tables/"):
            index["rows"][name[7:-6]] = data.count(b"\n")
    members["backup.json"] = json.dumps(index).encode()


def test_nothing_is_written_over_and_nobody_gets_in_without_keys(
    plane: ControlPlane, here: Settings, tmp_path: Path
) -> None:
    """A home with a registry, another organisation, another passphrase or no keys: refused, and nothing has changed."""
    path = Path(make(plane, tmp_path / "a.backup", passphrase=SECRET).path)
    before = comparable(plane)
    with pytest.raises(Conflict, match="without a registry"):
        restore(plane.settings, path, passphrase=SECRET)
    with pytest.raises(Conflict, match="not there yet"):
        make(plane, path)
    assert comparable(plane) == before
    with pytest.raises(Refused, match="passphrase"):
        restore(here, path, passphrase="another passphrase")
    with pytest.raises(InvalidDocument, match="organisation"):
        restore(replace(here, organisation="another"), path, passphrase=SECRET)
    bare = Path(make(plane, tmp_path / "bare.backup").path)
    with pytest.raises(Refused, match="keys in the home"):
        restore(here, bare)
    assert not here.home.exists()
    assert SECRET.encode() not in path.read_bytes()
    assert plane.keys.texts not in zipfile.ZipFile(path).read("keys.json")
    assert path.stat().st_mode & 0o777 == 0o600


def test_attack_a_home_whose_restore_was_cut_off_is_opened(
    plane: ControlPlane, here: Settings, tmp_path: Path, clock: Clock
) -> None:
    """`kill -9` while rows are written: the home does not open; the same command finishes it."""
    path = make(plane, tmp_path / "a.backup", passphrase=SECRET).path
    code = (
        "import sys, os, signal; from pathlib import Path; from control_plane.backup import restoring, tables;"
        "from control_plane.settings import Settings, Argon2; "
        "restoring.set_sequences = lambda *a: os.kill(os.getpid(), signal.SIGKILL);"
        "settings = Settings(home=Path(sys.argv[1]), argon2=Argon2(8, 1, 1));"
        "restoring.restore(settings, Path(sys.argv[2]), passphrase=sys.argv[3])"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(here.home), path, SECRET], check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(Unavailable, match="cut off"):
        open_plane(here)
    restore(here, Path(path), passphrase=SECRET, clock=clock)
    restored = open_plane(here, clock=clock)
    assert comparable(restored) == comparable(plane)
    restored.close()


def test_the_commands_make_verify_and_restore(plane: ControlPlane, tmp_path: Path) -> None:
    """As an operator does it, with files for the passphrases."""
    secret, home = tmp_path / "secret", tmp_path / "again"
    secret.write_text(SECRET)
    keys = ["--keys-passphrase-file", str(secret)]

    def said(*arguments: str, code: int = 0, url: str = "") -> str:
        done = CliRunner().invoke(app, list(arguments), env={"DATABASE_URL": url})
        assert done.exit_code == code, done.output
        return done.output

    make_it = ("backup", "make", str(tmp_path), "--home", str(plane.settings.home), *keys)
    path = said(*make_it, url=plane.settings.database_url).splitlines()[0]
    assert "verified: " in said("backup", "verify", path)
    assert "restored: " in said("restore", path, "--home", str(home), *keys)
    said("restore", path, "--home", str(home), *keys, code=2)
    said("backup", "verify", str(secret), code=3)
