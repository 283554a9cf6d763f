"""Restoring a backup into a home and a database that hold nothing yet.

Promises: nothing is written before the backup is verified; while it is written the home cannot be opened (the file
`restoring` is there), and a crash leaves it so until the restore is done again; entries that are published and newer
than the backup are put back, and what they say was erased is erased, before anybody opens it; the log is verified
wholly at the end. A backup older than a checkpoint that somebody saw is said to be.
Does not: bring back what only the lost database held: it says what that is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, Engine, inspect

from audit.note import Verifier
from control_plane import checkpoints, db, ledger, verifying
from control_plane.backup.archive import KEYS, Reader, open_keys
from control_plane.backup.tables import insert, reflected, set_sequences
from control_plane.backup.verifying import Verified, verify
from control_plane.errors import Conflict, Refused
from control_plane.files import write_atomic
from control_plane.keys import load_keys
from control_plane.migrations.opening import alone, bring_up
from control_plane.migrations.revisions import FOLDER, VERSION_TABLE, require_known
from control_plane.plane import Clock, ControlPlane, utc_now
from control_plane.settings import Settings
from control_plane.verifying.restore import restore as bring_back
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["Done", "restore"]

_MAY_BE_THERE = {"keys", "site", "trust", "witness-policy", "checkpoints.log", "publishing.lock", db.RESTORING}
_ROOTS = ("checkpoints.log", "witness-policy", "trust", "site")


@dataclass(frozen=True, slots=True)
class Done:
    """What was restored: the backup, the entries put back from published files, what was erased again, what is lost.

    `behind` is by how many entries the backup is older than what somebody saw and nothing here can bring back.
    """

    backup: Verified
    brought_back: int
    erased: int
    behind: int
    lost: tuple[str, ...]


def restore(settings: Settings, path: Path, *, passphrase: str = "", seen: bytes = b"", clock: Clock = utc_now) -> Done:
    """Restore a backup into the home and the database of `settings`.

    Args:
        settings: of the home; its folder may hold `keys/`, and published files that are newer than the backup.
        path: the backup.
        passphrase: of the keys in it, if the home has none.
        seen: a signed checkpoint that a witness, a device or an auditor kept.
        clock: the time, for the entry that says what was put back.

    Raises:
        Conflict: the home or the database holds something already.
        InvalidDocument: the backup is not as it was written, or of another organisation or history.
        Refused: the keys are neither here nor in the backup, or the passphrase is another.
        Unavailable: the log does not hold together.
    """
    home = settings.home
    with Reader(path) as reader:
        verified = verify(reader)
        _require_fit(settings, reader)
        keys = _keys(home, reader, passphrase)
        engine = db.connect(settings)
        try:
            _clear(home, engine)
            home.mkdir(parents=True, exist_ok=True)
            write_atomic(home / db.RESTORING, b"")
            # Crash from here to the end: nothing opens the home; this command runs again.
            _write_files(home, reader, keys)
            server_keys = load_keys(home / "keys", settings.organisation)
            if seen:
                verified = _seen(reader, seen, server_keys.log.verifier)
            _write_rows(engine, reader)
            done = _catch_up(ControlPlane(settings, engine, clock, server_keys), verified)
        finally:
            engine.dispose()
    (home / db.RESTORING).unlink()
    return done


def _require_fit(settings: Settings, reader: Reader) -> None:
    if reader.index.organisation != settings.organisation:
        raise InvalidDocument(
            "expected a backup of this organisation, got another's",
            hint="MENTORPLANE_ORGANISATION names whose registry this is",
        )
    require_known(reader.index.revision)
    home = settings.home
    there = {one.name for one in home.iterdir()} if home.is_dir() else set()
    unfinished = db.RESTORING in there
    if not unfinished and there - _MAY_BE_THERE:
        raise Conflict(
            "expected a home without a registry, got one that holds something",
            hint="a home to restore into may hold keys, checkpoints.log, witness-policy, trust and site, nothing else",
        )


def _keys(home: Path, reader: Reader, passphrase: str) -> dict[str, bytes]:
    if (home / "keys").is_dir():
        return {}
    if KEYS not in reader.index.members:
        raise Refused("expected the keys in the home, as the backup has none", hint="put the folder keys/ there first")
    if not passphrase:
        raise Refused("expected the passphrase that the keys of the backup were encrypted under, got none")
    return open_keys(reader.read(KEYS), passphrase)


def _clear(home: Path, engine: Engine) -> None:
    """Remove what a restore that was cut off left; refuse a database that holds anything else."""
    unfinished = (home / db.RESTORING).exists()
    if engine.dialect.name == "sqlite":
        if unfinished:
            engine.dispose()
            for file in home.glob("registry.db*"):
                file.unlink()
        return
    with engine.begin() as connection:
        if not inspect(connection).get_table_names():
            return
        if not unfinished:
            raise Conflict("expected a database without tables, got one that has some")
        _run(connection, "base")
        connection.exec_driver_sql(f"DROP TABLE {VERSION_TABLE}")


def _write_files(home: Path, reader: Reader, keys: dict[str, bytes]) -> None:
    if keys:
        staging = home / ".keys.restoring"
        staging.mkdir(mode=0o700, exist_ok=True)
        for name, data in keys.items():
            if PurePosixPath(name).name != name or name.startswith("."):
                raise InvalidDocument("expected names of key files, got something else")
            write_atomic(staging / name, data, private=True)
        staging.rename(home / "keys")
    for member in reader.names("files/"):
        inside = PurePosixPath(member.removeprefix("files/"))
        if inside.parts[0] not in _ROOTS or ".." in inside.parts or "\\" in member:
            raise InvalidDocument("expected files of a home, got others")
        file = home.joinpath(*inside.parts)
        if not file.exists():  # what is there is newer: it was brought here for that
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, reader.read(member))


def _seen(reader: Reader, seen: bytes, log: Verifier) -> Verified:
    return verify(reader, seen=seen, log=log)


def _write_rows(engine: Engine, reader: Reader) -> None:
    """Make the tables of the backup's revision, fill them, and bring them to the newest: one transaction each."""
    with alone(engine) as connection:
        _run(connection, reader.index.revision)
        tables = reflected(connection)
        if {table.name for table in tables} != set(reader.index.rows):
            raise InvalidDocument("expected the tables of that revision, got others")
        for table in tables:
            insert(connection, table, reader.lines(f"tables/{table.name}.jsonl"))
        set_sequences(connection, tables)
    bring_up(engine, db.make_tables)


def _run(connection: Connection, revision: str) -> None:
    from control_plane.migrations.running import run  # Alembic, and what it imports

    run(connection, revision, FOLDER)


def _catch_up(plane: ControlPlane, verified: Verified) -> Done:
    known = [one.size for one in (checkpoints.newest(plane), checkpoints.published(plane)) if one is not None]
    newer = max([0, *known]) - verified.entries
    if newer > 0:
        try:
            back = bring_back(plane)
        except Unavailable as error:
            raise Unavailable(
                f"expected the published files of {newer} entries that are newer than the backup: {error}",
                hint="copy site/edge/log from where it was published into this home, then restore again",
            ) from error
        count = back.last - back.first + 1
        return Done(verified, count, back.erased, max(0, verified.behind - count), back.lost)
    with suppress(FileNotFoundError):
        (plane.site / "log" / "checkpoint").unlink()  # written anew with the tiles that lead to it
    ledger.publish_log(plane, afresh=True)
    report = verifying.verify(plane)
    if not report.ok:
        raise Unavailable(f"expected a log and rows that agree, got: {report.problems[0]}")
    return Done(verified, 0, 0, verified.behind, ())
